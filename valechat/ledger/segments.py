"""The published Parquet files: sealed from the truth, merged, rewritten when a row in them changed.

Queries run at any time, so nothing is taken away from under one. A file is in place well before the
watermark counts it, and keeps its rows well after the watermark has left it: between a query's listing
of the files and its reading of the watermark no row is missing and none counts twice. A file that is
over is emptied and its name used again, never removed: a query that has listed it would fail to open it.
DuckDB opens a file once to plan a query and again to read it, so a query that meets a file being
exchanged in between fails, loudly, and succeeds when it is run again.

All of this happens outside of requests, under a lock of its own; the ledger's lock is held only to read
rows and to note what was done.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from valechat.filelock import locked, try_locked
from valechat.ledger.amounts import stamp
from valechat.ledger.faults import translated
from valechat.ledger.pace import Pace
from valechat.ledger.publish import joined, newest_seq, plan, replace_file, rows_of
from valechat.ledger.store import Store
from valechat.ledger.streams import STREAMS, Stream
from valechat.ledger.views import from_lines, placeholder, read_segments, source, target

if TYPE_CHECKING:
    import sqlite3

    import duckdb

__all__ = ["Segments"]


class Segments:
    """The Parquet files of one ledger."""

    def __init__(self, store: Store, pace: Pace) -> None:
        self.store = store
        self.pace = pace
        self._folder = store.publisher.folder
        self._lock = store.folder / "publish.lock"
        self._scratch = store.folder / "publish.tmp"
        self._duck: duckdb.DuckDBPyConnection | None = None

    def is_missing(self, db: sqlite3.Connection) -> bool:
        """Whether a file that queries count on is not there: `complete` writes it."""
        query = "SELECT 1 FROM files f JOIN publication p USING (stream) WHERE written_at IS NULL AND ("
        query += "kind = 'small' AND last <= small_mark AND last > large_mark OR kind = 'large' AND last <= large_mark)"
        return db.execute(query).fetchone() is not None

    def is_due(self, db: sqlite3.Connection) -> bool:
        """Whether `tend` has something to do now or soon."""
        if db.execute("SELECT 1 FROM dirty LIMIT 1").fetchone():
            return True
        return any(
            newest_seq(db, state["stream"]) - state["sealed"] >= self.pace.full_tail or _is_unfinished(db, state)
            for state in db.execute("SELECT * FROM publication").fetchall()
        )

    def tend(self) -> timedelta | None:
        """Do all that is due; how long until more is, or None. Leaves it to another process that is at it."""
        with translated(self._folder):
            self.store.folder.mkdir(parents=True, exist_ok=True)
            with try_locked(self._lock) as mine:
                if not mine:
                    return timedelta(seconds=1)
                with self._writing():
                    return self._tend()

    def complete(self) -> None:
        """Bring removed and changed rows out of the files before returning; waits for another process."""
        with self._working():
            self._finish_writing()
            self._rewrite_changed()

    def rebuild(self) -> None:
        """Write everything published anew from the truth. Queries see less until it is done."""
        with self._working():
            with self.store.write() as t:
                self.store.publisher.restart(t.db)
            with self.store.read() as db:
                self.store.publisher.refresh(db)
            self._finish_writing()

    @contextmanager
    def _working(self) -> Iterator[None]:
        with translated(self._folder):
            self.store.folder.mkdir(parents=True, exist_ok=True)
            with locked(self._lock), self._writing():
                yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Begin without leftovers of a process that was killed, and close the writer of Parquet files after."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        try:
            yield
        finally:
            if self._duck is not None:
                self._duck.close()
                self._duck = None

    def _tend(self) -> timedelta | None:
        self._finish_writing()
        self._rewrite_changed()
        for stream in STREAMS.values():
            while self._seal(stream):
                pass
        self._finish_writing()
        waits = [wait for stream in STREAMS.values() if (wait := self._move_marks(stream))]
        waits.extend(self.pace.mark_after for stream in STREAMS.values() if self._merge(stream))
        self._empty_retired()
        return min(waits, default=None)

    def _seal(self, stream: Stream) -> bool:
        """Give the oldest rows of the tail a file, and start a new tail; whether there were enough."""
        with self.store.write() as t:
            state = t.db.execute("SELECT * FROM publication WHERE stream = ?", (stream.name,)).fetchone()
            newest = newest_seq(t.db, stream.name)
            if newest - state["sealed"] < self.pace.full_tail:
                return False
            first, last = state["sealed"] + 1, state["sealed"] + self.pace.seal_rows
            plan(t.db, stream.name, "small", first, last)
            self.store.publisher.rotate_tail(t, stream.name, newest)
            t.db.execute("UPDATE publication SET sealed = ? WHERE stream = ?", (last, stream.name))
        return True

    def _finish_writing(self) -> None:
        """Write the files that are planned: new ones, and ones that were lost."""
        with self.store.read() as db:
            planned = db.execute(
                "SELECT * FROM files WHERE kind <> 'tail' AND written_at IS NULL AND retired_at IS NULL"
            ).fetchall()
        for file in planned:
            self._write_from_truth(STREAMS[file["stream"]], file["kind"], file["name"], file["first"], file["last"])
            self._note_written(file["stream"], file["kind"], file["name"])

    def _note_written(self, stream: str, kind: str, name: str) -> None:
        with self.store.write() as t:
            t.db.execute(
                "UPDATE files SET written_at = ? WHERE stream = ? AND kind = ? AND name = ?",
                (stamp(t.now), stream, kind, name),
            )

    def _write_from_truth(self, stream: Stream, kind: str, name: str, first: int, last: int) -> None:
        self._scratch.mkdir(exist_ok=True)
        rows = self._scratch / "rows.jsonl"
        with rows.open("wb") as file:
            for start in range(first, last + 1, self.pace.seal_rows):
                with self.store.read() as db:
                    chunk = db.execute(
                        f"SELECT {stream.select} FROM {stream.name} WHERE seq BETWEEN ? AND ? ORDER BY seq",
                        (start, min(start + self.pace.seal_rows - 1, last)),
                    ).fetchall()
                file.write(joined(chunk))
        self._write_parquet(from_lines(stream, rows), self._folder / stream.name / kind / name)
        rows.unlink()

    def _write_parquet(self, query: str, path: Path) -> None:
        import duckdb

        self._scratch.mkdir(exist_ok=True)
        temporary = self._scratch / "segment.parquet"
        if self._duck is None:
            self._duck = duckdb.connect(config={"threads": 1, "temp_directory": str(self._scratch)})
        self._duck.execute(f"COPY ({query}) TO {target(temporary)} (FORMAT parquet, COMPRESSION zstd)")
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(path)

    def _rewrite_changed(self) -> None:
        """Write the files anew that hold a row which changed or went since."""
        with self.store.read() as db:
            dirty = db.execute("SELECT * FROM dirty").fetchall()
        if not dirty:
            return
        for stream in STREAMS.values():
            changed = sorted({row["seq"] for row in dirty if row["stream"] == stream.name})
            if changed:
                self._rewrite(stream, changed)
        with self.store.write() as t:
            t.db.execute("DELETE FROM dirty WHERE id <= ?", (max(row["id"] for row in dirty),))

    def _rewrite(self, stream: Stream, changed: list[int]) -> None:
        with self.store.read() as db:
            files = db.execute(
                "SELECT * FROM files WHERE stream = ? AND kind <> 'tail' AND written_at IS NOT NULL", (stream.name,)
            ).fetchall()
            found = (db.execute(f"SELECT rev FROM {stream.name} WHERE seq = ?", (seq,)).fetchone() for seq in changed)
            revs = {seq: None if row is None else int(row["rev"]) for seq, row in zip(changed, found, strict=True)}
        for file in files:
            inside = [seq for seq in changed if file["first"] <= seq <= file["last"]]
            if inside and file["kind"] == "small":
                self._write_from_truth(stream, file["kind"], file["name"], file["first"], file["last"])
            elif inside:
                self._change_large(stream, file["name"], inside)
        with self.store.read() as db:
            self.store.publisher.remove_from_tails(db, stream, revs)

    def _change_large(self, stream: Stream, name: str, changed: list[int]) -> None:
        """Exchange rows of a large file, whose other rows are quicker read from itself."""
        path = self._folder / stream.name / "large" / name
        self._scratch.mkdir(exist_ok=True)
        rows = self._scratch / "changed.jsonl"
        with self.store.read() as db:
            rows.write_bytes(joined(rows_of(db, stream, changed)))
        others = f"SELECT * FROM read_parquet({source(path)}) WHERE seq NOT IN ({', '.join(map(str, changed))})"
        self._write_parquet(f"{others} UNION ALL BY NAME {from_lines(stream, rows)} ORDER BY seq", path)
        rows.unlink()

    def _move_marks(self, stream: Stream) -> timedelta | None:
        """Count the files that are in place for long enough; how long until the next is."""
        with self.store.write() as t:
            state = t.db.execute("SELECT * FROM publication WHERE stream = ?", (stream.name,)).fetchone()
            marks: dict[str, int] = {}
            waits = []
            for kind in ("small", "large"):
                mark = state[f"{kind}_mark"]
                for file in t.db.execute(
                    "SELECT * FROM files WHERE stream = ? AND kind = ? AND last > ? ORDER BY first",
                    (stream.name, kind, mark),
                ).fetchall():
                    if file["written_at"] is None or file["first"] > mark + 1:
                        break
                    wait = self._left(file["written_at"], self.pace.mark_after, t.now)
                    if wait > timedelta(0):
                        waits.append(wait)
                        break
                    mark = file["last"]
                marks[kind] = mark
            t.db.execute(
                "UPDATE publication SET small_mark = ?, large_mark = ? WHERE stream = ?",
                (marks["small"], marks["large"], stream.name),
            )
            for kind, mark in (("tail", marks["small"]), ("small", marks["large"])):
                t.db.execute(
                    "UPDATE files SET retired_at = ?"
                    " WHERE stream = ? AND kind = ? AND last <= ? AND retired_at IS NULL",
                    (stamp(t.now), stream.name, kind, mark),
                )
        with self.store.read() as db:
            self.store.publisher.write_mark(db, stream.name)
        return min(waits, default=None)

    def _left(self, since: str, delay: timedelta, now: datetime) -> timedelta:
        return min(datetime.fromisoformat(since) + delay - now, delay)

    def _merge(self, stream: Stream) -> bool:
        """Write many small files as one large; whether there were enough."""
        with self.store.write() as t:
            large_end = t.db.execute(
                "SELECT coalesce(max(last), 0) FROM files WHERE stream = ? AND kind = 'large'", (stream.name,)
            ).fetchone()[0]
            mark = t.db.execute("SELECT small_mark FROM publication WHERE stream = ?", (stream.name,)).fetchone()[0]
            last = large_end + self.pace.merge_rows
            small = t.db.execute(
                "SELECT * FROM files WHERE stream = ? AND kind = 'small' AND first > ? AND last <= ? ORDER BY first",
                (stream.name, large_end, last),
            ).fetchall()
            if mark < last or not small:
                return False
            name = plan(t.db, stream.name, "large", large_end + 1, small[-1]["last"])
        folder = self._folder / stream.name
        paths = ", ".join(source(folder / "small" / file["name"]) for file in small)
        self._write_parquet(f"SELECT * FROM {read_segments(f'[{paths}]')}", folder / "large" / name)
        self._note_written(stream.name, "large", name)
        return True

    def _empty_retired(self) -> None:
        """Empty the files that no query counts any more, and free their names."""
        with self.store.read() as db:
            retired = db.execute("SELECT * FROM files WHERE retired_at IS NOT NULL").fetchall()
        for file in retired:
            if self._left(file["retired_at"], self.pace.empty_after, self.store.clock()) > timedelta(0):
                continue
            path = self._folder / file["stream"] / file["kind"] / file["name"]
            if file["kind"] == "tail":
                replace_file(path, b"")
            else:
                self._write_parquet(placeholder(STREAMS[file["stream"]]), path)
            with self.store.write() as t:
                t.db.execute(
                    "DELETE FROM files WHERE stream = ? AND kind = ? AND name = ?",
                    (file["stream"], file["kind"], file["name"]),
                )


def _is_unfinished(db: sqlite3.Connection, state: sqlite3.Row) -> bool:
    """Whether a file is not written or not counted yet."""
    query = (
        "SELECT 1 FROM files WHERE stream = ? AND retired_at IS NULL AND (kind = 'small' AND last > ?"
        " OR kind = 'large' AND last > ? OR kind <> 'tail' AND written_at IS NULL)"
    )
    return db.execute(query, (state["stream"], state["small_mark"], state["large_mark"])).fetchone() is not None
