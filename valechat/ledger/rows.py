"""The ledger's values as rows of the SQLite file, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson

from valechat.ledger.amounts import amount_text, moment, read_amount, stamp
from valechat.ledger.base import Conversation, PluginRun, StoredMessage, ToolCallRow, UsageRow, Verification
from valechat.messages import Message, RefusalPart, TextPart, ToolResultPart, from_json, to_json
from valechat.usage import Usage

__all__ = [
    "conversation_columns",
    "conversation_of",
    "json_text",
    "message_columns",
    "message_of",
    "plugin_run_columns",
    "price_line",
    "readable_text",
    "tags_text",
    "tool_call_columns",
    "usage_columns",
    "usage_of",
    "verification_columns",
    "without_surrogates",
]


def without_surrogates(text: str) -> str:
    """The text with lone surrogates replaced: neither SQLite nor JSON readers take them."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def json_text(value: Any) -> str:
    """JSON text of plain values; a Decimal becomes a string, so that no reader rounds it."""
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode("utf-8")
    except TypeError:  # lone surrogates, or integers over 64 bits
        return without_surrogates(json.dumps(value, default=str, ensure_ascii=False))


def readable_text(message: Message) -> str:
    """What a person reads of a message: its text, and what its tools answered."""
    texts = [part.text for part in message.parts if isinstance(part, TextPart | RefusalPart | ToolResultPart)]
    return without_surrogates("".join(texts) if message.role != "tool" else "\n".join(texts))


def usage_columns(row: UsageRow) -> dict[str, Any]:
    """A request as its row.

    Raises:
        ValueError: The cost is not an amount of money, or `ts` has no time zone.
    """
    return {
        "request_id": row.request_id,
        "ts": stamp(row.ts),
        "day": row.day,
        "billing_period": row.billing_period,
        "provider": row.provider,
        "model": row.model,
        "kind": row.kind,
        "conversation_id": row.conversation_id,
        "message_id": row.message_id,
        "input_tokens": row.usage.input_tokens,
        "output_tokens": row.usage.output_tokens,
        "cache_read_tokens": row.usage.cache_read_tokens,
        "cache_write_tokens": row.usage.cache_write_tokens,
        "reasoning_tokens": row.usage.reasoning_tokens,
        "details": json_text(dict(row.usage.details)),
        "cost": None if row.cost is None else amount_text(row.cost),
        "cost_source": row.cost_source,
        "status": row.status,
        "error": None if row.error is None else without_surrogates(row.error),
        "first_token_ms": row.first_token_ms,
        "duration_ms": row.duration_ms,
        "unit_prices": json_text(dict(row.unit_prices)),
        **verification_columns(row.verification),
        "plugin": row.plugin,
    }


def verification_columns(verification: Verification) -> dict[str, Any]:
    """The columns of a request's row that a verification fills."""
    percent = verification.discrepancy_percent
    return {
        "verification": verification.status,
        "verification_reason": verification.reason,
        "counted_input_tokens": verification.counted_input_tokens,
        "counted_output_tokens": verification.counted_output_tokens,
        "discrepancy_percent": None if percent is None else format(percent, "f"),
    }


def usage_of(row: sqlite3.Row) -> UsageRow:
    """The request of a row."""
    return UsageRow(
        request_id=row["request_id"],
        ts=moment(row["ts"]),
        day=row["day"],
        billing_period=row["billing_period"],
        provider=row["provider"],
        model=row["model"],
        kind=row["kind"],
        usage=Usage(
            input_tokens=row["input_tokens"],
            output_tokens=row["output_tokens"],
            cache_read_tokens=row["cache_read_tokens"],
            cache_write_tokens=row["cache_write_tokens"],
            reasoning_tokens=row["reasoning_tokens"],
            details=json.loads(row["details"]),
        ),
        cost=read_amount(row["cost"]),
        cost_source=row["cost_source"],
        status=row["status"],
        conversation_id=row["conversation_id"],
        message_id=row["message_id"],
        first_token_ms=row["first_token_ms"],
        duration_ms=row["duration_ms"],
        unit_prices=json.loads(row["unit_prices"]),
        error=row["error"],
        verification=Verification(
            status=row["verification"],
            reason=row["verification_reason"],
            counted_input_tokens=row["counted_input_tokens"],
            counted_output_tokens=row["counted_output_tokens"],
            discrepancy_percent=read_amount(row["discrepancy_percent"]),
        ),
        plugin=row["plugin"],
    )


