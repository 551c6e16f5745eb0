"""Work of which only the newest matters, such as showing how things are now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

__all__ = ["Latest"]

PAUSE = 0.2
"""Seconds between two runs."""


class Latest:
    """Runs one at a time: however often it is called meanwhile, it runs once more afterwards."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._running = self._again = False

    async def __call__(self) -> None:
        """Run now, or once more after the run that is under way."""
        self._again = True
        if self._running:
            return
        self._running = True
        try:
            while self._again:
                self._again = False
                await self._work()
                await asyncio.sleep(PAUSE)
        finally:
            self._running = False
