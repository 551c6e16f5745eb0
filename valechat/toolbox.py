"""The tools a turn may call, seen from the session: what is offered, and how one is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from valechat.messages import ToolCallPart, ToolResultPart
from valechat.providers.base import ToolSpec

if TYPE_CHECKING:
    from valechat.asking import Asker
    from valechat.plugins.base import Progress

__all__ = ["Called", "Toolbox"]


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call's outcome.

    Attributes:
        result: What the model gets.
        plugin: The id of the plugin whose tool it is; `notebook` for a function.
        status: `ok`, `error`, `refused`, `timeout` or `cancelled`.
        duration_ms: How long the tool itself took, where waiting for the user is not to count.
        output_bytes: The size of the tool's whole answer, where the model got only a part.
        note: What the user should know; empty when there is nothing.
    """

    result: ToolResultPart
    plugin: str
    status: str
    duration_ms: int | None = None
    output_bytes: int | None = None
    note: str = ""


class Toolbox(Protocol):
    """The tools of one conversation."""

    def specs(self) -> Sequence[ToolSpec]:
        """What is offered to the model now."""
        ...

    def origin(self, name: str) -> tuple[str, str]:
        """The plugin a tool is of, and its own name there; an empty plugin for a tool that is not there."""
        ...

    async def call(
        self,
        call: ToolCallPart,
        *,
        asker: Asker | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Called:
        """Call a tool. A fault of the tool is an outcome for the model to read, never an exception.

        Args:
            call: The call, as the model wrote it.
            asker: Who can ask the user whether it may run; None when nobody can.
            on_progress: Called with what the tool says of how far it is; must not block.
        """
        ...
