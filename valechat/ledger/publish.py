"""The published copy, written under the ledger's lock: JSON-lines tails, and snapshots of small tables.

The SQLite file is the truth. Each transaction notes where its lines will end before it commits and writes
them after, so that the next writer sees by the size of a file that its predecessor died in between, cuts
the torn line and writes the missing ones. A tail that fits nothing that is known is written anew.

    published/<stream>/tail/*.jsonl     the newest rows, a changed one once more with a greater `rev`
    published/<stream>/small/*.parquet  see `segments`
    published/<stream>/large/*.parquet
    published/<stream>/mark.json        up to which `seq` the Parquet files count
    published/limits.jsonl  published/prices.jsonl
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from valechat.ledger.pace import Pace
from valechat.ledger.snapshots import limits_snapshot, prices_snapshot
from valechat.ledger.streams import STREAMS, Stream
from valechat.ledger.transaction import Transaction

__all__ = ["Prepared", "Publisher", "free_name", "joined", "newest_seq", "plan", "replace_file", "rows_of"]


def replace_file(path: Path, content: bytes, *, sync: bool = False) -> None:
    """Put a file in place as a whole: a reader sees the old or the new one."""
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        file.write(content)
        if sync:
            file.flush()
            os.fsync(file.fileno())
    new.replace(path)


@dataclass(slots=True)
class Prepared:
    """What is written once the transaction has been committed.

    `dirty` says that published files hold rows that changed or went; `unsealed` is how many rows the
    longest tail touched has.
    """

    dirty: bool = False
    unsealed: int = 0
    appends: list[tuple[Path, int, bytes]] = field(default_factory=list)
    snapshots: list[tuple[Path, bytes]] = field(default_factory=list)


class Publisher:
    """Keeps the tails and snapshots equal to the SQLite file. All methods need the ledger's lock."""

    def __init__(self, folder: Path, pace: Pace) -> None:
        self.folder = folder
        self._pace = pace

    def tail(self, stream: str, name: str) -> Path:
        """The path of a tail file."""
        return self.folder / stream / "tail" / name

    def mark(self, stream: str) -> Path:
        """The path of the watermark."""
        return self.folder / stream / "mark.json"

    def opened(self, db: sqlite3.Connection) -> None:
        """Make what is missing, and check what a power failure may have left of the tails."""
        self._make_room(db)
        states = db.execute("SELECT * FROM publication").fetchall()
        if any(state["sealed"] < 0 or self._is_behind(state) for state in states):
            db.execute("BEGIN IMMEDIATE")
            try:
                self.restart(db)
                db.execute("COMMIT")
            except BaseException:
                db.execute("ROLLBACK")
                raise
        for stream in STREAMS.values():
            state = db.execute("SELECT * FROM publication WHERE stream = ?", (stream.name,)).fetchone()
            if state["tail_end"] == 0:
                self.tail(stream.name, state["tail"]).touch()
            if not self._tails_are_whole(db, state):
                self.rebuild_tail(db, stream)
        self.refresh(db)

    def restart(self, db: sqlite3.Connection) -> None:
        """Begin to publish everything anew, in a transaction: nothing that lies in the folder counts.

        The files planned here count at once; until they are written queries see less.
        """
        self._make_room(db)
        db.execute("DELETE FROM files")
        db.execute("DELETE FROM dirty")
        for stream in STREAMS.values():
            for kind in ("small", "large"):
                for old in (self.folder / stream.name / kind).glob("[0-9]*.parquet"):
                    old.unlink()
            marks = {"small": 0, "large": 0}
            for kind, first, last in self._pace.files(newest_seq(db, stream.name)):
                plan(db, stream.name, kind, first, last)
                marks[kind] = last
            counted = max(marks.values())
            db.execute(
                "UPDATE publication SET sealed = ?, small_mark = ?, large_mark = ? WHERE stream = ?",
                (counted, counted, marks["large"], stream.name),
            )
            self.rebuild_tail(db, stream)

    def refresh(self, db: sqlite3.Connection) -> None:
        """Make everything published complete, whatever happened since the last look."""
        for name in STREAMS:
            self._note_missing_segments(db, name)
            self.write_mark(db, name)
        self.heal(db)
        for path, content in self._snapshots(db, limits=True, prices=True):
            if not path.exists() or path.read_bytes() != content:
                replace_file(path, content)

    def heal(self, db: sqlite3.Connection) -> None:
        """Publish what a writer that died had committed but not published."""
        for state in db.execute("SELECT * FROM publication").fetchall():
            path = self.tail(state["stream"], state["tail"])
            try:
                size = path.stat().st_size
            except FileNotFoundError:
                size = -1
            if size == state["tail_end"] >= 0:
                continue
            stream = STREAMS[state["stream"]]
            if not 0 <= state["tail_start"] <= size < state["tail_end"]:
                self.rebuild_tail(db, stream)
                continue
            content = joined(rows_of(db, stream, json.loads(state["pending"])))
            with path.open("r+b") as file:
                file.truncate(state["tail_start"])
                file.seek(state["tail_start"])
                file.write(content)
            end = state["tail_start"] + len(content)
            if end != state["tail_end"]:
                db.execute("UPDATE publication SET tail_end = ? WHERE stream = ?", (end, stream.name))

    def prepare(self, t: Transaction) -> Prepared:
        """Note in the transaction what will be written after it."""
        prepared = Prepared()
        for name, changed in t.changed.items():
            stream = STREAMS[name]
            state = t.db.execute("SELECT * FROM publication WHERE stream = ?", (name,)).fetchone()
            rows = rows_of(t.db, stream, [seq for seq in dict.fromkeys(changed) if seq > state["small_mark"]])
            kept = {row["seq"] for row in rows}
            dirty = [
                (name, seq) for seq in changed if seq <= state["sealed"] or seq not in kept or (name, seq) in t.erased
            ]
            if dirty:
                t.db.executemany("INSERT INTO dirty (stream, seq) VALUES (?, ?)", dirty)
                prepared.dirty = True
            prepared.unsealed = max(prepared.unsealed, max(changed) - state["sealed"])
            if rows:
                content = joined(rows)
                start = state["tail_end"]
                t.db.execute(
                    "UPDATE publication SET tail_start = ?, tail_end = ?, pending = ? WHERE stream = ?",
                    (start, start + len(content), json.dumps([row["seq"] for row in rows]), name),
                )
                prepared.appends.append((self.tail(name, state["tail"]), start, content))
        prepared.snapshots = self._snapshots(t.db, limits=t.limits, prices=t.prices)
        return prepared

    def publish(self, prepared: Prepared) -> None:
        """Write what was prepared. What fails here is done by the next writer: the truth is stored."""
        with suppress(OSError):
            for path, start, content in prepared.appends:
                with path.open("r+b", buffering=0) as file:
                    file.seek(start)
                    file.write(content)
            for path, snapshot in prepared.snapshots:
                replace_file(path, snapshot)

    def rebuild_tail(self, db: sqlite3.Connection, stream: Stream) -> None:
        """Write the tail anew from the truth: all rows the Parquet files do not count yet."""
        state = db.execute("SELECT * FROM publication WHERE stream = ?", (stream.name,)).fetchone()
        self._void_tail(db, stream.name)
        rows = db.execute(
            f"SELECT {stream.select} FROM {stream.name} WHERE seq > ? ORDER BY seq", (state["small_mark"],)
        )
        content = joined(rows)
        current = self.tail(stream.name, state["tail"])
        current.parent.mkdir(parents=True, exist_ok=True)
        db.execute("DELETE FROM files WHERE stream = ? AND kind = 'tail'", (stream.name,))
        for old in current.parent.glob("*.jsonl"):
            if old != current:
                replace_file(old, b"")
        replace_file(current, content)
        self._note_tail(db, stream.name, len(content))

    def remove_from_tails(self, db: sqlite3.Connection, stream: Stream, changed: Mapping[int, int | None]) -> None:
        """Take lines out of the tails: of rows that are gone, and what others were before their `rev` of now."""
        self.heal(db)
        state = db.execute("SELECT * FROM publication WHERE stream = ?", (stream.name,)).fetchone()
        current = self.tail(stream.name, state["tail"])
        for tail in current.parent.glob("*.jsonl"):
            content = tail.read_bytes()
            kept = b"".join(line for line in content.splitlines(keepends=True) if _counts(line, changed))
            if len(kept) == len(content):
                continue
            if tail == current:
                self._void_tail(db, stream.name)
                replace_file(tail, kept)
                self._note_tail(db, stream.name, len(kept))
            else:
                db.execute(
                    "UPDATE files SET size = ? WHERE stream = ? AND kind = 'tail' AND name = ?",
                    (len(kept), stream.name, tail.name),
                )
                replace_file(tail, kept)

    def rotate_tail(self, t: Transaction, stream: str, last: int) -> None:
        """Start a new tail; the present one, whose newest row is `last`, is kept beside it."""
        state = t.db.execute("SELECT * FROM publication WHERE stream = ?", (stream,)).fetchone()
        if state["tail_end"] == 0:
            return
        t.db.execute(
            "INSERT INTO files (stream, kind, name, first, last, size) VALUES (?, 'tail', ?, 0, ?, ?)",
            (stream, state["tail"], last, state["tail_end"]),
        )
        tail = free_name(t.db, stream, "tail", ".jsonl")
        replace_file(self.tail(stream, tail), b"")
        t.db.execute(
            "UPDATE publication SET tail = ?, tail_start = 0, tail_end = 0, pending = '[]' WHERE stream = ?",
            (tail, stream),
        )

    def _tails_are_whole(self, db: sqlite3.Connection, state: sqlite3.Row) -> bool:
        current = self.tail(state["stream"], state["tail"])
        # A present tail of another size than noted is for `heal`.
        if current.exists() and current.stat().st_size == state["tail_end"] and not _is_whole(current):
            return False
        for name, size in db.execute(
            "SELECT name, size FROM files WHERE stream = ? AND kind = 'tail' AND retired_at IS NULL", (state["stream"],)
        ).fetchall():
            tail = self.tail(state["stream"], name)
            if not tail.exists() or tail.stat().st_size != size or not _is_whole(tail):
                return False
        return True

    def _make_room(self, db: sqlite3.Connection) -> None:
        for name in STREAMS:
            for part in ("tail", "small", "large"):
                (self.folder / name / part).mkdir(parents=True, exist_ok=True)
            db.execute(
                "INSERT OR IGNORE INTO publication (stream, tail, tail_start, tail_end, pending)"
                " VALUES (?, '0000.jsonl', 0, 0, '[]')",
                (name,),
            )

    def _is_behind(self, state: sqlite3.Row) -> bool:
        """Whether files are published that the truth does not know yet: an older copy was put in its place."""
        try:
            published = json.loads(self.mark(state["stream"]).read_bytes())
        except (FileNotFoundError, ValueError):
            return False
        return bool(published["small"] > state["small_mark"] or published["large"] > state["large_mark"])

    def _void_tail(self, db: sqlite3.Connection, stream: str) -> None:
        """Forget the tail's size while it is replaced; a crash in between has it written anew."""
        db.execute("UPDATE publication SET tail_start = -1, tail_end = -1, pending = '[]' WHERE stream = ?", (stream,))

    def _note_tail(self, db: sqlite3.Connection, stream: str, size: int) -> None:
        db.execute("UPDATE publication SET tail_start = ?, tail_end = ? WHERE stream = ?", (size, size, stream))

    def write_mark(self, db: sqlite3.Connection, stream: str) -> None:
        """Make the watermark file say what the truth says."""
        small, large = db.execute(
            "SELECT small_mark, large_mark FROM publication WHERE stream = ?", (stream,)
        ).fetchone()
        content = json.dumps({"small": small, "large": large}).encode() + b"\n"
        path = self.mark(stream)
        if not path.exists() or path.read_bytes() != content:
            replace_file(path, content, sync=True)

    def _snapshots(self, db: sqlite3.Connection, *, limits: bool, prices: bool) -> list[tuple[Path, bytes]]:
        snapshots = []
        if limits:
            snapshots.append((self.folder / "limits.jsonl", limits_snapshot(db)))
        if prices:
            snapshots.append((self.folder / "prices.jsonl", prices_snapshot(db)))
        return snapshots

    def _note_missing_segments(self, db: sqlite3.Connection, stream: str) -> None:
        for kind, name in db.execute(
            "SELECT kind, name FROM files WHERE stream = ? AND kind <> 'tail' AND written_at IS NOT NULL"
            " AND retired_at IS NULL",
            (stream,),
        ).fetchall():
            if not (self.folder / stream / kind / name).exists():
                db.execute(
                    "UPDATE files SET written_at = NULL WHERE stream = ? AND kind = ? AND name = ?",
                    (stream, kind, name),
                )


