"""The stream of a Responses call, event by event, as `Chunk`s.

The form is OpenAI's API reference, "Streaming events". Text comes in pieces; everything else is taken from
the finished item, or, where a server does not send one, from the response at the end. Events and items
that are not known are passed over or kept whole. A whole `response` in place of a stream is read as well.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping
from typing import Any

from valechat.messages import CitationPart, ImagePart, OpaquePart, ThinkingPart, ToolCallPart
from valechat.providers._in_order import InOrder
from valechat.providers._responses_items import WIRE
from valechat.providers.base import Chunk, PartChunk, StopChunk, StopReason, TextChunk, ThinkingChunk, UsageChunk

__all__ = ["ResponsesReader"]

_INCOMPLETE: dict[str, StopReason] = {"max_output_tokens": "max_tokens", "content_filter": "filtered"}
_ENDS = ("response.completed", "response.incomplete", "response.failed")
_THOUGHTS = ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")


class _Item:
    """An output item while it arrives."""

    def __init__(self) -> None:
        self.start: Mapping[str, Any] = {}
        self.written = False
        self.thought: list[str] = []
        self.arguments: list[str] = []
        self.citations: list[CitationPart] = []


class ResponsesReader:
    """Reads one stream: `read` each value, then `finish`.

    Args:
        provider: Whose stream it is; kept with what must return to it unchanged.

    Attributes:
        ended: The stream's own end has arrived.
        failed: What the server says of its failure, None where it did not fail.
    """

    def __init__(self, provider: str) -> None:
        self.ended = False
        self.failed: Any = None
        self._provider = provider
        self._open: dict[Any, _Item] = {}
        self._done: set[Any] = set()
        self._order = InOrder()
        self._called = self._refused = False
        self._stop: StopChunk | None = None

    def read(self, value: Any) -> Iterator[Chunk]:
        """What one value of the stream says."""
        if not isinstance(value, Mapping):
            return
        kind = value.get("type")
        if kind in _ENDS:
            yield from self._end(value.get("response"), str(kind).removeprefix("response."))
        elif value.get("object") == "response" and kind is None:
            yield from self._end(value, str(value.get("status") or "completed"))
        elif isinstance(kind, str) and kind.startswith("response."):
            yield from self._event(kind, _place(value), value)

    def finish(self) -> Iterator[Chunk]:
        """The stop reason, when the stream has ended by its own end."""
        yield from self._order.finish()
        yield self._stop or StopChunk("other", "")

    def _event(self, kind: str, index: Any, value: Mapping[str, Any]) -> Iterator[Chunk]:
        delta = value.get("delta")
        if kind == "response.output_item.added":
            self._item(index).start = _mapping(value.get("item"))
        elif kind == "response.output_item.done":
            yield from self._finished(index, _mapping(value.get("item")))
        elif kind == "response.output_text.annotation.added":
            _cite(self._item(index), value.get("annotation"))
        elif kind == "response.reasoning_summary_part.added":
            if self._item(index).thought:
                yield from self._think(index, "\n\n")
        elif kind == "response.function_call_arguments.done" and isinstance(value.get("arguments"), str):
            self._item(index).arguments[:] = [value["arguments"]]
        elif not isinstance(delta, str) or not delta:
            return
        elif kind == "response.output_text.delta":
            yield from self._write(index, TextChunk(delta))
        elif kind == "response.refusal.delta":
            yield from self._write(index, TextChunk(delta, refusal=True))
        elif kind in _THOUGHTS:
            yield from self._think(index, delta)
        elif kind == "response.function_call_arguments.delta":
            self._item(index).arguments.append(delta)

    def _item(self, index: Any) -> _Item:
        if index not in self._open:
            self._open[index] = _Item()
            self._order.begin(index)
        return self._open[index]

    def _write(self, index: Any, chunk: TextChunk) -> Iterator[Chunk]:
        self._item(index).written = True
        self._refused = self._refused or chunk.refusal
        yield from self._order.add(index, [chunk])

    def _think(self, index: Any, text: str) -> Iterator[Chunk]:
        self._item(index).thought.append(text)
        yield from self._order.add(index, [ThinkingChunk(text)])

    def _finished(self, index: Any, whole: Mapping[str, Any]) -> Iterator[Chunk]:
        """An item is complete: what it gives besides the pieces that came."""
        if index in self._done or whole.get("id") in self._done:
            return
        item = self._item(index)
        self._done.update(place for place in (index, whole.get("id")) if place is not None)
        yield from self._order.add(index, list(self._completed(item, {**item.start, **whole})))
        del self._open[index]
        yield from self._order.end(index)

    def _completed(self, item: _Item, whole: Mapping[str, Any]) -> Iterator[Chunk]:
        kind = whole.get("type")
        if kind == "message":
            yield from self._message(item, whole)
        elif kind == "reasoning":
            text = "".join(item.thought) or _joined(whole.get("summary")) or _joined(whole.get("content"))
            if text and not item.thought:
                yield ThinkingChunk(text)
            yield PartChunk(ThinkingPart(text, WIRE, self._kept(whole)))
        elif kind == "function_call":
            self._called = True
            written = whole.get("arguments")
            arguments = written if isinstance(written, str) and written else "".join(item.arguments)
            call_id = str(whole.get("call_id") or whole.get("id") or "")
            kept = self._kept(whole, "type", "call_id", "name", "arguments")
            yield PartChunk(ToolCallPart(call_id, str(whole.get("name") or ""), arguments, WIRE, kept))
        elif kind == "image_generation_call":
            yield from _image(whole)
        elif isinstance(kind, str) and kind:
            yield PartChunk(OpaquePart(self._kept(whole), WIRE))

    def _message(self, item: _Item, whole: Mapping[str, Any]) -> Iterator[Chunk]:
        content = whole.get("content")
        for part in content if isinstance(content, list) else ():
            if not isinstance(part, Mapping):
                continue
            for annotation in part.get("annotations") or ():
                _cite(item, annotation)
            for name, refusal in (("text", False), ("refusal", True)):
                if not item.written and isinstance(part.get(name), str) and part[name]:
                    self._refused = self._refused or refusal
                    yield TextChunk(part[name], refusal=refusal)
        yield from map(PartChunk, item.citations)
        if whole.get("id"):
            yield PartChunk(OpaquePart(self._kept(whole, "content", "role"), WIRE))

    def _end(self, response: Any, status: str) -> Iterator[Chunk]:
        """The response ends: what of it did not come before, its usage, why it stopped."""
        response = _mapping(response)
        output = response.get("output")
        output = output if isinstance(output, list) else []
        for index, whole in enumerate(map(_mapping, output)):
            if status != "failed":
                yield from self._finished(whole["id"] if whole.get("id") in self._open else index, whole)
        if isinstance(response.get("usage"), Mapping):
            yield UsageChunk(_billed(response, output))
        self.ended = True
        if status == "failed":
            self.failed = {"error": response.get("error") or {"message": "The response failed."}}
        elif status == "incomplete":
            reason = str(_mapping(response.get("incomplete_details")).get("reason") or status)
            self._stop = StopChunk(_INCOMPLETE.get(reason, "other"), reason)
        else:
            self._stop = StopChunk("tool_calls" if self._called else "refusal" if self._refused else "end", status)

    def _kept(self, item: Mapping[str, Any], *without: str) -> dict[str, Any]:
        """What has to return, and whose it is."""
        kept = {name: value for name, value in item.items() if name not in without and value is not None}
        return {**kept, "provider": self._provider}


def _billed(response: Mapping[str, Any], output: list[Any]) -> dict[str, Any]:
    """The response without its content: usage, and what changes the price, such as calls of hosted tools."""
    hosted = [{"type": str(item.get("type"))} for item in map(_mapping, output) if item]
    return {**response, "output": [item for item in hosted if item["type"].endswith("_call")]}


def _place(value: Mapping[str, Any]) -> Any:
    """Which item an event is about; some servers leave the index out."""
    index = value.get("output_index")
    return index if index is not None else value.get("item_id") or _mapping(value.get("item")).get("id")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _joined(parts: Any) -> str:
    texts = (part.get("text") for part in map(_mapping, parts if isinstance(parts, list) else ()))
    return "\n\n".join(text for text in texts if isinstance(text, str) and text)


def _cite(item: _Item, annotation: Any) -> None:
    """A source, once: it comes as an event and again with the finished item."""
    source = _mapping(annotation)
    if source.get("type") == "url_citation" and isinstance(source.get("url"), str):
        citation = CitationPart(source["url"], str(source.get("title") or ""))
    elif source.get("type") in ("file_citation", "container_file_citation"):
        citation = CitationPart("", str(source.get("filename") or source.get("file_id") or ""))
    else:
        return
    if citation not in item.citations:
        item.citations.append(citation)


def _image(whole: Mapping[str, Any]) -> Iterator[Chunk]:
    try:
        data = b64decode(str(whole.get("result") or ""), validate=True)
    except NotBase64:
        return
    if data:
        yield PartChunk(ImagePart(data, f"image/{whole.get('output_format') or 'png'}"))
