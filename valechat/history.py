"""The part of a conversation that is sent to a model."""

from __future__ import annotations

from collections.abc import Sequence

from valechat.errors import TooLarge
from valechat.ledger.base import StoredMessage
from valechat.messages import Message, ToolResultPart

__all__ = ["answered", "check_size", "repaired", "spoken"]


def answered(stored: Sequence[StoredMessage]) -> list[StoredMessage]:
    """The messages of a conversation but for the questions that found no answer, oldest first."""
    return [message for message in stored if not (message.status == "failed" and message.message.role == "user")]


def spoken(stored: Sequence[StoredMessage]) -> list[Message]:
    """What a model is told of a conversation: `answered`, but for answers stopped before their first word."""
    return repaired([message.message for message in answered(stored) if message.message.parts])


def check_size(messages: Sequence[Message], most: int | None) -> None:
    """Refuse a conversation whose text is longer than that many bytes; None is no limit, and pictures do not count.

    Raises:
        TooLarge: It is.
    """
    texts = (getattr(part, name, "") for one in messages for part in one.parts for name in ("text", "arguments"))
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    if most is not None and size > most:
        raise TooLarge(
            f"The conversation would be {size:,} bytes long; the limit is {most:,}.",
            fix="Begin a new one, or raise `conversation` under [sizes] in config.toml.",
        )


def repaired(messages: Sequence[Message]) -> list[Message]:
    """The same conversation with a result after every tool call.

    A conversation cut between a call and its result (a killed kernel, a stop) would be refused by
    every provider from then on; the missing result says that it was cut. A result without its call
    is left out for the same reason.
    """
    whole: list[Message] = []
    rest = list(messages)
    while rest:
        message = rest.pop(0)
        if message.role == "tool":
            continue
        whole.append(message)
        if not message.tool_calls:
            continue
        results = rest.pop(0).parts if rest and rest[0].role == "tool" else ()
        answered = {part.call_id for part in results if isinstance(part, ToolResultPart)}
        cut = [_cut(call.id, call.name) for call in message.tool_calls if call.id not in answered]
        whole.append(Message("tool", (*results, *cut)))
    return whole


def _cut(call_id: str, name: str) -> ToolResultPart:
    return ToolResultPart(call_id, name, "No result: the conversation was interrupted here.", is_error=True)
