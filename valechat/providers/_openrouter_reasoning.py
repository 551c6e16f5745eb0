"""OpenRouter's `reasoning_details`: gathered from a stream, returned to the model unchanged.

A detail that streams comes in pieces under one index, text first and its signature last; put together it is
what the model signed (guide "Reasoning tokens", "Preserving reasoning"). An encrypted detail comes whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from valechat.messages import Message, OpaquePart, RefusalPart, TextPart, ToolCallPart

__all__ = ["ReasoningDetails", "reasoning_text", "with_reasoning"]

WIRE = "openrouter.chat"

_STREAMED = {"reasoning.text": "text", "reasoning.summary": "summary"}


class ReasoningDetails:
    """The details of one answer, put together from their pieces."""

    def __init__(self, provider: str, model: str) -> None:
        self._origin = {"provider": provider, "model": model}
        self._details: list[dict[str, Any]] = []

    def add(self, pieces: Any) -> None:
        """Take in the pieces of one delta."""
        for piece in pieces if isinstance(pieces, list) else ():
            if not isinstance(piece, Mapping):
                continue
            begun = self._begun(piece)
            if begun is None:
                self._details.append(dict(piece))
                continue
            streamed = _STREAMED[piece["type"]]
            for name, value in piece.items():
                if name == streamed and isinstance(value, str):
                    begun[name] = (begun.get(name) or "") + value
                elif value is not None:
                    begun[name] = value

    def part(self) -> Iterator[OpaquePart]:
        """The part that keeps them, if there are any."""
        if self._details:
            yield OpaquePart({"reasoning_details": self._details, **self._origin}, WIRE)

    def _begun(self, piece: Mapping[str, Any]) -> dict[str, Any] | None:
        """The detail a piece goes on with: of its type and index, or, without an index, the last one."""
        if piece.get("type") not in _STREAMED:
            return None
        index = piece.get("index")
        known = self._details if index is not None else self._details[-1:]
        for detail in reversed(known):
            if detail.get("type") == piece["type"] and detail.get("index") == index:
                ids = {detail.get("id"), piece.get("id")} - {None}
                return detail if len(ids) < 2 else None
        return None


def reasoning_text(pieces: Any) -> str:
    """What can be shown of the pieces of one delta."""
    found = [
        piece.get(_STREAMED.get(str(piece.get("type")), ""))
        for piece in (pieces if isinstance(pieces, list) else ())
        if isinstance(piece, Mapping)
    ]
    return "".join(text for text in found if isinstance(text, str))


def with_reasoning(converted: Sequence[dict[str, Any]], messages: Sequence[Message], provider: str, model: str) -> None:
    """Put the details back on the assistant's messages, in place.

    Args:
        converted: The messages as Chat Completions has them.
        messages: What they were made from.
        provider: Who is asked.
        model: The model that is asked; another one's reasoning would be refused.
    """
    told = [message for message in messages if message.role == "assistant" and _is_told(message)]
    for target, message in zip((c for c in converted if c["role"] == "assistant"), told, strict=True):
        details = [detail for part in message.parts for detail in _own(part, provider, model)]
        if details:
            target["reasoning_details"] = details


def _is_told(message: Message) -> bool:
    """Whether Chat Completions has a message for it: an answer without text and calls is left out."""
    return any(
        isinstance(part, ToolCallPart) or (isinstance(part, TextPart | RefusalPart) and part.text)
        for part in message.parts
    )


def _own(part: Any, provider: str, model: str) -> list[Any]:
    if not isinstance(part, OpaquePart) or part.wire != WIRE:
        return []
    if (part.data.get("provider"), part.data.get("model")) != (provider, model):
        return []
    details = part.data.get("reasoning_details")
    return details if isinstance(details, list) else []
