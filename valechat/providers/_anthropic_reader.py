"""The stream of an Anthropic Messages call, event by event, as `Chunk`s.

The form is Anthropic's guide "Streaming Messages". Event, block and delta types that are not known here
are passed over or kept whole, as the guide asks of a client. A whole `message` in place of a stream is
read as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from valechat.messages import CitationPart, OpaquePart, ThinkingPart, ToolCallPart
from valechat.providers._anthropic_messages import WIRE
from valechat.providers._in_order import InOrder
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

__all__ = ["AnthropicReader"]

_STOPS: dict[str, StopReason] = {
    "end_turn": "end",
    "max_tokens": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_calls",
    "pause_turn": "paused",
    "refusal": "refusal",
    "model_context_window_exceeded": "context_full",
}

_PIECES = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
    "signature_delta": "signature",
}
"""Deltas that are a piece of text, and the name it has in them."""


class _Block:
    """A content block while it arrives."""

    def __init__(self, start: Mapping[str, Any]) -> None:
        self.start = dict(start)
        self.kind = str(start.get("type") or "")
        self.citations: list[Any] = list(start.get("citations") or ())
        self._pieces: dict[str, list[str]] = {}

    def add(self, name: str, piece: str) -> None:
        self._pieces.setdefault(name, []).append(piece)

    def whole(self, name: str) -> str:
        """What the block began with under that name, and all that came after."""
        begun = self.start.get(name)
        return (begun if isinstance(begun, str) else "") + "".join(self._pieces.get(name, ()))

    @property
    def arguments(self) -> str:
        """A tool call's JSON text as it was written; what the block began with where no pieces came."""
        written = self.whole("partial_json")
        if written or self.start.get("input") is None:
            return written
        return orjson.dumps(self.start["input"]).decode()


