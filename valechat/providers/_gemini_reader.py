"""The stream of a Gemini `streamGenerateContent` call, chunk by chunk, as `Chunk`s.

Each chunk is a whole `GenerateContentResponse` with the parts that are new (API reference, "Generating
content"). There is no end mark: the chunk with a `finishReason`, or with the reason why the question was
blocked, makes the answer whole. Parts of kinds that are not known here are kept as they came.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from valechat.messages import CitationPart, FilePart, ImagePart, OpaquePart, ThinkingPart, ToolCallPart
from valechat.providers._gemini_contents import MADE_ID, SIGNATURE, WIRE
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

__all__ = ["GeminiReader"]

_FILTERED = (
    "BLOCKLIST",
    "ESCALATION",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "IMAGE_SAFETY",
    "LANGUAGE",
    "MODEL_ARMOR",
    "PROHIBITED_CONTENT",
    "RECITATION",
    "SAFETY",
    "SPII",
)
_STOPS: dict[str, StopReason] = {
    "STOP": "end",
    "MAX_TOKENS": "max_tokens",
    "CONTINUATION": "paused",
    "FUNCTION_CALL": "tool_calls",  # said by servers that imitate the wire
    **dict.fromkeys(_FILTERED, "filtered"),
}
_NOT_YET = ("", "FINISH_REASON_UNSPECIFIED")

_USAGE_EVERY = 64
"""Each chunk counts all so far: the first, each 64th and the last are passed on."""


class GeminiReader:
    """Reads one stream: `read` each value, then `finish`.

    Args:
        provider: Whose stream it is.
        model: The model that was asked; both are kept with what must return to it unchanged.

    Attributes:
        stopped: The reason why the answer ended has arrived.
    """

    def __init__(self, provider: str, model: str) -> None:
        self.stopped = False
        self._provider = provider
        self._origin = {"provider": provider, "model": model}
        self._thoughts: list[str] = []
        self._called = self._said = False
        self._blocked = False
        self._reason = ""
        self._message = ""
        self._sources: dict[str, CitationPart] = {}
        self._queries: list[Any] = []
        self._usages = 0
        self._usage: UsageChunk | None = None

    def read(self, value: Any) -> Iterator[Chunk]:
        """What one value of the stream says."""
        if not isinstance(value, Mapping):
            return
        blocked = mapping(value, "promptFeedback")
        if isinstance(blocked.get("blockReason"), str) and not self.stopped:
            self._blocked = True
            self._stop(blocked["blockReason"], blocked.get("blockReasonMessage"))
        candidates = value.get("candidates")
        for candidate in candidates if isinstance(candidates, list) else ():
            if isinstance(candidate, Mapping) and not candidate.get("index"):
                yield from self._candidate(candidate)
        if mapping(value, "usageMetadata"):
            self._usage = self._counted(value)
            if self._usages % _USAGE_EVERY == 0:
                yield from self.latest_usage()
            self._usages += 1

    def finish(self) -> Iterator[Chunk]:
        """What the end of the stream completes: citations, why it ended, the last usage."""
        for source in self._sources.values():
            yield PartChunk(source)
        reason = "filtered" if self._blocked else _STOPS.get(self._reason, "other")
        if reason == "end" and self._called:
            reason = "tool_calls"
        yield from self._explained(reason)
        yield StopChunk(reason, self._reason)
        yield from self.latest_usage()

    def latest_usage(self) -> Iterator[Chunk]:
        """Usage that has arrived and was not passed on yet."""
        usage, self._usage = self._usage, None
        if usage is not None:
            yield usage

    def _candidate(self, candidate: Mapping[str, Any]) -> Iterator[Chunk]:
        parts = mapping(candidate, "content").get("parts")
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, Mapping):
                yield from self._part(part)
        self._cite(candidate)
        reason = candidate.get("finishReason")
        if isinstance(reason, str) and reason not in _NOT_YET and not self.stopped:
            self._stop(reason, candidate.get("finishMessage"))

    def _part(self, part: Mapping[str, Any]) -> Iterator[Chunk]:
        text = part.get("text")
        if part.get("thought"):
            # Drafts of an image are shown by no one and asked back by no one.
            yield from self._thought(part, text if isinstance(text, str) else "")
            return
        self._thoughts = []
        if isinstance(part.get("functionCall"), Mapping):
            self._called = self._said = True
            yield PartChunk(self._call(part))
        elif isinstance(part.get("inlineData"), Mapping):
            self._said = True
            yield PartChunk(self._media(part))
            yield from self._signature(part, on="media")
        elif isinstance(text, str) and (text or set(part) <= {"text", "thought", "thoughtSignature"}):
            if text:
                self._said = True
                yield TextChunk(text)
            yield from self._signature(part, characters=len(text))
        elif part:
            yield PartChunk(OpaquePart({**part, **self._origin}, WIRE))

    def _thought(self, part: Mapping[str, Any], text: str) -> Iterator[Chunk]:
        if text:
            self._thoughts.append(text)
            yield ThinkingChunk(text)
        if part.get("thoughtSignature"):
            whole, self._thoughts = "".join(self._thoughts), []
            kept = {name: value for name, value in part.items() if name not in ("text", "thought")}
            yield PartChunk(ThinkingPart(whole, WIRE, {**kept, **self._origin}))

    def _call(self, part: Mapping[str, Any]) -> ToolCallPart:
        call = part["functionCall"]
        arguments = call.get("args")
        kept = {name: value for name, value in part.items() if name != "functionCall"}
        kept["functionCall"] = {name: value for name, value in call.items() if name not in ("name", "args")}
        return ToolCallPart(
            id=str(call.get("id") or f"{MADE_ID}{secrets.token_hex(8)}"),
            name=str(call.get("name") or ""),
            arguments=orjson.dumps({} if arguments is None else arguments).decode(),
            wire=WIRE,
            opaque={**kept, **self._origin},
        )

    def _media(self, part: Mapping[str, Any]) -> ImagePart | FilePart | OpaquePart:
        """What the model drew or spoke."""
        kind = str(part["inlineData"].get("mimeType") or "application/octet-stream")
        try:
            data = base64.b64decode(part["inlineData"].get("data") or "", validate=True)
        except (binascii.Error, TypeError, ValueError):
            return OpaquePart({**part, **self._origin}, WIRE)
        name = f"answer.{kind.partition('/')[2].partition(';')[0] or 'bin'}"
        return ImagePart(data, kind) if kind.startswith("image/") else FilePart(data, kind, name)

    def _signature(self, part: Mapping[str, Any], **where: Any) -> Iterator[Chunk]:
        signature = part.get("thoughtSignature")
        if signature:
            kept = {"kind": SIGNATURE, "thoughtSignature": signature, **where, **self._origin}
            yield PartChunk(OpaquePart(kept, WIRE))

    def _cite(self, candidate: Mapping[str, Any]) -> None:
        """Sources of the answer, each once; later chunks repeat those so far."""
        grounding = mapping(candidate, "groundingMetadata")
        queries = grounding.get("webSearchQueries")
        if isinstance(queries, list) and len(queries) > len(self._queries):
            self._queries = queries
        for chunk in _items(grounding, "groundingChunks"):
            for kind in ("web", "retrievedContext", "maps", "image"):
                source = mapping(chunk, kind)
                url = source.get("uri") or source.get("sourceUri")
                if url:
                    quote = source.get("text") if kind == "retrievedContext" else ""
                    self._source(url, source.get("title"), quote)
        for source in _items(mapping(candidate, "citationMetadata"), "citationSources"):
            self._source(mapping(source).get("uri"), mapping(source).get("title"))
        for page in _items(mapping(candidate, "urlContextMetadata"), "urlMetadata"):
            if str(mapping(page).get("urlRetrievalStatus") or "").endswith("SUCCESS"):
                self._source(mapping(page).get("retrievedUrl"))

    def _source(self, url: Any, title: Any = "", quote: Any = "") -> None:
        if isinstance(url, str) and url:
            self._sources.setdefault(url, CitationPart(url, str(title or ""), str(quote or "")))

    def _stop(self, reason: str, message: Any) -> None:
        self.stopped = True
        self._reason = reason
        self._message = message if isinstance(message, str) else ""

    def _explained(self, reason: StopReason) -> Iterator[Chunk]:
        """Say why, where the answer is not what was asked for or is none."""
        if reason in ("filtered", "other"):
            what = "blocked the question" if self._blocked else "ended the answer"
            yield NoteChunk(f"{self._provider} {what}: {self._message or self._reason}")
        elif reason == "max_tokens" and not self._said:
            yield NoteChunk(f"{self._provider} gave no answer: all of its output tokens went into reasoning.")
        elif reason == "end" and not self._said:
            yield NoteChunk(f"{self._provider} gave an empty answer.")

    def _counted(self, value: Mapping[str, Any]) -> UsageChunk:
        """The counts, and what else changes the price: the model that answered, and its searches."""
        raw = {name: value[name] for name in ("usageMetadata", "modelVersion") if name in value}
        if self._queries:
            raw["candidates"] = [{"groundingMetadata": {"webSearchQueries": list(self._queries)}}]
        return UsageChunk(raw)


def _items(source: Mapping[str, Any], name: str) -> list[Any]:
    items = source.get(name)
    return items if isinstance(items, list) else []
