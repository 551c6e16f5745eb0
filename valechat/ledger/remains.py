"""What is left of a ledger's rows: in the pages of its SQLite file, and in the files it published.

A page tells no table's name; a row is known by how many columns it has, of which kinds, and by its times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from valechat.ledger import pages
from valechat.ledger.rows import json_text
from valechat.ledger.streams import STREAMS, Stream
from valechat.ledger.views import source

if TYPE_CHECKING:
    import duckdb

__all__ = ["Found", "Remains", "Table", "from_pages", "from_published"]

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_AMOUNT = re.compile(r"\d{1,18}(\.\d{1,40})?")
_COUNTED = re.compile(r"(all|model:.+|conversation:.+|job:.+)", re.DOTALL)
_FIRST_COLUMNS = {"usage": 29, "conversations": 8, "messages": 12}
"""How many columns a table had before the first was added; the others never got one."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows can be known again: its columns, which are whole numbers, and which may be missing."""

    name: str
    columns: tuple[str, ...]
    numbers: frozenset[str]
    optional: frozenset[str]

    def row(self, found: pages.Row) -> dict[str, Any] | None:
        """The row as columns, or None where it is no row of this table."""
        values = found.values
        least = _FIRST_COLUMNS.get(self.name, len(self.columns))
        if found.rowid is None or found.rowid < 1 or not least <= len(values) <= len(self.columns) or values[0]:
            return None
        row = {**dict.fromkeys(self.columns), **dict(zip(self.columns, values, strict=False)), "seq": found.rowid}
        return row if all(self._fits(name, value) for name, value in row.items()) else None

    def _fits(self, name: str, value: Any) -> bool:
        if value is None:
            return name in self.optional
        if name in self.numbers:
            return isinstance(value, int)
        if not isinstance(value, str):
            return False
        if name == "ts" or name.endswith("_at"):
            return _TIME.match(value) is not None
        if name in ("cost", "total_cost"):
            return _AMOUNT.fullmatch(value) is not None
        return name not in ("details", "unit_prices", "body", "tags") or _is_json(value)


@dataclass(frozen=True, slots=True)
class Found:
    """A row of a table, by column; `rev` is -1 where the source does not keep it."""

    table: str
    row: Mapping[str, Any]


@dataclass(slots=True)
class Remains:
    """What was met besides rows.

    Attributes:
        torn: Rows of which only a part is there.
        unreadable: Published files that cannot be read.
        counters: What buckets say was used, by scope and period.
        deleted: Conversations that were deleted.
        newest: The highest `seq` a table is known to have given.
        without_media: Messages that are there without their images and documents.
    """

    torn: int = 0
    unreadable: list[Path] = field(default_factory=list)
    counters: list[tuple[str, str, str]] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    newest: dict[str, int] = field(default_factory=dict)
    without_media: set[str] = field(default_factory=set)


def from_pages(path: Path, tables: Mapping[str, Table], remains: Remains) -> Iterator[Found]:
    """The rows that the sound pages of a SQLite file hold."""
    for found in pages.rows(path):
        if found is None:
            remains.torn += 1
        elif found.rowid is None:
            _note_entry(found.values, remains)
        elif len(found.values) == 2:
            name, newest = found.values
            if isinstance(name, str) and name in tables and isinstance(newest, int):
                remains.newest[name] = max(newest, remains.newest.get(name, 0))
        else:
            for name, table in tables.items():
                if (row := table.row(found)) is not None:
                    yield Found(name, row)
                    break


def _note_entry(values: Any, remains: Remains) -> None:
    """Note what a table without row ids says: `buckets` and `deleted_conversations`."""
    if len(values) == 1 and isinstance(values[0], str):
        remains.deleted.add(values[0])
    elif len(values) == 4 and all(isinstance(value, str) for value in values):
        scope, period, used, held = values
        if _COUNTED.fullmatch(scope) and _AMOUNT.fullmatch(used) and _AMOUNT.fullmatch(held):
            remains.counters.append((scope, period, used))