class AnthropicReader:
    """Reads one stream: `read` each value, then `finish`.

    Args:
        provider: Whose stream it is; kept with what must return to it unchanged.

    Attributes:
        stopped: The stop reason has arrived; nothing but `message_stop` can follow.
        ended: The stream's own end has arrived.
    """

    def __init__(self, provider: str) -> None:
        self.stopped = self.ended = False
        self._provider = provider
        self._blocks: dict[Any, _Block] = {}
        self._order = InOrder()
        self._stop: StopChunk | None = None

    def read(self, value: Any) -> Iterable[Chunk]:
        """What one value of the stream says."""
        if not isinstance(value, dict):
            return ()
        kind = value.get("type")
        if kind == "content_block_delta":
            return self._delta(value.get("index"), value.get("delta"))
        if kind == "content_block_start":
            return self._begin(value.get("index"), value.get("content_block"))
        if kind == "content_block_stop":
            return self._end(value.get("index"))
        if kind == "message_start":
            return (UsageChunk(value),) if isinstance(value.get("message"), Mapping) else ()
        if kind == "message_delta":
            return self._message_delta(value)
        if kind == "message":
            return self._message(value)
        self.ended = self.ended or kind == "message_stop"
        return ()

    def finish(self) -> Iterator[Chunk]:
        """What the end of the stream completes: blocks that never stopped, then the stop reason."""
        for index in list(self._blocks):
            yield from self._end(index)
        yield from self._order.finish()
        yield self._stop or StopChunk("other", "")

    def _begin(self, index: Any, start: Any) -> Iterator[Chunk]:
        if not isinstance(start, Mapping):
            return
        yield from self._end(index)
        block = self._blocks[index] = _Block(start)
        self._order.begin(index)
        yield from self._order.add(index, _shown(block.kind, block.whole(block.kind)))

    def _delta(self, index: Any, delta: Any) -> Iterator[Chunk]:
        block = self._blocks.get(index)
        if block is None or not isinstance(delta, dict):
            return
        kind = str(delta.get("type") or "")
        if kind == "citations_delta":
            block.citations.append(delta.get("citation"))
            return
        if kind not in _PIECES:
            _apply(block, delta)
            return
        name = _PIECES[kind]
        piece = delta.get(name)
        if isinstance(piece, str) and piece:
            block.add(name, piece)
            yield from self._order.add(index, _shown(name, piece))

    def _end(self, index: Any) -> Iterator[Chunk]:
        block = self._blocks.pop(index, None)
        if block is not None:
            yield from self._order.add(index, self._completed(block))
            yield from self._order.end(index)

    def _completed(self, block: _Block) -> Iterator[Chunk]:
        """What a finished block gives besides its text."""
        if block.kind == "text":
            yield from _citations(block.citations)
        elif block.kind == "thinking":
            kept = self._kept({**block.start, "signature": block.whole("signature")}, "thinking")
            yield PartChunk(ThinkingPart(block.whole("thinking"), WIRE, kept))
        elif block.kind == "redacted_thinking":
            yield PartChunk(ThinkingPart("", WIRE, self._kept(block.start)))
        elif block.kind == "tool_use":
            call_id, name = str(block.start.get("id") or ""), str(block.start.get("name") or "")
            kept = self._kept(block.start, "type", "id", "name", "input")
            yield PartChunk(ToolCallPart(call_id, name, block.arguments, WIRE, kept))
        elif block.kind:
            whole = dict(block.start)
            if written := block.whole("partial_json"):
                whole["input"] = _parsed(written)
            yield PartChunk(OpaquePart(self._kept(whole), WIRE))

    def _kept(self, block: Mapping[str, Any], *without: str) -> dict[str, Any]:
        """What has to return, and whose it is. Nothing of value is null on this wire."""
        kept = {name: value for name, value in block.items() if name not in without and value is not None}
        return {**kept, "provider": self._provider}

    def _message_delta(self, value: Mapping[str, Any]) -> Iterator[Chunk]:
        if isinstance(value.get("usage"), Mapping):
            yield UsageChunk(value)
        if isinstance(value.get("delta"), Mapping):
            yield from self._stopped(value["delta"])

    def _stopped(self, delta: Mapping[str, Any]) -> Iterator[Chunk]:
        reason = delta.get("stop_reason")
        if not isinstance(reason, str) or not reason or self.stopped:
            return
        self.stopped = True
        self._stop = StopChunk(_STOPS.get(reason, "other"), reason)
        details = delta.get("stop_details")
        if reason == "refusal" and isinstance(details, Mapping):
            said = details.get("explanation") or details.get("category")
            if said:
                yield NoteChunk(f"{self._provider} declined: {said}")

    def _message(self, message: Mapping[str, Any]) -> Iterator[Chunk]:
        """A whole message."""
        content = message.get("content")
        for index, block in enumerate(content if isinstance(content, list) else ()):
            yield from self._begin(index, block)
            yield from self._end(index)
        if isinstance(message.get("usage"), Mapping):
            yield UsageChunk({name: item for name, item in message.items() if name != "content"})
        yield from self._stopped(message)
        self.ended = True


def _shown(name: str, text: str) -> Iterator[Chunk]:
    if name == "text" and text:
        yield TextChunk(text)
    elif name == "thinking" and text:
        yield ThinkingChunk(text)


def _apply(block: _Block, delta: Mapping[str, Any]) -> None:
    """A delta of a kind not known: text goes on, everything else is replaced."""
    for name, value in delta.items():
        if name == "type":
            continue
        before = block.start.get(name)
        block.start[name] = before + value if isinstance(before, str) and isinstance(value, str) else value


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}


def _citations(citations: list[Any]) -> Iterator[Chunk]:
    """Sources of a text block, each once: pages of the web, search results, documents of the request."""
    seen: set[CitationPart] = set()
    for citation in citations:
        if not isinstance(citation, Mapping):
            continue
        url = str(citation.get("url") or citation.get("source") or "")
        title = str(citation.get("title") or citation.get("document_title") or "")
        part = CitationPart(url, title, str(citation.get("cited_text") or ""))
        if part not in seen:
            seen.add(part)
            yield PartChunk(part)
