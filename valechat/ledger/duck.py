"""DuckDB over the published files: connections, and database files that hold views only.

A database file is this process's own, because a file that any process has open keeps all others out.
"""

from __future__ import annotations

import atexit
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from valechat.ledger import processes
from valechat.ledger.streams import STREAMS
from valechat.ledger.views import placeholder, placeholder_name, target, view_script

if TYPE_CHECKING:
    import duckdb

__all__ = ["Duck"]


class Duck:
    """The SQL side of one ledger.

    Args:
        published: The folder of the published files.
        state: Where this process's database file lies.
        shared: The database file for other programs.
    """

    def __init__(self, published: Path, state: Path, shared: Path) -> None:
        self._published = published
        self._state = state
        self._shared = shared
        self._script = view_script(published)
        self._making = threading.Lock()

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own, in memory, with all views."""
        import duckdb

        with self._making:
            self._ensure_placeholders()
        connection = duckdb.connect()
        connection.execute(self._script)
        return connection

    def database(self) -> Path:
        """This process's database file; made on first use, removed when the process ends."""
        start = processes.started(os.getpid())
        path = self._state / f"views-{os.getpid()}-{start}.duckdb"
        with self._making:
            if not path.exists():
                self._state.mkdir(parents=True, exist_ok=True)
                self._remove_orphans()
                self._write_views(path)
                atexit.register(_remove, path, os.getpid())
        return path

    def shared_database(self) -> Path:
        """A database file at a fixed path, for other programs, to be opened `read_only=True`.

        It is written when it is missing or was made by another version, and left alone otherwise: a
        program may have it open.
        """
        note = self._shared.with_suffix(".sql")
        with self._making:
            if not self._shared.exists() or not note.exists() or note.read_text(encoding="utf-8") != self._script:
                with suppress(PermissionError):  # Windows: a program has it open
                    self._write_views(self._shared)
                    new = self._beside(note)
                    new.write_text(self._script, encoding="utf-8")
                    new.replace(note)
        return self._shared

    def _beside(self, path: Path) -> Path:
        """A name to write a file under before it is put in place, which nobody else uses."""
        return path.with_name(f"{path.name}.{os.getpid()}-{id(self)}.new")

    def _write_views(self, path: Path) -> None:
        import duckdb

        self._ensure_placeholders()
        new = self._beside(path)
        _remove(new, os.getpid())
        with duckdb.connect(str(new)) as connection:
            connection.execute(self._script)
            connection.execute("CHECKPOINT")
        new.replace(path)

    def _ensure_placeholders(self) -> None:
        files = [
            self._published / stream.name / level / placeholder_name(stream)
            for stream in STREAMS.values()
            for level in ("small", "large")
        ]
        missing = [path for path in files if not path.exists()]
        if not missing:
            return
        import duckdb

        with duckdb.connect(config={"threads": 1}) as connection:
            for path in missing:
                new = self._beside(path)
                query = placeholder(STREAMS[path.parts[-3]])
                connection.execute(f"COPY ({query}) TO {target(new)} (FORMAT parquet)")
                new.replace(path)

    def _remove_orphans(self) -> None:
        """Remove the files of processes that were killed."""
        for path in self._state.glob("views-*-*.duckdb*"):
            pid, _, start = path.name.removeprefix("views-").partition(".")[0].partition("-")
            if pid.isdecimal() and processes.is_dead(processes.machine(), int(pid), start):
                _remove(path, os.getpid())


def _remove(path: Path, owner: int) -> None:
    if os.getpid() == owner:
        with suppress(OSError):
            path.unlink(missing_ok=True)
            path.with_name(path.name + ".wal").unlink(missing_ok=True)
