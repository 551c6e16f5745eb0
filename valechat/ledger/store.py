"""The SQLite file: opened, migrated, locked, and written in one transaction at a time.

`journal_mode=TRUNCATE` because WAL is unsafe on network homes and corrupts in SQLite before 3.51.3.
Readers take the same lock as writers: without WAL a reader would make a writer's commit wait by
polling.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from valechat.filelock import locked
from valechat.ledger.amounts import stamp
from valechat.ledger.faults import damaged, translated
from valechat.ledger.migrations import migrate
from valechat.ledger.pace import Pace
from valechat.ledger.publish import Prepared, Publisher
from valechat.ledger.streams import FUNCTIONS
from valechat.ledger.transaction import Transaction
from valechat.ledger.words import fold

__all__ = ["LEDGER_FILE", "LOCK_FILE", "Store", "now_utc"]

LEDGER_FILE = "ledger.sqlite3"
LOCK_FILE = "ledger.lock"
_BUSY_SECONDS = 30.0


def now_utc() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class Store:
    """The SQLite file of one ledger. Usable from any thread; one connection, one writer at a time."""

    def __init__(self, folder: Path, clock: Callable[[], datetime], pace: Pace) -> None:
        self.folder = folder
        self.path = folder / LEDGER_FILE
        self.clock = clock
        self.publisher = Publisher(folder / "published", pace)
        self.committed: Callable[[Prepared], None] | None = None
        self._lock_path = folder / LOCK_FILE
        self._guard = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._inode: tuple[int, int, int] | None = None

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The connection, while nobody writes."""
        with self._guard, translated(self.path), self._locked():
            yield self._connection()

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction: committed at the end of the block and then published, or nothing happened."""
        with self._guard, translated(self.path), self._locked():
            db = self._connection()
            self.publisher.heal(db)
            db.execute("BEGIN IMMEDIATE")
            try:
                transaction = Transaction(db, self.clock())
                yield transaction
                prepared = self.publisher.prepare(transaction)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            self.publisher.publish(prepared)
        if self.committed is not None:
            self.committed(prepared)

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        with self._guard:
            if self._db is not None:
                self._db.close()
                self._db = None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self._lock_path):
            yield

    def _connection(self) -> sqlite3.Connection:
        """The open connection, to the file that has the name now, made by this process.

        A restore may have put another file there; a connection does not survive a fork.
        """
        if self._db is not None and self._inode == self._identity():
            return self._db
        self.close()
        self._refuse_lost_file()
        db = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = TRUNCATE")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA secure_delete = ON")
            db.create_function("fold", 1, fold, deterministic=True)
            for name, function in FUNCTIONS.items():
                db.create_function(name, 1, function, deterministic=True)
            migrate(db, self.path, stamp(self.clock()))
            self.publisher.opened(db)
        except BaseException:
            db.close()
            raise
        self._db, self._inode = db, self._identity()
        return db

    def _identity(self) -> tuple[int, int, int] | None:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino, os.getpid()

    def _refuse_lost_file(self) -> None:
        """An empty or missing file beside published rows is a loss, not a new ledger."""
        empty = not self.path.exists() or self.path.stat().st_size == 0
        if empty and any((self.folder / "published").glob("*/mark.json")):
            raise damaged(self.path, "it is empty or gone, though rows of it are published beside it")
