"""The kernel's side of one panel, without a kernel: what a browser would send goes in, what it would get comes out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from valechat.chat import Chat
from valechat.engine import engine
from valechat.ledger.base import StoredMessage
from valechat.notebook.conversation import PanelConversation
from valechat.notebook.outbox import Outbox

__all__ = ["PanelUnderTest"]


class PanelUnderTest:
    """A panel's conversation on the engine's loop. Made on the test's loop, where `until` waits.

    `got` is all that came, as JSON would have brought it; `largest` is the longest message in bytes.
    """

    def __init__(self, chat: Chat) -> None:
        self.got: list[dict[str, Any]] = []
        self.largest = 0
        self.transcripts: list[list[StoredMessage]] = []
        self._here = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._conversation = PanelConversation(chat, Outbox(self._take), self.transcripts.append)
        self._turns = 0

    def send(self, message: Mapping[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """What a click sends."""
        engine().loop.call_soon_threadsafe(self._conversation.receive, dict(message), list(buffers))

    def ask(self, text: str, *attached: Mapping[str, Any], buffers: Sequence[bytes] = (), model: str = "") -> str:
        """Send a question; the name of its turn."""
        self._turns += 1
        turn = f"turn-{self._turns}"
        message: dict[str, Any] = {"type": "send", "turn": turn, "text": text, "model": model}
        if attached:
            message["attachments"] = [*attached]
        self.send(message, buffers)
        return turn

    async def until(self, *types: str, within: float = 30) -> dict[str, Any]:
        """The next message of one of these types."""
        async with asyncio.timeout(within):
            while True:
                message = await self._arrived.get()
                if message["type"] in types:
                    return message

    def _take(self, message: Mapping[str, Any]) -> None:
        packed = orjson.dumps(message)
        self.largest = max(self.largest, len(packed))
        arrived = orjson.loads(packed)
        self.got.append(arrived)
        self._here.call_soon_threadsafe(self._arrived.put_nowait, arrived)
