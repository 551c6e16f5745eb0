"""A turn under way, as a panel sees it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from valechat.events import (
    Event,
    ProgressEvent,
    StatusEvent,
    TextEvent,
    ThinkingEvent,
    ToolCallEvent,
    ToolResultEvent,
)
from valechat.ids import new_id
from valechat.notebook.outbox import Outbox
from valechat.notebook.protocol import MessageShown, ProgressShown, Send, ToolShown, TurnStarted
from valechat.notebook.shown import TEXT, blank_answer, question_shown
from valechat.notebook.toolcards import answered_tool, origins, tool_shown
from valechat.notebook.uploads import Taken

__all__ = ["LiveTurn"]


class LiveTurn:
    """A turn under way: what the panel shows of it, and the task behind it.

    What a panel does not get of a long answer is counted and not kept here. `follows` is the message that a branch
    goes on from, empty for the beginning, and None where the turn goes on with what is shown; with `again` it is the
    question itself, which is stored and gets another answer.
    """

    def __init__(
        self,
        message: Send,
        question_id: str,
        taken: Taken,
        model: str,
        conversation_id: str,
        *,
        follows: str | None = None,
        again: bool = False,
    ) -> None:
        self.follows = follows
        self.again = again
        self.refused = False
        self.turn = message["turn"]
        self.conversation_id = conversation_id
        self.attached = taken
        self.question: MessageShown = {
            **question_shown(question_id, message["text"], datetime.now(UTC), taken.shown),
            "turn": self.turn,
        }
        self.task: asyncio.Task[None] | None = None
        self.model = model
        self._answer = blank_answer(new_id(), model, self.turn)
        self._text = _Beginning()
        self._thinking = _Beginning()
        self._began: dict[str, float] = {}

    @property
    def shown(self) -> list[MessageShown]:
        """The messages it adds to those before it, as far as they have arrived."""
        return [self.answer] if self.again else [self.question, self.answer]

    @property
    def answer(self) -> MessageShown:
        """The answer as far as it has arrived."""
        answer: MessageShown = {**self._answer, "text": self._text.value, "thinking": self._thinking.value}
        return {**answer, "more": self._text.more} if self._text.more else answer

    def started(self) -> TurnStarted:
        """Both messages as they stand, for the panel."""
        return TurnStarted(
            type="turn_started",
            seq=0,
            turn=self.turn,
            question=self.question,
            answer=self.answer,
            conversation=self.conversation_id,
        )

    def beside(self, siblings: list[str]) -> None:
        """Show that there are others of what this turn adds first."""
        first = self._answer if self.again else self.question
        first["siblings"], first["sibling"] = [*siblings, first["id"]], len(siblings)

    def take(self, event: Event, outbox: Outbox) -> None:
        """Add what happened to the answer, and tell the panel."""
        if isinstance(event, TextEvent):
            if shown := self._text.add(event.text):
                outbox.text(self.turn, shown)
            if self._text.more:
                outbox.more(self.turn, self._text.more)
        elif isinstance(event, ThinkingEvent):
            if shown := self._thinking.add(event.text):
                outbox.thinking(self.turn, shown)
        elif isinstance(event, ToolCallEvent):
            tool = tool_shown(event.call, None, origins())
            self.began(tool["id"])
            self._answer["tools"].append(tool)
            outbox.tool(self.turn, tool)
        elif isinstance(event, ToolResultEvent):
            lasted = time.monotonic() - self._began.get(event.result.call_id, time.monotonic())
            self._change_tool(
                event.result.call_id,
                lambda tool: {**answered_tool(tool, event.result), "duration_ms": round(lasted * 1000)},
                outbox,
            )
        elif isinstance(event, ProgressEvent):
            progress = ProgressShown(done=event.done, total=event.total, message=event.message)
            self._change_tool(event.call_id, lambda tool: {**tool, "progress": progress}, outbox)
        elif isinstance(event, StatusEvent):
            self._answer["notes"].append(event.text)
            outbox.note(self.turn, event.text)

    @property
    def tools_ran(self) -> bool:
        """Whether a tool has answered."""
        return any(tool["result"] is not None for tool in self._answer["tools"])

    def began(self, call_id: str) -> None:
        """A call runs from now on: what it waited for the user does not count."""
        self._began[call_id] = time.monotonic()

    def tool(self, call_id: str) -> ToolShown | None:
        """A call's card as it stands."""
        return next((tool for tool in self._answer["tools"] if tool["id"] == call_id), None)

    def timed(self, tools: Iterable[ToolShown]) -> list[ToolShown]:
        """The cards with how long their calls took, which the conversation does not keep."""
        timed: list[ToolShown] = []
        for tool in tools:
            seen = self.tool(tool["id"])
            timed.append({**tool, "duration_ms": seen["duration_ms"]} if seen and "duration_ms" in seen else tool)
        return timed

    def _change_tool(self, call_id: str, change: Callable[[ToolShown], ToolShown], outbox: Outbox) -> None:
        # A server that numbers its calls afresh in each answer repeats ids; the last is the one that runs.
        for place, tool in reversed([*enumerate(self._answer["tools"])]):
            if tool["id"] == call_id:
                self._answer["tools"][place] = changed = change(tool)
                outbox.tool(self.turn, changed)
                return


class _Beginning:
    """The beginning of a text that grows, and how many characters follow it."""

    def __init__(self) -> None:
        self.more = 0
        self._pieces: list[str] = []
        self._room = TEXT

    @property
    def value(self) -> str:
        return "".join(self._pieces)

    def add(self, text: str) -> str:
        """Take a piece; what of it belongs to the beginning comes back."""
        shown = text[: self._room]
        self._room -= len(shown)
        self.more += len(text) - len(shown)
        if shown:
            self._pieces.append(shown)
        return shown
