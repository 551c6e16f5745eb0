"""The stream of a Chat Completions call, event by event, as `Chunk`s.

The form is OpenAI's `chat.completion.chunk`; what other servers do differently and is taken as well:
content as a list of parts, reasoning as `reasoning_content` or `reasoning`, tool calls without index
or id, arguments as objects, usage on any chunk, one whole `chat.completion` in place of a stream.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from valechat.messages import CitationPart, ThinkingPart, ToolCallPart
from valechat.providers._chat_request import WIRE
from valechat.providers.base import Chunk, PartChunk, StopChunk, StopReason, TextChunk, ThinkingChunk, UsageChunk

__all__ = ["ChatReader"]

_STOPS: dict[str, StopReason] = {
    "stop": "end",
    "eos": "end",
    "length": "max_tokens",
    "model_length": "max_tokens",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "filtered",
}

_USAGE_EVERY = 64
"""Servers that count as they go send usage with each chunk; the first, each 64th and the last are passed on."""


class _Call:
    """A tool call while its arguments arrive."""

    def __init__(self, call_id: str) -> None:
        self.id = call_id
        self.name = ""
        self.arguments: list[str] = []


class ChatReader:
    """Reads one stream: `read` each value, then `finish`.

    Args:
        provider: Whose stream it is.
        keep_reasoning: Pass reasoning on as a part that can be sent back.

    Attributes:
        stopped: The stop reason has arrived; only usage can follow.
        used: Usage has arrived.
    """

    def __init__(self, provider: str, *, keep_reasoning: bool = False) -> None:
        self.stopped = False
        self.used = False
        self._provider = provider
        self._keep_reasoning = keep_reasoning
        self._calls: list[_Call] = []
        self._by_index: dict[Any, _Call] = {}
        self._refused = self._called = False
        self._reasoning: list[str] = []
        self._reasoning_field = ""
        self._usages = 0
        self._usage: UsageChunk | None = None

    def read(self, value: Any) -> list[Chunk]:
        """What one value of the stream says. Unknown fields are passed over."""
        found: list[Chunk] = []
        if not isinstance(value, dict):
            return found
        choices = value.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and not choice.get("index"):
                self._choice(choice, found)
        if value.get("usage") is None and "x_groq" not in value:
            return found
        usage = self._usage_of(value)
        if usage is not None:
            self.used = True
            self._usage = usage
            if self._usages % _USAGE_EVERY == 0 or self.stopped:
                found += self.latest_usage()
            self._usages += 1
        return found

    def finish(self) -> list[Chunk]:
        """What the end of the stream completes, when it is the stream's own end."""
        found: list[Chunk] = []
        self._complete(found)
        if not self.stopped:
            self.stopped = True
            found.append(StopChunk(self._stop_reason("stop"), ""))
        return found + self.latest_usage()

    def latest_usage(self) -> list[Chunk]:
        """Usage that has arrived and was not passed on yet."""
        usage, self._usage = self._usage, None
        return [] if usage is None else [usage]

    def _choice(self, choice: Mapping[str, Any], found: list[Chunk]) -> None:
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict):
            content = delta.get("content")
            if type(content) is str and content and len(delta) == 1 and not self._reasoning:
                found.append(TextChunk(content))
            else:
                self._delta(delta, found)
        reason = choice.get("finish_reason")
        if reason and isinstance(reason, str) and not self.stopped:
            self._complete(found)
            self.stopped = True
            found.append(StopChunk(self._stop_reason(reason), reason))

    def _delta(self, delta: Mapping[str, Any], found: list[Chunk]) -> None:
        for name in ("reasoning_content", "reasoning"):
            text = delta.get(name)
            if isinstance(text, str) and text:
                found.append(self._thought(text, name))
                break
        content = delta.get("content")
        for part in content if isinstance(content, list) else ({"text": content},):
            self._content_part(part, found)
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            self._refused = True
            found.append(TextChunk(refusal, refusal=True))
        for annotation in _items(delta, "annotations"):
            found += _citation(annotation)
        for piece in _items(delta, "tool_calls"):
            if isinstance(piece, dict):
                self._call_piece(piece)
        if isinstance(delta.get("function_call"), dict):
            self._call_piece({"index": "function_call", "function": delta["function_call"]})

    def _content_part(self, part: Any, found: list[Chunk]) -> None:
        """Text, or a part of Mistral's content: text too, or thinking that holds text parts itself."""
        if not isinstance(part, dict):
            return
        text = part.get("text")
        if isinstance(text, str) and text:
            self._thinking_done(found)
            found.append(TextChunk(text))
        inner = [item.get("text") for item in _items(part, "thinking") if isinstance(item, dict)]
        found += [self._thought(text, "thinking") for text in inner if isinstance(text, str)]

    def _thought(self, text: str, field: str) -> ThinkingChunk:
        if self._keep_reasoning:
            self._reasoning.append(text)
            self._reasoning_field = field
        return ThinkingChunk(text)

    def _thinking_done(self, found: list[Chunk]) -> None:
        if self._reasoning:
            text, self._reasoning = "".join(self._reasoning), []
            part = ThinkingPart(text, WIRE, {"provider": self._provider, "field": self._reasoning_field})
            found.append(PartChunk(part))

    def _call_piece(self, piece: Mapping[str, Any]) -> None:
        call = self._call_of(piece)
        call.name = call.name or _name(piece)
        function = piece.get("function")
        arguments = function.get("arguments") if isinstance(function, dict) else None
        if isinstance(arguments, str):
            call.arguments.append(arguments)
        elif arguments is not None:
            call.arguments.append(orjson.dumps(arguments).decode())

    def _call_of(self, piece: Mapping[str, Any]) -> _Call:
        """The call a piece belongs to.

        By index; where several calls come under one index, or under none, a new id or name begins a new call.
        """
        index, call_id = piece.get("index"), str(piece.get("id") or "")
        known = self._by_index.get(index)
        named_again = index is None and not call_id and known is not None and known.name and _name(piece)
        if known is not None and not named_again and (not call_id or known.id in ("", call_id)):
            known.id = known.id or call_id
            return known
        call = _Call(call_id)
        self._calls.append(call)
        self._by_index[index] = call
        return call

    def _complete(self, found: list[Chunk]) -> None:
        """Tool calls are complete at the stop, not before: their pieces may come in any order."""
        self._thinking_done(found)
        for call in self._calls:
            call_id = call.id or f"call_{secrets.token_hex(12)}"
            found.append(PartChunk(ToolCallPart(call_id, call.name, "".join(call.arguments), WIRE)))
        self._called = self._called or bool(self._calls)
        self._calls, self._by_index = [], {}

    def _stop_reason(self, raw: str) -> StopReason:
        reason = _STOPS.get(raw, "other")
        if reason == "end" and self._called:
            return "tool_calls"
        return "refusal" if reason == "end" and self._refused else reason

    def _usage_of(self, value: Mapping[str, Any]) -> UsageChunk | None:
        """The event without its choices: usage, and what else of it changes the price (`service_tier`)."""
        usage = value.get("usage")
        if usage is None and isinstance(value.get("x_groq"), dict):
            usage = value["x_groq"].get("usage")
        if not isinstance(usage, dict):
            return None
        return UsageChunk({name: item for name, item in value.items() if name != "choices"} | {"usage": usage})


def _items(value: Mapping[str, Any], name: str) -> list[Any]:
    items = value.get(name)
    return items if isinstance(items, list) else []


def _citation(annotation: Any) -> list[Chunk]:
    source = annotation.get("url_citation") if isinstance(annotation, dict) else None
    if not isinstance(source, dict) or not isinstance(source.get("url"), str):
        return []
    return [PartChunk(CitationPart(source["url"], str(source.get("title") or ""), str(source.get("content") or "")))]


def _name(piece: Mapping[str, Any]) -> str:
    function = piece.get("function")
    return str(function.get("name") or "") if isinstance(function, dict) else ""
