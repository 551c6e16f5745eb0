"""What `Chat.stream` yields, in the order it happens.

Every event has a `kind`: `text`, `thinking`, `tool_call`, `tool_result`, `status`, `usage` or
`done`. A turn ends with exactly one `done`, unless it raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Literal

from valechat.messages import ToolCallPart, ToolResultPart
from valechat.usage import Usage

if TYPE_CHECKING:
    from valechat.reply import Reply

__all__ = [
    "DoneEvent",
    "Event",
    "ProgressEvent",
    "StatusEvent",
    "TextEvent",
    "ThinkingEvent",
    "ToolCallEvent",
    "ToolResultEvent",
    "UsageEvent",
]


@dataclass(frozen=True, slots=True)
class TextEvent:
    """A piece of the answer's text."""

    text: str
    kind: ClassVar[Literal["text"]] = "text"


@dataclass(frozen=True, slots=True)
class ThinkingEvent:
    """A piece of the model's reasoning."""

    text: str
    kind: ClassVar[Literal["thinking"]] = "thinking"


@dataclass(frozen=True, slots=True)
class ToolCallEvent:
    """The model wants a tool called; its arguments are complete."""

    call: ToolCallPart
    kind: ClassVar[Literal["tool_call"]] = "tool_call"


@dataclass(frozen=True, slots=True)
class ToolResultEvent:
    """A tool answered."""

    result: ToolResultPart
    kind: ClassVar[Literal["tool_result"]] = "tool_result"


@dataclass(frozen=True, slots=True)
class StatusEvent:
    """Something the user should know about how the turn goes on: a retry, a fallback, less room."""

    text: str
    kind: ClassVar[Literal["status"]] = "status"


@dataclass(frozen=True, slots=True)
class ProgressEvent(StatusEvent):
    """How far a running tool call is. It replaces the one before for the same call, and is kept nowhere.

    `done` and `total` are in the tool's own unit; `total` is None when the tool does not know it.
    """

    call_id: str = ""
    done: float = 0
    total: float | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """One request of the turn was settled. `cost` is USD, None when unknown."""

    request_id: str
    usage: Usage
    cost: Decimal | None
    kind: ClassVar[Literal["usage"]] = "usage"


@dataclass(frozen=True, slots=True)
class DoneEvent:
    """The turn is over and stored."""

    reply: Reply
    kind: ClassVar[Literal["done"]] = "done"


Event = TextEvent | ThinkingEvent | ToolCallEvent | ToolResultEvent | StatusEvent | UsageEvent | DoneEvent
