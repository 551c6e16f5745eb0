"""What has arrived of one answer, as a value that grows.

The state of a stream lives here and nowhere else; providers keep none.
"""

from __future__ import annotations

import time
from typing import Any

from valechat.messages import Message, Part, RefusalPart, TextPart, ThinkingPart, ToolCallPart
from valechat.providers.base import Chunk, NoteChunk, PartChunk, StopChunk, TextChunk, ThinkingChunk, UsageChunk

__all__ = ["Answer"]


class Answer:
    """One answer while it arrives.

    Attributes:
        usage_raw: The wire's usage-bearing pieces, in order, for `Usage.from_wire`.
        stop: Why the model stopped, None while it has not said.
        notes: What the provider wants the user to know.
        first_token_ms: Milliseconds from `Answer()` to the first visible piece.
    """

    def __init__(self) -> None:
        self.usage_raw: list[Any] = []
        self.stop: StopChunk | None = None
        self.notes: list[str] = []
        self.first_token_ms: int | None = None
        self._begun = time.monotonic()
        self._parts: list[Part] = []
        self._pieces: list[str] = []
        self._open: type[TextPart | RefusalPart | ThinkingPart] = TextPart
        self._output_bytes = 0

    def add(self, chunk: Chunk) -> None:
        """Take in what arrived."""
        if isinstance(chunk, TextChunk):
            self._write(RefusalPart if chunk.refusal else TextPart, chunk.text)
        elif isinstance(chunk, ThinkingChunk):
            self._write(ThinkingPart, chunk.text)
        elif isinstance(chunk, PartChunk):
            self._finish(chunk.part)
        elif isinstance(chunk, UsageChunk):
            self.usage_raw.append(chunk.raw)
        elif isinstance(chunk, StopChunk):
            self.stop = chunk
        elif isinstance(chunk, NoteChunk):
            self.notes.append(chunk.text)

    @property
    def started(self) -> bool:
        """Whether anything visible has arrived."""
        return self.first_token_ms is not None

    @property
    def output_bytes(self) -> int:
        """UTF-8 bytes of all output so far: text, reasoning, tool arguments."""
        return self._output_bytes

    @property
    def duration_ms(self) -> int:
        """Milliseconds since the answer was asked for."""
        return round((time.monotonic() - self._begun) * 1000)

    @property
    def message(self) -> Message:
        """The answer as it stands."""
        return Message("assistant", (*self._parts, *self._open_part()))

    def _write(self, kind: type[TextPart | RefusalPart | ThinkingPart], text: str) -> None:
        if not text:
            return
        if kind is not self._open:
            self._parts.extend(self._open_part())
            self._pieces, self._open = [], kind
        self._pieces.append(text)
        self._seen(text)

    def _finish(self, part: Part) -> None:
        replaces = isinstance(part, ThinkingPart) and self._open is ThinkingPart
        if not replaces:
            self._parts.extend(self._open_part())
        if isinstance(part, ToolCallPart):
            self._seen(part.name + part.arguments)
        elif isinstance(part, ThinkingPart) and not replaces:
            self._seen(part.text)
        elif not self.started:
            self._seen("")
        self._pieces, self._open = [], TextPart
        self._parts.append(part)

    def _open_part(self) -> tuple[Part, ...]:
        return (self._open("".join(self._pieces)),) if self._pieces else ()

    def _seen(self, text: str) -> None:
        if self.first_token_ms is None:
            self.first_token_ms = self.duration_ms
        self._output_bytes += len(text.encode("utf-8", "surrogatepass"))
