"""An answer while it arrives: filled on the engine's loop, drawn on the main thread that waits."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from valechat.events import (
    DoneEvent,
    Event,
    ProgressEvent,
    StatusEvent,
    TextEvent,
    ThinkingEvent,
    ToolCallEvent,
    ToolResultEvent,
)
from valechat.reply import Reply

__all__ = ["Arriving"]

MOST_SHOWN = 120
"""Most characters of a tool's arguments or result in the line about it."""


class Arriving:
    """One answer under way.

    Attributes:
        model: Whom was asked, as far as it is known.
        conversation_id: Where.
        reply: The whole answer, once it is there.
        error: Why there is none.
    """

    def __init__(self, model: str, conversation_id: str) -> None:
        self.model = model
        self.conversation_id = conversation_id
        self.reply: Reply | None = None
        self.error: Exception | None = None
        self.notes: list[str] = []
        self.tools: list[str] = []
        self.begun_at = datetime.now(UTC)
        self._begun = time.monotonic()
        self._ended: float | None = None
        self._pieces: list[str] = []
        self._thought = 0
        self._step = ""

    async def follow(self, turn: AsyncGenerator[Event, None]) -> None:
        """Take in a turn to its end. Cancelling this stops the turn."""
        self._begun, self.begun_at = time.monotonic(), datetime.now(UTC)
        try:
            async with contextlib.aclosing(turn) as events:
                async for event in events:
                    self._take(event)
        finally:
            self._ended = time.monotonic()

    async def follow_quietly(self, turn: AsyncGenerator[Event, None]) -> None:
        """As `follow`, but an error is kept in `error`: answers beside this one go on."""
        try:
            await self.follow(turn)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  # shown in this answer's place, raised after all are done
            self.error = error

    @property
    def text(self) -> str:
        """The text so far."""
        return self.reply.text if self.reply is not None else "".join(self._pieces)

    @property
    def duration(self) -> float:
        """Seconds since it was asked, to its end."""
        return (self._ended or time.monotonic()) - self._begun

    @property
    def progress(self) -> str:
        """One line about an answer that is not complete."""
        doing = (
            "answering" if self._pieces else f"thinking ({self._thought:,} characters)" if self._thought else "asked"
        )
        return " · ".join([doing, self.model, f"{self.duration:.0f} s", *filter(None, [_short(self._step)])])

    def _take(self, event: Event) -> None:
        match event:
            case TextEvent(text=text):
                self._pieces.append(text)
            case ThinkingEvent(text=text):
                self._thought += len(text)
            case ProgressEvent(text=text):
                self._step = text
            case StatusEvent(text=text):
                self.notes.append(text)
            case ToolCallEvent(call=call):
                self.tools.append(f"{call.name}({_short(call.arguments)})")
                self._new_paragraph()
            case ToolResultEvent(result=result):
                self._step = ""
                verb = "failed" if result.is_error else "answered"
                self.tools.append(f"{result.name} {verb}: {_short(result.text)}")
            case DoneEvent(reply=reply):
                self.reply = reply

    def _new_paragraph(self) -> None:
        """What a model says before and after a tool call are two things."""
        if self._pieces:
            self._pieces.append("\n\n")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_SHOWN else f"{line[: MOST_SHOWN - 1]}…"
