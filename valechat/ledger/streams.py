"""What is published for SQL: which rows of the SQLite file, under which names and DuckDB types.

A row of a stream is known by its `seq`, which never changes and is never given twice, and its `rev`,
which grows when the row changes. In the JSON lines everything but whole numbers and JSON is a string:
JSON numbers reach a DECIMAL through a double, and a column that does not fit would silently be NULL.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

__all__ = ["LARGEST_TEXT", "MONEY", "STREAMS", "Stream", "lines"]

MONEY = "DECIMAL(38,20)"
LARGEST_TEXT = 1_000_000
"""Characters of one text that are published. DuckDB reads no JSON line over 16 MB, and escaping takes up to
six bytes a character; the SQLite file holds everything."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A published table.

    Attributes:
        name: The table in SQLite and the folder under `published`.
        columns: Published names and DuckDB types, `seq` and `rev` left out.
        sources: Columns that have another name in SQLite.
    """

    name: str
    columns: Mapping[str, str]
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def select(self) -> str:
        """The columns, for SQLite."""
        return ", ".join(["seq", "rev", *(f"{self.sources.get(c, c)} AS {c}" for c in self.columns)])


STREAMS: Mapping[str, Stream] = {
    stream.name: stream
    for stream in (
        Stream(
            "usage",
            {
                "request_id": "VARCHAR",
                "ts": "TIMESTAMPTZ",
                "day": "DATE",
                "billing_period": "VARCHAR",
                "provider": "VARCHAR",
                "model": "VARCHAR",
                "kind": "VARCHAR",
                "conversation_id": "VARCHAR",
                "message_id": "VARCHAR",
                "input_tokens": "BIGINT",
                "output_tokens": "BIGINT",
                "cache_read_tokens": "BIGINT",
                "cache_write_tokens": "BIGINT",
                "reasoning_tokens": "BIGINT",
                "details": "JSON",
                "cost": MONEY,
                "cost_source": "VARCHAR",
                "status": "VARCHAR",
                "error": "VARCHAR",
                "first_token_ms": "BIGINT",
                "duration_ms": "BIGINT",
                "unit_prices": "JSON",
                "verification": "VARCHAR",
                "verification_reason": "VARCHAR",
                "counted_input_tokens": "BIGINT",
                "counted_output_tokens": "BIGINT",
                "discrepancy_percent": "DECIMAL(18,4)",
                "plugin": "VARCHAR",
            },
        ),
        Stream(
            "conversations",
            {
                "id": "VARCHAR",
                "title": "VARCHAR",
                "created_at": "TIMESTAMPTZ",
                "changed_at": "TIMESTAMPTZ",
                "model": "VARCHAR",
            },
            {"changed_at": "updated_at"},
        ),
        Stream(
            "messages",
            {
                "id": "VARCHAR",
                "conversation_id": "VARCHAR",
                "parent_id": "VARCHAR",
                "role": "VARCHAR",
                "content": "VARCHAR",
                "parts": "JSON",
                "ts": "TIMESTAMPTZ",
                "model": "VARCHAR",
                "request_id": "VARCHAR",
                "status": "VARCHAR",
            },
            {"content": "text", "parts": "body"},
        ),
        Stream(
            "tool_calls",
            {
                "id": "VARCHAR",
                "message_id": "VARCHAR",
                "plugin": "VARCHAR",
                "tool": "VARCHAR",
                "status": "VARCHAR",
                "duration_ms": "BIGINT",
                "input_bytes": "BIGINT",
                "output_bytes": "BIGINT",
                "ts": "TIMESTAMPTZ",
            },
        ),
        Stream(
            "plugin_runs",
            {
                "id": "VARCHAR",
                "plugin": "VARCHAR",
                "started_at": "TIMESTAMPTZ",
                "ended_at": "TIMESTAMPTZ",
                "reason": "VARCHAR",
            },
        ),
        Stream(
            "key_access",
            {"ts": "TIMESTAMPTZ", "key": "VARCHAR", "source": "VARCHAR", "purpose": "VARCHAR"},
        ),
    )
}


def lines(stream: Stream, rows: Iterable[sqlite3.Row]) -> bytes:
    """The rows as JSON lines."""
    return b"".join(_line(stream, row) for row in rows)


def _line(stream: Stream, row: sqlite3.Row) -> bytes:
    line: dict[str, Any] = {"seq": row["seq"], "rev": row["rev"]}
    for name, kind in stream.columns.items():
        value = row[name]
        if value is None:
            continue
        if name == "parts":
            line[name] = _published_parts(value)
        elif kind == "JSON":
            line[name] = orjson.Fragment(value)
        else:
            line[name] = value[:LARGEST_TEXT] if name == "content" else value
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _published_parts(body: str) -> orjson.Fragment:
    """The parts of a message without the bytes of images and documents, which nobody reads in SQL."""
    parts = json.loads(body)["parts"]
    text = json.dumps([_without_media(part) for part in parts] if '"data"' in body else parts, ensure_ascii=False)
    if len(text) > LARGEST_TEXT:
        text = json.dumps([{"kind": part.get("kind")} for part in parts])
    return orjson.Fragment(text.encode("utf-8", "replace"))


def _without_media(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    kept = {k: [_without_media(i) for i in v] if k == "images" and isinstance(v, list) else v for k, v in part.items()}
    if part.get("kind") in ("image", "file") and isinstance(kept.get("data"), str):
        kept["bytes"] = len(kept.pop("data")) * 3 // 4
    return kept
