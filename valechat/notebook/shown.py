"""Stored messages, usage rows and errors, as the panel shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from valechat.errors import AuthenticationFailed, MissingKey, ValeChatError
from valechat.ledger.base import StoredMessage, UsageRow
from valechat.messages import ToolCallPart, ToolResultPart
from valechat.notebook.protocol import ErrorShown, MessageShown, ToolShown

__all__ = ["blank_answer", "error_shown", "messages_shown", "money", "question_shown", "tool_shown", "with_usage"]


def money(amount: Decimal | None) -> str | None:
    """A decimal string without an exponent and without needless zeros; None stays None."""
    if amount is None:
        return None
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def error_shown(error: BaseException) -> ErrorShown:
    """An error for the panel. One that is not ours is shown by its type and text."""
    if not isinstance(error, ValeChatError):
        return ErrorShown(kind=type(error).__name__, message=f"{type(error).__name__}: {error}", fix="")
    shown = ErrorShown(kind=error.kind, message=error.message, fix=error.fix)
    if isinstance(error, MissingKey | AuthenticationFailed):
        shown["provider"] = error.provider
    return shown


def question_shown(message_id: str, text: str, ts: datetime) -> MessageShown:
    """A user's message."""
    shown = _blank(message_id, "", ts)
    return {**shown, "role": "user", "text": text}


def blank_answer(message_id: str, model: str, turn: str) -> MessageShown:
    """An answer of which nothing has arrived."""
    shown = _blank(message_id, model, datetime.now(UTC))
    return {**shown, "status": "streaming", "turn": turn}


def messages_shown(messages: Sequence[StoredMessage], rows: Mapping[str, UsageRow]) -> list[MessageShown]:
    """A conversation for the panel: each question, and each turn's messages as one answer.

    `rows` are the usage rows by request id.
    """
    shown: list[MessageShown] = []
    for turn in _turns(messages):
        if turn[0].message.role == "user":
            shown.append(question_shown(turn[0].id, turn[0].message.text, turn[0].ts))
        else:
            shown.append(_answer(turn, rows))
    return shown


def with_usage(answer: MessageShown, rows: Sequence[UsageRow]) -> MessageShown:
    """An answer with what its requests cost and took. Unknown in one request is unknown in the sum."""
    if not rows:
        return answer
    costs = [row.cost for row in rows]
    sources = {row.cost_source for row in rows}
    source = next((s for s in ("unpriced", "estimated", "reported") if s in sources), "priced")
    return {
        **answer,
        "cost": None if None in costs else money(sum((c for c in costs if c is not None), Decimal(0))),
        "cost_source": source,
        "input_tokens": _sum(row.usage.input_tokens for row in rows),
        "output_tokens": _sum(row.usage.output_tokens for row in rows),
        "first_token_ms": rows[0].first_token_ms,
        "duration_ms": _sum(row.duration_ms for row in rows),
        "verification": rows[-1].verification.status,
    }


def _turns(messages: Sequence[StoredMessage]) -> list[list[StoredMessage]]:
    turns: list[list[StoredMessage]] = []
    for message in messages:
        if message.message.role == "user" or not turns or turns[-1][0].message.role == "user":
            turns.append([message])
        else:
            turns[-1].append(message)
    return turns


def _answer(turn: Sequence[StoredMessage], rows: Mapping[str, UsageRow]) -> MessageShown:
    last = next((stored for stored in reversed(turn) if stored.message.role == "assistant"), turn[-1])
    answer = _blank(last.id, last.model or "", turn[0].ts)
    spent = [rows[stored.request_id] for stored in turn if stored.request_id is not None and stored.request_id in rows]
    return with_usage(
        {
            **answer,
            "text": "\n\n".join(stored.message.text for stored in turn if stored.message.text),
            "thinking": "\n\n".join(stored.message.thinking for stored in turn if stored.message.thinking),
            "tools": _tools(turn),
            "status": last.status,
        },
        spent,
    )


def _tools(turn: Sequence[StoredMessage]) -> list[ToolShown]:
    results = {
        part.call_id: part for stored in turn for part in stored.message.parts if isinstance(part, ToolResultPart)
    }
    return [
        tool_shown(part, results.get(part.id))
        for stored in turn
        for part in stored.message.parts
        if isinstance(part, ToolCallPart)
    ]


def tool_shown(call: ToolCallPart, result: ToolResultPart | None) -> ToolShown:
    """A tool call as a card."""
    return ToolShown(
        id=call.id,
        name=call.name,
        arguments=call.arguments,
        result=None if result is None else result.text,
        is_error=result is not None and result.is_error,
    )


def _sum(counts: Iterable[int | None]) -> int | None:
    known = list(counts)
    return None if None in known else sum(count for count in known if count is not None)


def _blank(message_id: str, model: str, ts: datetime) -> MessageShown:
    return MessageShown(
        id=message_id,
        role="assistant",
        text="",
        thinking="",
        tools=[],
        model=model,
        status="complete",
        turn=None,
        cost=None,
        cost_source=None,
        input_tokens=None,
        output_tokens=None,
        first_token_ms=None,
        duration_ms=None,
        verification=None,
        notes=[],
        error=None,
        ts=ts.isoformat(),
    )
