"""Brings a panel what it did not get of a long answer or of a tool's long result, a piece at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from valechat.ledger.base import StoredMessage
from valechat.notebook.outbox import Outbox
from valechat.notebook.protocol import More, ShowMore, ShowTool, ToolPiece
from valechat.notebook.shown import TEXT, answer_text, turn_of
from valechat.notebook.toolcards import whole_result

__all__ = ["PieceDesk"]


class PieceDesk:
    """The way to the rest of long texts. Used on the engine's loop.

    Args:
        outbox: The way to the panel.
        stored: Reads what is shown of the conversation, oldest first.
        stored_id: The stored message that the panel knows by an id.
    """

    def __init__(
        self,
        outbox: Outbox,
        stored: Callable[[], Awaitable[Sequence[StoredMessage]]],
        stored_id: Callable[[str], str],
    ) -> None:
        self._outbox = outbox
        self._stored = stored
        self._stored_id = stored_id

    @property
    def handlers(self) -> Mapping[str, Callable[[Any], Coroutine[Any, Any, None]]]:
        """What answers which message."""
        return {"show_more": self.show_more, "show_tool": self.show_tool}

    async def show_more(self, message: ShowMore) -> None:
        """Send the next piece of an answer."""
        shown, more = message["message"], message["more"]
        text = answer_text(await self._stored(), self._stored_id(shown))
        start = max(0, len(text) - more)
        piece = text[start : start + TEXT]
        left = max(0, len(text) - start - TEXT)
        self._outbox.send(More(type="more", seq=0, message=shown, more=more, text=piece, left=left))

    async def show_tool(self, message: ShowTool) -> None:
        """Send the next piece of a tool's result."""
        shown, call, at = message["message"], message["call"], max(0, message["at"])
        turn = turn_of(await self._stored(), self._stored_id(shown))
        text = await asyncio.to_thread(whole_result, turn, call)
        piece = text[at : at + TEXT]
        left = max(0, len(text) - at - TEXT)
        self._outbox.send(ToolPiece(type="tool_piece", seq=0, message=shown, call=call, at=at, text=piece, left=left))
