"""A damaged ledger, recovered as far as it can be.

Three copies are read: the sound pages of the SQLite file, the published files, which hold requests, tool
calls and messages independently of it, and backups where there are any. The better of two versions of a row
is taken, the limits' counters are added up anew, and what was lost is counted.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import orjson

from valechat.filelock import locked
from valechat.ledger.backup import exchange
from valechat.ledger.faults import translated
from valechat.ledger.pace import Pace
from valechat.ledger.publish import newest_seq
from valechat.ledger.remains import Found, Remains, Table, from_pages, from_published
from valechat.ledger.store import LEDGER_FILE, LOCK_FILE, Store
from valechat.ledger.streams import STREAMS
from valechat.money import add

__all__ = ["Salvaged", "Saved", "report", "salvage"]

_IDENTITY = {"usage": "request_id", "key_access": "seq"}


@dataclass(frozen=True, slots=True)
class Saved:
    """How a table came through.

    Attributes:
        table: Its name.
        rows: How many rows were saved.
        published: How many of them only published files had.
        backup: How many only a backup had.
        lost: How many are known to be lost; None where rows may as well have been deleted.
    """

    table: str
    rows: int
    published: int
    backup: int
    lost: int | None


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was saved of a ledger, and what was not.

    Attributes:
        tables: Each table that holds what cannot be made anew.
        torn: Rows met of which only a part was there; another copy may have had them.
        unreadable: Published files that could not be read.
        without_media: Messages saved without their images and documents.
        kept: Where the damaged file is kept; None where there was none.
    """

    tables: tuple[Saved, ...]
    torn: int
    unreadable: tuple[Path, ...]
    without_media: int
    kept: Path | None = None


def report(salvaged: Salvaged) -> list[str]:
    """What was saved and what was lost, a sentence each."""
    lines = []
    for saved in salvaged.tables:
        if not saved.rows and not saved.lost:
            continue
        name = saved.table.replace("_", " ")
        origins = [(saved.published, "from the published files"), (saved.backup, "from backups")]
        also = ", ".join(f"{count:,} of them only {origin}" for count, origin in origins if count)
        lost = f"; {saved.lost:,} are lost" if saved.lost else ""
        lines.append(f"{saved.rows:,} rows of {name} are saved{f' ({also})' if also else ''}{lost}.")
    if salvaged.without_media:
        lines.append(f"{salvaged.without_media:,} messages lack their images and documents.")
    lines += [f"{path} cannot be read." for path in salvaged.unreadable]
    if salvaged.kept is not None:
        lines.append(f"The damaged file is kept as {salvaged.kept}.")
    return lines


def salvage(
    folder: Path, backups: Sequence[Path], now: datetime, pace: Pace, model_scope: Callable[[str], str]
) -> Salvaged:
    """Put what is left of a ledger in its place, under its lock; the damaged file is kept beside it.

    Args:
        folder: The ledger's.
        backups: SQLite files of it, sound or not, the best first.
        now: The moment, for the name of the damaged file.
        pace: How the new one publishes.
        model_scope: The bucket that `provider/model` counts in.
    """
    scratch = folder / "salvage.tmp"
    with translated(folder / LEDGER_FILE), locked(folder / LOCK_FILE):
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            store = Store(scratch, lambda: now, pace)
            with store.write() as t:
                found = _recover(folder, backups, t.db, scratch, model_scope)
            store.close()
            kept = exchange(scratch / LEDGER_FILE, folder, folder / f"ledger-damaged-{now:%Y%m%d-%H%M%S-%f}.sqlite3")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return replace(found, kept=kept)


