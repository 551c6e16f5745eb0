"""Values to fill a ledger with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from valechat.ledger.base import Bucket, Ceiling, Conversation, Hold, Ledger, StoredMessage, ToolCallRow, UsageRow
from valechat.messages import Message, TextPart
from valechat.usage import Usage

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = Bucket("all", "2026-11-22", datetime(2026, 11, 23, tzinfo=UTC))
MONTH = Bucket("all", "2026-11", datetime(2026, 12, 1, tzinfo=UTC))


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **units: float) -> None:
        self.now += timedelta(**units)


def daily(amount: str) -> Ceiling:
    return Ceiling("daily", DAY, Decimal(amount))


def hold(
    request_id: str,
    amount: str | None,
    *ceilings: Ceiling,
    buckets: Sequence[Bucket] = (DAY, MONTH),
    lapses_at: datetime | None = None,
) -> Hold:
    return Hold(
        request_id,
        None if amount is None else Decimal(amount),
        buckets,
        ceilings,
        lapses_at or datetime.now(UTC) + timedelta(days=3650),
    )


def usage_row(request_id: str, cost: str | None = "0.01", **changes: Any) -> UsageRow:
    values: dict[str, Any] = {
        "request_id": request_id,
        "ts": NOON,
        "day": "2026-11-22",
        "billing_period": "2026-11",
        "provider": "mylab",
        "model": "scripted",
        "kind": "chat",
        "usage": Usage(input_tokens=10, output_tokens=20),
        "cost": None if cost is None else Decimal(cost),
        "cost_source": "unpriced" if cost is None else "priced",
        "status": "complete",
    }
    return UsageRow(**values | changes)


def conversation(conversation_id: str = "c1", title: str = "Greetings", at: datetime = NOON) -> Conversation:
    return Conversation(conversation_id, title, at, at, "mylab/scripted")


def message(
    message_id: str, text: str, *, conversation_id: str = "c1", role: str = "user", **changes: Any
) -> StoredMessage:
    values: dict[str, Any] = {
        "id": message_id,
        "conversation_id": conversation_id,
        "parent_id": None,
        "message": Message.user(text) if role == "user" else Message("assistant", (TextPart(text),)),
        "ts": NOON,
    }
    return StoredMessage(**values | changes)


def tool_call(call_id: str) -> ToolCallRow:
    return ToolCallRow(call_id, "m1", "git", "log", "ok", 12, 30, 400, NOON)


def rows(ledger: Ledger, query: str) -> list[Any]:
    """What a query gives on a fresh connection."""
    with ledger.connect() as connection:
        return connection.execute(query).fetchall()


def rows_of_file(path: Any, query: str) -> list[Any]:
    """What a query gives on a database file, as any DuckDB user asks it."""
    import duckdb  # the workers start quicker without it

    with duckdb.connect(str(path)) as connection:
        return connection.execute(query).fetchall()
