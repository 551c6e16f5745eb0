"""A panel that follows its conversation, whoever writes in it: another kernel, a cell, the command line.

While the user looks, the ledger is asked once a second whether anybody wrote to it at all, which costs a
look at a file's time; only then is the conversation's head compared with what the panel shows.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from valechat.ledger.base import Conversation, StoredMessage
from valechat.ledger.threads import durably
from valechat.services import services

__all__ = ["Following"]

PACE = 1.0
"""Seconds between two looks."""

LOOKING = 600.0
"""Seconds after the panel last said that it is looked at. It says so again when it is touched."""


class Following:
    """What one panel has seen of its conversation. Used on the engine's loop.

    Args:
        current: The conversation on show.
        busy: Whether the panel itself writes in it; what it shows then is newer than the ledger.
        show: Shows it as it is now, and says by `saw` what that was.
    """

    def __init__(
        self, current: Callable[[], str], busy: Callable[[], bool], show: Callable[[], Awaitable[None]]
    ) -> None:
        self._current = current
        self._busy = busy
        self._show = show
        self._seen: tuple[str, Conversation | None] = ("", None)
        self._written: tuple[object, object] = (None, None)
        self._until = 0.0
        self._looking: asyncio.Task[None] | None = None

    def saw(self, conversation_id: str, head: Conversation | None) -> None:
        """The panel shows a conversation as it was when it had this head."""
        self._seen = (conversation_id, head)

    async def wrote(self, conversation_id: str, question_id: str, stored: Sequence[StoredMessage]) -> None:
        """The panel shows the turn of this question, as far as it is stored.

        Where there are other messages than it has shown, the next look finds them.
        """
        turn = {question_id}
        for message in stored:
            if message.parent_id in turn and message.message.role != "user":
                turn.add(message.id)
        messages = sum(message.id in turn for message in stored)
        head = await durably(services().ledger.conversation, conversation_id)
        seen_in, seen = self._seen
        if head is not None and seen_in == conversation_id:
            before = 0 if seen is None else seen.message_count
            if head.message_count == before + messages:
                self._seen = (conversation_id, head)

    async def look(self) -> None:
        """The user looks: see now what happened, and again and again for a while."""
        self._until = time.monotonic() + LOOKING
        self._written = (None, None)
        await self._compare()
        if self._looking is None:
            # Held, because a loop keeps no task alive.
            self._looking = asyncio.get_running_loop().create_task(self._go_on())
            self._looking.add_done_callback(self._stopped)

    async def _go_on(self) -> None:
        while time.monotonic() < self._until:
            await asyncio.sleep(PACE)
            await self._compare()

    def _stopped(self, task: asyncio.Task[None]) -> None:
        self._looking = None
        if not task.cancelled():
            # A ledger that cannot be read says so where it is needed; the next look tries again.
            task.exception()

    async def _compare(self) -> None:
        ledger = services().ledger
        written = await durably(ledger.written)
        if self._written == (written, written):
            return
        if self._busy():
            return
        # Two writes can carry the same time, so a time is believed when it was met twice.
        self._written = (written, self._written[0])
        conversation_id = self._current()
        head = await durably(ledger.conversation, conversation_id)
        if (conversation_id, head) != self._seen and not self._busy():
            await self._show()