def message_columns(stored: StoredMessage) -> dict[str, Any]:
    """A message as its row: `body` is what it is read back from, `text` what is searched and queried."""
    return {
        "id": stored.id,
        "conversation_id": stored.conversation_id,
        "parent_id": stored.parent_id,
        "role": stored.message.role,
        "text": readable_text(stored.message),
        "body": json_text(to_json(stored.message)),
        "ts": stamp(stored.ts),
        "model": stored.model,
        "request_id": stored.request_id,
        "status": stored.status,
        "pinned": int(stored.pinned),
    }


def message_of(row: sqlite3.Row) -> StoredMessage:
    """The message of a row."""
    return StoredMessage(
        id=row["id"],
        conversation_id=row["conversation_id"],
        parent_id=row["parent_id"],
        message=from_json(json.loads(row["body"])),
        ts=moment(row["ts"]),
        model=row["model"],
        request_id=row["request_id"],
        status=row["status"],
        pinned=bool(row["pinned"]),
    )


def conversation_columns(conversation: Conversation) -> dict[str, Any]:
    """A conversation's head as its row, but for what is counted."""
    return {
        "id": conversation.id,
        "title": without_surrogates(conversation.title),
        "created_at": stamp(conversation.created_at),
        "updated_at": stamp(conversation.updated_at),
        "model": conversation.model,
        "leaf_id": conversation.leaf,
        "tags": tags_text(conversation.tags),
    }


def tags_text(tags: Sequence[str]) -> str:
    """Tags as they are stored: a JSON list, each once, in the order given."""
    return json_text(list(dict.fromkeys(map(without_surrogates, tags))))


def conversation_of(row: sqlite3.Row) -> Conversation:
    """The conversation of a row that also has `message_count`."""
    return Conversation(
        id=row["id"],
        title=row["title"],
        created_at=moment(row["created_at"]),
        updated_at=moment(row["updated_at"]),
        model=row["model"],
        message_count=row["message_count"],
        total_cost=read_amount(row["total_cost"]),
        leaf=row["leaf_id"],
        tags=tuple(json.loads(row["tags"] or "[]")),
    )


def tool_call_columns(row: ToolCallRow) -> Mapping[str, Any]:
    """A tool call as its row."""
    return {
        "id": row.id,
        "message_id": row.message_id,
        "plugin": row.plugin,
        "tool": row.tool,
        "status": row.status,
        "duration_ms": row.duration_ms,
        "input_bytes": row.input_bytes,
        "output_bytes": row.output_bytes,
        "ts": stamp(row.ts),
    }


def plugin_run_columns(run: PluginRun) -> Mapping[str, Any]:
    """A plugin's run as its row."""
    return {
        "id": run.id,
        "plugin": run.plugin,
        "started_at": stamp(run.started_at),
        "ended_at": stamp(run.ended_at),
        "reason": None if run.reason is None else without_surrogates(run.reason),
    }


def price_line(row: Mapping[str, Any]) -> dict[str, Any]:
    """A price as the `prices` view publishes it: every amount a string, every moment an ISO text."""
    known = {"provider", "model", "effective_from", "known_at", "source", "unit_prices"}
    unit = dict(row.get("unit_prices") or {})
    unit |= {name: value for name, value in row.items() if name not in known}
    return {
        "provider": row["provider"],
        "model": row["model"],
        "unit_prices": {name: _plain(value) for name, value in unit.items()},
        "effective_from": _iso(row.get("effective_from")),
        "known_at": _iso(row.get("known_at")),
        "source": row.get("source"),
    }


def _plain(value: Any) -> Any:
    return format(value, "f") if isinstance(value, Decimal) else value


def _iso(value: Any) -> str | None:
    if value is None:
        return None
    return value if isinstance(value, str) else str(value.isoformat())