def from_published(folder: Path, tables: Mapping[str, Table], remains: Remains) -> Iterator[Found]:
    """The rows that published files hold, the newest version of each first; files that are over included."""
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name in tables:
            root = folder / name
            lines = [line for path in sorted((root / "tail").glob("*.jsonl")) for line in _lines(path, remains)]
            for line in sorted(lines, key=lambda line: -line["rev"]):
                yield _published(STREAMS[name], line, remains)
            for level in ("small", "large"):
                for path in sorted((root / level).glob("*.parquet")):
                    try:
                        for row in _parquet(connection, STREAMS[name], path):
                            yield _published(STREAMS[name], row, remains)
                    except duckdb.Error:
                        remains.unreadable.append(path)


def _lines(path: Path, remains: Remains) -> Iterator[dict[str, Any]]:
    for line in path.read_bytes().splitlines():
        try:
            row = orjson.loads(line)
        except ValueError:
            remains.torn += 1
            continue
        if isinstance(row, dict) and isinstance(row.get("seq"), int) and isinstance(row.get("rev"), int):
            yield row


def _parquet(connection: duckdb.DuckDBPyConnection, stream: Stream, path: Path) -> Iterator[dict[str, Any]]:
    there = {row[0] for row in connection.execute(f"DESCRIBE FROM read_parquet({source(path)})").fetchall()}
    names = [name for name in stream.columns if name in there]
    texts = ", ".join(_text(name, stream.columns[name]) for name in names)
    connection.execute(f"SELECT seq, {texts} FROM read_parquet({source(path)})")
    while chunk := connection.fetchmany(5_000):
        for seq, *values in chunk:
            yield {"seq": seq, "rev": -1, **dict(zip(names, values, strict=True))}


def _text(name: str, kind: str) -> str:
    if kind == "BIGINT":
        return name
    if kind == "BOOLEAN":
        return f"CAST({name} AS INTEGER)"
    if kind == "TIMESTAMPTZ":
        return f"strftime({name} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%f+00:00')"
    text = f"CAST({name} AS VARCHAR)"
    return f"regexp_replace({text}, '\\.?0+$', '')" if kind.startswith("DECIMAL") else text


def _published(stream: Stream, line: Mapping[str, Any], remains: Remains) -> Found:
    """A published row as it was in the SQLite file."""
    row: dict[str, Any] = {"seq": line["seq"], "rev": line["rev"]}
    for name, kind in stream.columns.items():
        value = line.get(name)
        if kind == "JSON" and value is not None and name != "parts" and not isinstance(value, str):
            value = json_text(value)
        row[stream.sources.get(name, name)] = value
    if stream.name == "messages":
        parts = line["parts"]
        restored = _whole(orjson.loads(parts) if isinstance(parts, str) else parts, line["content"] or "")
        if restored is not parts and restored != parts:
            remains.without_media.add(line["id"])
        row["body"] = json_text({"role": line["role"], "parts": restored})
    if stream.name == "conversations":
        row["total_cost"] = None
    return Found(stream.name, row)


def _whole(parts: list[Any], content: str) -> list[Any]:
    """Parts of which each can be read: instead of media that were not published, what they were."""
    if any(set(part) == {"kind"} for part in parts):
        return [{"kind": "text", "text": content}]
    return [_said(part) for part in parts]


def _said(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    if part.get("kind") in ("image", "file") and "data" not in part:
        what = part.get("name") or part.get("media_type") or "a file"
        return {"kind": "text", "text": f"[{what}, {part.get('bytes', 0)} bytes: lost]"}
    if isinstance(part.get("images"), list):
        return {**part, "images": [image for image in part["images"] if "data" in image]}
    return part


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except ValueError:
        # More than orjson reads, such as integers over 64 bits, may be stored; a piece of garbage does not look so.
        return text[:1] in "{[" and text[-1:] in "}]"
    return True
