"""Ledgers that earlier versions wrote: opened, migrated, and saying what they said before."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.ledger.old.fill import BUCKETS, CEILINGS, said
from tests.ledger.processes import go, line, worker
from tests.ledger.samples import DAY, Clock, rows, usage_row
from valechat.ledger.base import Verification
from valechat.ledger.migrations import MIGRATIONS
from valechat.ledger.pace import Pace
from valechat.ledger.sqlite import SqliteLedger
from valechat.messages import from_json

OLD = Path(__file__).parent / "old"
VERSIONS = sorted(path.name.partition(".")[0] for path in OLD.glob("*.tar.xz"))
SMALL = Pace(seal_rows=10, lag_rows=2, merge_rows=30)


@pytest.fixture(params=VERSIONS)
def old(request: pytest.FixtureRequest, folder: Path) -> Path:
    """The folder of a ledger that an earlier version wrote."""
    with tarfile.open(OLD / f"{request.param}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture
def before(old: Path) -> dict[str, Any]:
    """What that version said of it."""
    found: dict[str, Any] = json.loads((old / "said.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def sqlite_ledger(old: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteLedger]:
    """The ledger in that folder, as this version opens it later; it seals only when the test says so."""
    clock.advance(hours=10)
    ledger = SqliteLedger(old, clock=clock, pace=SMALL)
    monkeypatch.setattr(ledger._tender, "nudge", lambda: None)
    yield ledger
    ledger.close()


def test_each_schema_but_the_newest_has_a_stored_ledger() -> None:
    assert [f"v{n}" for n in range(1, len(MIGRATIONS))] == VERSIONS


def version_of(folder: Path) -> int:
    db = sqlite3.connect(folder / "ledger.sqlite3")
    found: int = db.execute("PRAGMA user_version").fetchone()[0]
    db.close()
    return found


def assert_says(ledger: SqliteLedger, before: dict[str, Any]) -> None:
    """All that was said before is said again; columns may have been added, and parents be others."""
    now = said(ledger)
    for name, expected in before.items():
        found = now[name]
        if isinstance(expected, list) and expected and isinstance(expected[0], dict):
            found = [{column: row[column] for column in expected[0]} for row in found]
        if name == "messages":
            assert without_parents(found) == without_parents(expected)
        elif name == "talk":
            assert messages(found) == messages(expected)
        else:
            assert found == expected, name


def without_parents(rows_: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{column: value for column, value in row.items() if column != "parent_id"} for row in rows_]


def messages(talks: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Messages as values, without parents: a newer version may write them down otherwise."""
    return {key: [(stored[0], *stored[2:4], from_json(stored[4])) for stored in talk] for key, talk in talks.items()}


def test_it_is_migrated_when_it_is_opened_and_says_what_it_said(
    old: Path, before: dict[str, Any], sqlite_ledger: SqliteLedger
) -> None:
    assert version_of(old) < len(MIGRATIONS)
    assert_says(sqlite_ledger, before)
    assert version_of(old) == len(MIGRATIONS)


@pytest.mark.parametrize("old", ["v1", "v2"], indirect=True)
def test_each_of_its_conversations_is_one_path_in_the_order_it_was_stored(sqlite_ledger: SqliteLedger) -> None:
    sqlite_ledger.tend()
    published = dict(rows(sqlite_ledger, "SELECT id, parent_id FROM messages"))
    for conversation in sqlite_ledger.conversations():
        talk = sqlite_ledger.messages(conversation.id)
        assert [stored.parent_id for stored in talk] == [None, *(stored.id for stored in talk[:-1])]
        assert [stored.parent_id for stored in talk] == [published[stored.id] for stored in talk]


def test_its_messages_are_not_pinned_and_its_conversations_have_no_tags(sqlite_ledger: SqliteLedger) -> None:
    assert rows(sqlite_ledger, "SELECT DISTINCT pinned FROM messages") == [(False,)]
    assert rows(sqlite_ledger, "SELECT DISTINCT tags, leaf_id FROM conversations") == [([], None)]
    assert {(head.tags, head.leaf) for head in sqlite_ledger.conversations()} == {((), None)}