def free_name(db: sqlite3.Connection, stream: str, kind: str, suffix: str) -> str:
    """The first name no file of that kind has. Names are used again, because no file is ever taken away."""
    taken = {row[0] for row in db.execute("SELECT name FROM files WHERE stream = ? AND kind = ?", (stream, kind))}
    return next(name for n in count() if (name := f"{n:04d}{suffix}") not in taken)


def plan(db: sqlite3.Connection, stream: str, kind: str, first: int, last: int) -> str:
    """Note a Parquet file that is to be written; its name."""
    name = free_name(db, stream, kind, ".parquet")
    db.execute(
        "INSERT INTO files (stream, kind, name, first, last) VALUES (?, ?, ?, ?, ?)",
        (stream, kind, name, first, last),
    )
    return name


def newest_seq(db: sqlite3.Connection, stream: str) -> int:
    """The number of a stream's newest row; 0 when there is none."""
    return int(db.execute(f"SELECT coalesce(max(seq), 0) FROM {stream}").fetchone()[0])


def joined(rows: Iterable[sqlite3.Row]) -> bytes:
    """The lines of rows."""
    return b"".join(row["line"] for row in rows)


def rows_of(db: sqlite3.Connection, stream: Stream, seqs: Sequence[int]) -> list[sqlite3.Row]:
    """The rows of a stream that still exist among these: `seq` and `line`."""
    query = f"SELECT {stream.select} FROM {stream.name} WHERE seq = ?"
    found = (db.execute(query, (seq,)).fetchone() for seq in seqs)
    return [row for row in found if row is not None]


def _counts(line: bytes, changed: Mapping[int, int | None]) -> bool:
    row = json.loads(line)
    if row["seq"] not in changed:
        return True
    rev = changed[row["seq"]]
    return rev is not None and row["rev"] >= rev


def _is_whole(tail: Path) -> bool:
    """Whether a tail ends with a line's end and has no holes, as a power failure leaves them."""
    content = tail.read_bytes()
    return (not content or content.endswith(b"\n")) and b"\0" not in content
