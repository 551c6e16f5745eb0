"""Items from a source on one loop to a reader on another, in order, in batches, and never too many."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator
from typing import Generic, TypeVar

__all__ = ["MOST_BUFFERED", "Handover"]

T = TypeVar("T")

MOST_BUFFERED = 4096
"""Items held for a slow reader, besides the batch in its hands, before the source has to wait."""


class Handover(Generic[T]):
    """One source and one reader. Made on the reader's loop; `pump` runs on the source's."""

    def __init__(self, source: AsyncGenerator[T, None]) -> None:
        self._source = source
        self._items: deque[T] = deque()
        self._reader = asyncio.get_running_loop()
        self._arrived = asyncio.Event()
        self._ended = asyncio.Event()
        self._writer: asyncio.AbstractEventLoop | None = None
        self._announced = False
        self._room = asyncio.Event()

    async def pump(self) -> None:
        """Read the source to its end; wait while the reader is too far behind."""
        self._writer = writer = asyncio.get_running_loop()
        items = self._items
        try:
            async with contextlib.aclosing(self._source):
                async for item in self._source:
                    items.append(item)
                    if not self._announced:
                        # Once the source has to wait, not for each item: two threads that wake each
                        # other item by item cost as much as all the rest.
                        self._announced = True
                        writer.call_soon(self._announce)
                    if len(items) >= MOST_BUFFERED:
                        self._room.clear()
                        await self._room.wait()
        finally:
            self._tell(self._ended)
            self._tell(self._arrived)

    async def batch(self, timeout: float) -> list[T]:
        """What has arrived, waiting up to `timeout` seconds for a first item; empty when none came."""
        if not self._items and not self._ended.is_set():
            self._arrived.clear()
            if not self._items and not self._ended.is_set():
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._arrived.wait(), timeout)
        items = [self._items.popleft() for _ in range(len(self._items))]
        if self._writer is not None and len(items) >= MOST_BUFFERED:
            self._writer.call_soon_threadsafe(self._room.set)
        return items

    @property
    def over(self) -> bool:
        """Whether the source has ended and all its items were read."""
        return self._ended.is_set() and not self._items

    async def ended(self, timeout: float) -> None:
        """Wait until the source has cleaned up, up to `timeout` seconds."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._ended.wait(), timeout)

    def _announce(self) -> None:
        self._announced = False
        self._tell(self._arrived)

    def _tell(self, event: asyncio.Event) -> None:
        with contextlib.suppress(RuntimeError):
            self._reader.call_soon_threadsafe(event.set)