def test_its_published_files_count_without_being_written_anew(
    old: Path, before: dict[str, Any], sqlite_ledger: SqliteLedger
) -> None:
    files = {path: path.read_bytes() for path in (old / "published").rglob("*.parquet")}
    assert len(rows(sqlite_ledger, "FROM usage")) == len(before["usage"])
    assert {path: path.read_bytes() for path in files} == files


def test_it_says_the_same_when_everything_is_published_anew(
    before: dict[str, Any], sqlite_ledger: SqliteLedger
) -> None:
    sqlite_ledger.rebuild()
    assert_says(sqlite_ledger, before)


def test_new_rows_join_the_old_ones_in_every_kind_of_file(
    old: Path, before: dict[str, Any], sqlite_ledger: SqliteLedger, clock: Clock
) -> None:
    for n in range(60):
        sqlite_ledger.settle(usage_row(f"new{n}", plugin="git"), [DAY])
    sqlite_ledger.verify("r001", Verification("verified", None, 1, 2))
    for _ in range(6):
        sqlite_ledger.tend()
        clock.advance(minutes=11)
    assert rows(sqlite_ledger, "SELECT count(*), count(plugin) FROM usage") == [(len(before["usage"]) + 60, 60)]
    assert rows(sqlite_ledger, "SELECT request_id FROM usage WHERE verification = 'verified'") == [("r001",)]
    assert len([path for path in (old / "published" / "usage" / "large").iterdir() if path.stat().st_size > 2000]) > 1


def test_its_limits_go_on_where_they_were(before: dict[str, Any], sqlite_ledger: SqliteLedger) -> None:
    used, held = Decimal(before["states"][0][1]), Decimal(before["states"][0][2])
    sqlite_ledger.settle(usage_row("under-way", "1.25"), BUCKETS)
    state = sqlite_ledger.limit_states(CEILINGS)[0]
    assert (state.used, state.held) == (used + Decimal("1.25"), held - Decimal("1.5"))


def test_a_backup_of_it_is_restored_and_migrated(
    old: Path, before: dict[str, Any], tmp_path: Path, clock: Clock
) -> None:
    backup = tmp_path / "backup.sqlite3"
    shutil.copy(old / "ledger.sqlite3", backup)
    other = SqliteLedger(tmp_path / "other", clock=clock)
    other.settle(usage_row("replaced"), [DAY])
    other.restore(backup)
    assert_says(other, before)
    other.close()


def test_a_kill_in_the_middle_of_the_migration_leaves_it_as_it_was(
    old: Path, before: dict[str, Any], clock: Clock
) -> None:
    with worker("migrate_halfway", old) as migrating:
        assert line(migrating) == "halfway"
        assert (old / "ledger.sqlite3-journal").stat().st_size > 0
        migrating.kill()
        migrating.wait()
    clock.advance(hours=10)
    ledger = SqliteLedger(old, clock=clock)
    assert_says(ledger, before)
    assert version_of(old) == len(MIGRATIONS)
    ledger.close()


def test_processes_that_open_it_at_once_migrate_it_once(old: Path, before: dict[str, Any]) -> None:
    with ExitStack() as stack:
        workers: list[subprocess.Popen[str]] = [stack.enter_context(worker("migrate", old)) for _ in range(3)]
        assert [line(process) for process in workers] == ["ready"] * 3
        for process in workers:
            go(process)
        assert max(int(line(process)) for process in workers) == len(before["usage"]) + 3
        assert [process.wait() for process in workers] == [0] * 3
    ledger = SqliteLedger(old, pace=Pace(mark_after=timedelta(days=1)))
    assert len(rows(ledger, "FROM usage")) == len(before["usage"]) + 3
    ledger.close()
    db = sqlite3.connect(old / "ledger.sqlite3")
    assert db.execute("SELECT name FROM migrations ORDER BY rowid").fetchall() == [(name,) for name, _ in MIGRATIONS]
    db.close()
