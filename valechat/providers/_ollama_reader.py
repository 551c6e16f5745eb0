"""The stream of an Ollama `/api/chat` call, line by line, as `Chunk`s.

The form is Ollama's API reference, "Generate a chat message": each line holds what is new of the message,
tool calls whole, and the line with `done: true` the reason and the counts.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from valechat.messages import ThinkingPart, ToolCallPart
from valechat.providers._ollama_request import WIRE
from valechat.providers.base import (
    Chunk,
    NoteChunk,
    PartChunk,
    StopChunk,
    StopReason,
    TextChunk,
    ThinkingChunk,
    UsageChunk,
)
from valechat.wires.reading import mapping

__all__ = ["OllamaReader"]

_STOPS: dict[str, StopReason] = {"stop": "end", "length": "max_tokens"}


class OllamaReader:
    """Reads one stream, line by line.

    Args:
        provider: Whose stream it is; kept with reasoning that returns to it.

    Attributes:
        ended: The last line has arrived.
    """

    def __init__(self, provider: str) -> None:
        self.ended = False
        self._provider = provider
        self._thoughts: list[str] = []
        self._called = False

    def read(self, value: Any) -> Iterator[Chunk]:
        """What one line says."""
        if not isinstance(value, Mapping) or self.ended:
            return
        message = mapping(value, "message")
        thought, text = message.get("thinking"), message.get("content")
        if isinstance(thought, str) and thought:
            self._thoughts.append(thought)
            yield ThinkingChunk(thought)
        if isinstance(text, str) and text:
            yield from self._thinking_done()
            yield TextChunk(text)
        calls = message.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            if isinstance(mapping(call).get("function"), Mapping):
                yield from self._thinking_done()
                yield PartChunk(self._call(call))
        if value.get("done"):
            yield from self._end(value)

    def _thinking_done(self) -> Iterator[Chunk]:
        if self._thoughts:
            text, self._thoughts = "".join(self._thoughts), []
            yield PartChunk(ThinkingPart(text, WIRE, {"provider": self._provider}))

    def _call(self, call: Mapping[str, Any]) -> ToolCallPart:
        self._called = True
        function = call["function"]
        given = function.get("arguments")
        arguments = given if isinstance(given, str) else orjson.dumps({} if given is None else given).decode()
        call_id = str(call.get("id") or f"call_{secrets.token_hex(12)}")
        return ToolCallPart(call_id, str(function.get("name") or ""), arguments, WIRE)

    def _end(self, value: Mapping[str, Any]) -> Iterator[Chunk]:
        self.ended = True
        yield from self._thinking_done()
        raw = str(value.get("done_reason") or "")
        reason = _STOPS.get(raw, "other" if raw else "end")
        if raw in ("load", "unload"):
            yield NoteChunk(f"{self._provider} gave no answer: it only did “{raw}” with the model.")
        yield StopChunk("tool_calls" if reason == "end" and self._called else reason, raw)
        yield UsageChunk({name: item for name, item in value.items() if name != "message"})
