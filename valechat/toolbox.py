"""The tools a turn may call, seen from the session: what is offered, and how one is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from valechat.messages import ToolCallPart, ToolResultPart
from valechat.providers.base import ToolSpec

__all__ = ["Called", "Toolbox"]


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call's outcome. `status` is `ok`, `error`, `refused`, `timeout` or `cancelled`."""

    result: ToolResultPart
    plugin: str
    status: str


class Toolbox(Protocol):
    """The tools of one conversation."""

    def specs(self) -> Sequence[ToolSpec]:
        """What is offered to the model now."""
        ...

    async def call(self, call: ToolCallPart) -> Called:
        """Call a tool. A fault of the tool is an outcome for the model to read, never an exception."""
        ...
