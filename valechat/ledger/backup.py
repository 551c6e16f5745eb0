"""Backups of a ledger in use, and their way back.

A backup is the SQLite file: everything else is written anew from it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from valechat.errors import LedgerTooNew
from valechat.filelock import locked
from valechat.ledger.faults import damaged, translated
from valechat.ledger.migrations import APPLICATION_ID, MIGRATIONS
from valechat.ledger.store import LEDGER_FILE, LOCK_FILE

__all__ = ["backup", "check", "exchange", "restore"]

_PAGES_A_STEP = 4_096


def backup(folder: Path, target: Path, now: datetime) -> Path:
    """Copy the ledger's file while it is in use; requests wait for a step at a time.

    Args:
        folder: The ledger's folder.
        target: The file to write, or a folder, where it is named after `now`.
        now: The moment, for the name.

    Returns:
        The path written; it appears when the copy is whole and checked.
    """
    if target.is_dir():
        target = target / f"valechat-ledger-{now:%Y%m%d-%H%M%S}.sqlite3"
    with translated(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_name(target.name + ".new")
        new.unlink(missing_ok=True)
        _copy_in_steps(folder / LEDGER_FILE, new, folder / LOCK_FILE)
        check(new)
        new.replace(target)
    return target


def check(path: Path) -> None:
    """Refuse a file that is not a whole ledger this version can read.

    Raises:
        LedgerDamaged: Not a ledger, or malformed.
        LedgerTooNew: Written by a newer ValeChat.
    """
    if not path.is_file():
        raise damaged(path, "there is no such file")
    with translated(path):
        db = sqlite3.connect(
            f"file:{path.absolute().as_posix().replace('?', '%3f').replace('#', '%23')}?mode=ro", uri=True
        )
        try:
            if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                raise damaged(path, "it is not a ledger of ValeChat")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > len(MIGRATIONS):
                raise LedgerTooNew(
                    f"{path} was written by a newer ValeChat (schema {version}, this one knows {len(MIGRATIONS)}).",
                    fix="Upgrade with `pip install --upgrade valechat`.",
                )
            found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                raise damaged(path, found)
        finally:
            db.close()


def restore(source: Path, folder: Path, now: datetime) -> Path | None:
    """Put a backup in the ledger's place, under its lock; the path of what it replaced, if anything.

    What was there, damaged or not, is kept beside it as `ledger-replaced-<time>.sqlite3`. Processes that
    have the ledger open go on with the restored one.

    Raises:
        LedgerDamaged: `source` is not a whole ledger; nothing was changed.
        LedgerTooNew: `source` is from a newer ValeChat; nothing was changed.
    """
    check(source)
    folder.mkdir(parents=True, exist_ok=True)
    with translated(folder / LEDGER_FILE), locked(folder / LOCK_FILE):
        return exchange(source, folder, folder / f"ledger-replaced-{now:%Y%m%d-%H%M%S-%f}.sqlite3")


def exchange(source: Path, folder: Path, kept: Path) -> Path | None:
    """Put a copy of a ledger in place, under the lock; `kept` is what was there then, None if nothing was."""
    path = folder / LEDGER_FILE
    new = folder / "ledger-restored.new"
    new.unlink(missing_ok=True)
    _copy(source, new)
    _publish_anew(new)
    there = path.exists()
    if there:
        path.replace(kept)
        journal = path.with_name(path.name + "-journal")
        if journal.exists():
            journal.replace(kept.with_name(kept.name + "-journal"))
    new.replace(path)
    return kept if there else None


def _copy_in_steps(source: Path, target: Path, lock: Path) -> None:
    """Copy while others write. Each write starts SQLite's copy anew, so after a while none is let in."""
    copied = 0
    with ExitStack() as held:
        held.enter_context(locked(lock))

        def let_others_in(_status: int, _remaining: int, total: int) -> None:
            nonlocal copied
            copied += _PAGES_A_STEP
            if copied <= 3 * total:
                held.close()
                held.enter_context(locked(lock))

        _copy(source, target, let_others_in)


def _copy(source: Path, target: Path, progress: Callable[[int, int, int], None] | None = None) -> None:
    reading = sqlite3.connect(source)
    writing = sqlite3.connect(target)
    try:
        reading.backup(writing, pages=_PAGES_A_STEP, progress=progress)
    finally:
        writing.close()
        reading.close()
    with target.open("rb+") as file:
        os.fsync(file.fileno())


def _publish_anew(restored: Path) -> None:
    """Have whoever opens the restored ledger first publish it anew: the files in place are of another past."""
    db = sqlite3.connect(restored)
    try:
        with db:
            db.execute("UPDATE publication SET sealed = -1")
    finally:
        db.close()
