"""What a server's owner needs of the manager, and what it remembers of one run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from valechat.errors import ValeChatError
from valechat.ids import new_id
from valechat.plugins.base import LogLine

if TYPE_CHECKING:
    from valechat.plugins.connection import Connection
    from valechat.plugins.definition import Definition
    from valechat.plugins.owner import Owner
    from valechat.plugins.transports.base import Link

__all__ = ["Host", "Run"]


@dataclass
class Run:
    """One run of a server.

    Attributes:
        began: When it was begun.
        id: Under which it is taken down.
        doing: What is being done, for the sentence that says what failed.
        up: Since when it is ready, by the owner's clock; None while it is not.
        reason: Why it ended: `stopped`, `restarted`, `crashed`, `failed` (it never ran), `shutdown`.
        failed: The error it ended with; None when it was stopped.
    """

    began: datetime
    id: str = field(default_factory=new_id)
    doing: str = "starting"
    up: float | None = None
    reason: str = ""
    failed: ValeChatError | None = None


class Host(Protocol):
    """What an owner needs."""

    async def resolve(self, definition: Definition) -> Definition:
        """The definition with its variables' values."""
        ...

    def open(
        self, owner: Owner, definition: Definition, linked: Callable[[Link], None]
    ) -> AbstractAsyncContextManager[Connection]:
        """The connection to the server; `linked` is told when the way to it is open."""
        ...

    def state_changed(self, owner: Owner) -> None:
        """It came into another state."""
        ...

    def listed(self, owner: Owner, *, silently: bool = False) -> None:
        """Its tools are others now; `silently` where a change of state tells of it anyway."""
        ...

    def failed(self, owner: Owner, error: ValeChatError) -> None:
        """Something went wrong."""
        ...

    def logged(self, owner: Owner, line: LogLine) -> None:
        """Its log has a new line."""
        ...

    def ran(self, owner: Owner, run: Run) -> None:
        """A run is on, or came to its end, which has a reason."""
        ...
