"""Faults of SQLite and of the file system, as the ledger's errors: the one place that maps them."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from valechat.errors import LedgerDamaged, LedgerError, LedgerUnwritable

__all__ = ["damaged", "translated"]

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_DAMAGED_WITHOUT_CODE = {"unsupported file format"}
"""What SQLite says of a header's schema format that it does not know, as a plain error."""

_REASONS = {
    sqlite3.SQLITE_FULL: ("the disk is full", "Free some space and try again; nothing that was stored is lost."),
    sqlite3.SQLITE_READONLY: ("it is read-only", "Make the file and its folder writable, or set VALECHAT_HOME."),
    sqlite3.SQLITE_PERM: ("access is denied", "Make the file and its folder writable, or set VALECHAT_HOME."),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "Make the folder writable, or set VALECHAT_HOME."),
    sqlite3.SQLITE_BUSY: ("another program keeps it locked", "Close the program that has the SQLite file open."),
    sqlite3.SQLITE_LOCKED: ("another program keeps it locked", "Close the program that has the SQLite file open."),
    sqlite3.SQLITE_IOERR: (
        "reading or writing failed",
        "Check the disk, its free space and quota; nothing that was stored is lost.",
    ),
}


def damaged(path: Path, what: str) -> LedgerDamaged:
    """The error for a file that is not a readable ledger."""
    return LedgerDamaged(
        f"The ledger {path} cannot be read: {what}.",
        fix="Run `valechat restore --salvage` to recover what is left of it, or restore a backup with"
        " `valechat restore`.",
    )


def _error(path: Path, fault: sqlite3.Error | OSError) -> LedgerError | None:
    if isinstance(fault, OSError):
        full = fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        reason, fix = _REASONS[sqlite3.SQLITE_FULL if full else sqlite3.SQLITE_PERM]
        reason = reason if full else (fault.strerror or str(fault))
        return LedgerUnwritable(f"The ledger {path} cannot be written: {reason}.", fix=fix)
    code = getattr(fault, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    if primary in _DAMAGED or str(fault) in _DAMAGED_WITHOUT_CODE:
        return damaged(path, str(fault))
    if primary in _REASONS:
        reason, fix = _REASONS[primary]
        return LedgerUnwritable(f"The ledger {path} cannot be used: {reason}.", fix=fix)
    return None


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise the ledger's errors for faults that are not the program's own.

    Raises:
        LedgerDamaged: The file is not a database, or is malformed.
        LedgerUnwritable: Read-only, full, locked by another program, or failing.
    """
    try:
        yield
    except (sqlite3.Error, OSError) as fault:
        error = _error(path, fault)
        if error is None:
            raise
        raise error from fault
