"""What is published for SQL: which rows of the SQLite file, under which names and DuckDB types.

A row of a stream is known by its `seq`, which never changes and is never given twice, and its `rev`,
which grows when the row changes. In the JSON lines everything but whole numbers and JSON is a string:
JSON numbers reach a DECIMAL through a double, and a column that does not fit would silently be NULL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["FUNCTIONS", "LARGEST_TEXT", "MONEY", "STREAMS", "Stream", "published_parts", "published_text"]

MONEY = "DECIMAL(38,20)"
LARGEST_TEXT = 1_000_000
"""Characters of one text that are published. DuckDB reads no JSON line over 16 MB, and escaping takes up to
six bytes a character; the SQLite file holds everything."""


_LONG = ("content", "prompt", "answer")
"""Texts that may be longer than is published."""


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
        """A row's `seq` and its JSON line, for SQLite with `FUNCTIONS` registered."""
        fields = ", ".join(f"'{name}', {self._value(name, kind)}" for name, kind in self.columns.items())
        return f"seq, CAST(json_object('seq', seq, 'rev', rev, {fields}) || char(10) AS BLOB) AS line"

    def _value(self, name: str, kind: str) -> str:
        source = self.sources.get(name, name)
        if name == "parts":
            return f"json(published_parts({source}))"
        if name in _LONG:
            return f"published_text({source})"
        if kind == "JSON":
            return f"CASE WHEN json_valid({source}) THEN json({source}) ELSE {source} END"
        return source


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
                "leaf_id": "VARCHAR",
                "tags": "JSON",
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
                "pinned": "BOOLEAN",
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
            "map_jobs",
            {
                "id": "VARCHAR",
                "name": "VARCHAR",
                "model": "VARCHAR",
                "prompt": "VARCHAR",
                "mode": "VARCHAR",
                "settings": "JSON",
                "status": "VARCHAR",
                "note": "VARCHAR",
                "rows": "BIGINT",
                "created_at": "TIMESTAMPTZ",
                "updated_at": "TIMESTAMPTZ",
            },
        ),
        Stream(
            "map_rows",
            {
                "id": "VARCHAR",
                "job_id": "VARCHAR",
                "row": "BIGINT",
                "digest": "VARCHAR",
                "prompt": "VARCHAR",
                "answer": "VARCHAR",
                "parsed": "JSON",
                "status": "VARCHAR",
                "error": "VARCHAR",
                "model": "VARCHAR",
                "request_id": "VARCHAR",
                "cost": MONEY,
                "ts": "TIMESTAMPTZ",
            },
        ),
        Stream(
            "key_access",
            {"ts": "TIMESTAMPTZ", "key": "VARCHAR", "source": "VARCHAR", "purpose": "VARCHAR"},
        ),
    )
}


def published_parts(body: str) -> str:
    """The parts of a message without the bytes of images and documents, which nobody reads in SQL."""
    parts = json.loads(body)["parts"]
    text = json.dumps([_without_media(part) for part in parts] if '"data"' in body else parts, ensure_ascii=False)
    if len(text) > LARGEST_TEXT:
        text = json.dumps([{"kind": part.get("kind")} for part in parts])
    return text.encode("utf-8", "replace").decode("utf-8")


def published_text(text: str | None) -> str | None:
    """A text as far as it is published. SQLite's own `substr` ends at a NUL."""
    return None if text is None else text[:LARGEST_TEXT]


FUNCTIONS: Mapping[str, Callable[[str], str | None]] = {
    "published_parts": published_parts,
    "published_text": published_text,
}
"""What `Stream.select` needs SQLite to know."""


def _without_media(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    kept = {k: [_without_media(i) for i in v] if k == "images" and isinstance(v, list) else v for k, v in part.items()}
    data = part.get("data")
    if part.get("kind") in ("image", "file") and isinstance(data, str):
        del kept["data"]
        kept["bytes"] = len(data.rstrip("=")) * 3 // 4
    return kept