def _recover(
    folder: Path,
    backups: Sequence[Path],
    target: sqlite3.Connection,
    scratch: Path,
    model_scope: Callable[[str], str],
) -> Salvaged:
    """Fill an empty ledger with what is left of one in a folder, where nothing is changed."""
    tables = {name: _table(target, name) for name in STREAMS}
    remains = Remains()
    saved = {origin: Counter[str]() for origin in ("file", "published", "backup")}
    path = _rolled_back(folder / LEDGER_FILE, scratch)
    if path is not None:
        _put(target, from_pages(path, tables, remains), saved["file"])
    _put(target, from_published(folder / "published", tables, remains), saved["published"])
    newest = {name: max(remains.newest.get(name, 0), newest_seq(target, name)) for name in tables}
    for backup in backups:
        _put(target, from_pages(backup, tables, remains), saved["backup"], renumber=True)
    _delete_again(target, remains.deleted)
    _add_heads(target)
    _count_anew(target, [*remains.counters, *_published_counters(folder)], model_scope)
    counts = {name: target.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
    return Salvaged(
        tuple(
            Saved(
                name,
                count,
                saved["published"][name],
                saved["backup"][name],
                None if name in ("conversations", "messages") else max(newest[name] - count, 0),
            )
            for name, count in counts.items()
        ),
        remains.torn,
        tuple(remains.unreadable),
        _without_media(target, remains.without_media),
    )


def _table(db: sqlite3.Connection, name: str) -> Table:
    columns = db.execute(f"PRAGMA table_info({name})").fetchall()
    return Table(
        name,
        tuple(column["name"] for column in columns),
        frozenset(column["name"] for column in columns if column["type"] == "INTEGER"),
        frozenset(column["name"] for column in columns if not column["notnull"]),
    )


def _rolled_back(path: Path, scratch: Path) -> Path | None:
    """The file to read: a copy where a transaction was cut short, which SQLite takes back if it can."""
    if not path.exists():
        return None
    journal = path.with_name(path.name + "-journal")
    if not journal.exists() or journal.stat().st_size == 0:
        return path
    copy = scratch / "damaged.sqlite3"
    shutil.copyfile(path, copy)
    shutil.copyfile(journal, copy.with_name(copy.name + "-journal"))
    db = sqlite3.connect(copy)
    try:
        with suppress(sqlite3.DatabaseError):
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    finally:
        db.close()
    return copy


def _put(db: sqlite3.Connection, found: Iterable[Found], added: Counter[str], *, renumber: bool = False) -> None:
    """Add the rows that are not there yet, and take newer versions of those that are."""
    for one in found:
        row = dict(one.row)
        identity = _IDENTITY.get(one.table, "id")
        rev = row["rev"]
        row["rev"] = max(rev, 0)
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        insert = f"INSERT OR IGNORE INTO {one.table} ({names}) VALUES ({values})"
        if db.execute(insert, row).rowcount:
            added[one.table] += 1
            continue
        known = db.execute(f"SELECT rev FROM {one.table} WHERE {identity} = :{identity}", row).fetchone()
        if known is None and renumber:
            db.execute(insert, {**row, "seq": None})
            added[one.table] += 1
        elif known is not None and rev > known["rev"]:
            changes = ", ".join(f"{name} = :{name}" for name in row if name not in ("seq", identity))
            db.execute(f"UPDATE {one.table} SET {changes} WHERE {identity} = :{identity}", row)


def _delete_again(db: sqlite3.Connection, deleted: Iterable[str]) -> None:
    for conversation_id in deleted:
        db.execute("INSERT OR IGNORE INTO deleted_conversations (id) VALUES (?)", (conversation_id,))
    for table, column in (("messages", "conversation_id"), ("conversations", "id")):
        db.execute(f"DELETE FROM {table} WHERE {column} IN (SELECT id FROM deleted_conversations)")


def _add_heads(db: sqlite3.Connection) -> None:
    """Give messages whose conversation's head is lost a new one, and each head its cost."""
    db.execute(
        "INSERT INTO conversations (id, title, created_at, updated_at, model)"
        " SELECT conversation_id, '', min(ts), max(ts), coalesce(max(model), '') FROM messages"
        " WHERE conversation_id NOT IN (SELECT id FROM conversations) GROUP BY conversation_id"
    )
    totals: dict[str, Decimal] = {}
    query = "SELECT conversation_id, cost FROM usage WHERE conversation_id IS NOT NULL AND cost IS NOT NULL"
    for row in db.execute(query):
        totals[row[0]] = add(totals.get(row[0], Decimal(0)), Decimal(row[1]))
    db.executemany(
        "UPDATE conversations SET total_cost = ? WHERE id = ?",
        ((format(sum_, "f"), id_) for id_, sum_ in totals.items()),
    )


def _count_anew(
    db: sqlite3.Connection, counters: Iterable[tuple[str, str, str]], model_scope: Callable[[str], str]
) -> None:
    """Add up what was used; where a counter says more, it stands: its request's row is lost."""
    used: dict[tuple[str, str], Decimal] = {}

    def count(scope: str, period: str, cost: Decimal) -> None:
        used[scope, period] = add(used.get((scope, period), Decimal(0)), cost)

    for row in db.execute("SELECT * FROM usage WHERE cost IS NOT NULL"):
        cost = Decimal(row["cost"])
        for scope in ("all", model_scope(f"{row['provider']}/{row['model']}")):
            count(scope, row["day"], cost)
            count(scope, row["billing_period"], cost)
        if row["conversation_id"] is not None:
            count(f"conversation:{row['conversation_id']}", "", cost)
    for scope, period, said in counters:
        used[scope, period] = max(Decimal(said), used.get((scope, period), Decimal(0)))
    db.executemany(
        "INSERT INTO buckets (scope, period, used) VALUES (?, ?, ?)",
        ((scope, period, format(sum_, "f")) for (scope, period), sum_ in used.items() if sum_),
    )


def _published_counters(folder: Path) -> Iterator[tuple[str, str, str]]:
    with suppress(OSError, ValueError, KeyError):
        for line in (folder / "published" / "limits.jsonl").read_bytes().splitlines():
            limit = orjson.loads(line)
            if not limit["scope"].startswith("rate:"):
                yield limit["scope"], limit["period"], limit["used"]


def _without_media(db: sqlite3.Connection, ids: Iterable[str]) -> int:
    """How many of these messages are only there as they were published."""
    query = "SELECT 1 FROM messages WHERE id = ? AND body LIKE '%bytes: lost]%'"
    return sum(db.execute(query, (id_,)).fetchone() is not None for id_ in ids)
