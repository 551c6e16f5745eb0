"""Stored messages, usage rows and errors, as the panel shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from valechat.errors import AuthenticationFailed, MissingKey, ValeChatError
from valechat.ledger.base import StoredMessage, UsageRow
from valechat.money import total
from valechat.notebook.answerparts import with_parts, without_urls
from valechat.notebook.protocol import AttachmentShown, ErrorShown, MessageShown
from valechat.notebook.toolcards import Origins, origins, tools_shown, without_files
from valechat.notebook.uploads import attachments_shown, without_previews

__all__ = [
    "TEXT",
    "answer_text",
    "blank_answer",
    "error_shown",
    "messages_shown",
    "money",
    "question_shown",
    "shown_id",
    "spent",
    "turn_of",
    "turns",
    "with_usage",
]

TEXT = 100_000
"""Characters of a text that a panel gets at once: more than most answers have, and drawn without a pause."""

PREVIEWS = 5_000_000
"""Characters of images and sounds in a whole state; the newest come first."""


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


def question_shown(
    message_id: str, text: str, ts: datetime, attachments: Sequence[AttachmentShown] = ()
) -> MessageShown:
    """A user's message."""
    shown: MessageShown = {**_blank(message_id, "", ts), "role": "user", "text": text}
    return {**shown, "attachments": list(attachments)} if attachments else shown


def blank_answer(message_id: str, model: str, turn: str) -> MessageShown:
    """An answer of which nothing has arrived."""
    shown = _blank(message_id, model, datetime.now(UTC))
    return {**shown, "status": "streaming", "turn": turn}


def messages_shown(messages: Sequence[StoredMessage], rows: Mapping[str, UsageRow]) -> list[MessageShown]:
    """A conversation for the panel: each question, and each turn's messages as one answer.

    `rows` are the usage rows by request id.
    """
    shown: list[MessageShown] = []
    known = origins()
    for turn in turns(messages):
        if turn[0].message.role == "user":
            asked = turn[0]
            attached = attachments_shown(asked.id, asked.message)
            shown.append(question_shown(asked.id, asked.message.text, asked.ts, attached))
        else:
            shown.append(_answer(turn, rows, known))
    return _with_room(shown)


def answer_text(messages: Sequence[StoredMessage], message_id: str) -> str:
    """The whole text of an answer that `messages_shown` has under this id; empty when there is none."""
    return _text(turn_of(messages, message_id))


def turn_of(messages: Sequence[StoredMessage], message_id: str) -> Sequence[StoredMessage]:
    """The stored messages of an answer that `messages_shown` has under this id; none when there is none."""
    return next((turn for turn in turns(messages) if _last(turn).id == message_id), [])


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


def turns(messages: Sequence[StoredMessage]) -> list[list[StoredMessage]]:
    """The stored messages that `messages_shown` makes one of: a question, or all of an answer."""
    told: list[list[StoredMessage]] = []
    for message in messages:
        if message.message.role == "user" or not told or told[-1][0].message.role == "user":
            told.append([message])
        else:
            told[-1].append(message)
    return told


def shown_id(turn: Sequence[StoredMessage]) -> str:
    """The id that `messages_shown` gives to one of `turns`."""
    return turn[0].id if turn[0].message.role == "user" else _last(turn).id


def _answer(turn: Sequence[StoredMessage], rows: Mapping[str, UsageRow], known: Origins) -> MessageShown:
    last = _last(turn)
    text = _text(turn)
    answer = _blank(last.id, last.model or "", turn[0].ts)
    spent = [rows[stored.request_id] for stored in turn if stored.request_id is not None and stored.request_id in rows]
    shown: MessageShown = {
        **answer,
        "text": text[:TEXT],
        "thinking": "\n\n".join(stored.message.thinking for stored in turn if stored.message.thinking)[:TEXT],
        "tools": tools_shown(turn, known),
        "status": last.status,
    }
    shown = with_parts(shown, turn)
    return with_usage({**shown, "more": len(text) - TEXT} if len(text) > TEXT else shown, spent)


def _last(turn: Sequence[StoredMessage]) -> StoredMessage:
    return next((stored for stored in reversed(turn) if stored.message.role == "assistant"), turn[-1])


def _text(turn: Sequence[StoredMessage]) -> str:
    return "\n\n".join(stored.message.text for stored in turn if stored.message.text)


def _with_room(shown: Sequence[MessageShown]) -> list[MessageShown]:
    """The messages, the older ones without pictures and sounds where there are too many."""
    room = PREVIEWS
    kept: list[MessageShown] = []
    for message in reversed(shown):
        attached = message.get("attachments", [])
        room -= sum(len(one["preview"] or "") for one in attached)
        files = [*message.get("files", []), *(file for tool in message["tools"] for file in tool.get("files", []))]
        room -= sum(len(file["url"] or "") for file in files)
        kept.append(message if room >= 0 else _bare(message))
    return kept[::-1]


def _bare(message: MessageShown) -> MessageShown:
    bare: MessageShown = {**without_urls(message), "tools": [without_files(tool) for tool in message["tools"]]}
    attached = message.get("attachments")
    return {**bare, "attachments": without_previews(attached)} if attached else bare


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


def spent(rows: Iterable[UsageRow]) -> tuple[str | None, int]:
    """What the requests cost together (None when no cost is known), and how many have no known cost."""
    costs = [row.cost for row in rows]
    known = [cost for cost in costs if cost is not None]
    return (money(total(known)) if known else None), len(costs) - len(known)
