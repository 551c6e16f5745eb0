"""When a server that ended is started again: 1, 2, 4 … s later, five times, then not by itself."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

__all__ = ["HEALTHY_SECONDS", "MOST_RESTARTS", "Backoff", "Clock", "SystemClock"]

MOST_RESTARTS = 5
FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
HEALTHY_SECONDS = 60.0
"""A server that ran for so long is well: its restarts are counted afresh."""


class Clock(Protocol):
    """Time as the owner of a server sees it; tests bring their own."""

    def now(self) -> float:
        """Seconds since some moment."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The system's."""

    def now(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Backoff:
    """Counts restarts. `restarts` is how many there were since the server was last well."""

    def __init__(self) -> None:
        self.restarts = 0

    def after(self, seconds_up: float) -> float | None:
        """Seconds until the next restart, after a run that was well for so long; None when there is to be none."""
        if seconds_up >= HEALTHY_SECONDS:
            self.restarts = 0
        if self.restarts >= MOST_RESTARTS:
            return None
        self.restarts += 1
        seconds: float = FIRST_SECONDS * 2 ** (self.restarts - 1)
        return min(seconds, LONGEST_SECONDS)
