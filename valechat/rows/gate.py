"""How many requests of a job run at once: as many as the server takes.

It begins with a few and adds one for each success, up to what was asked for. A refusal for being too
fast halves it and stops all for as long as the server says; failures in a row do so for longer and
longer, and then one request goes first and decides. So a job neither floods a server that comes back nor
counts its refusals against any row.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime

from valechat.errors import ProviderError, RateLimited, ServerFailed
from valechat.providers.base import RateLimits

__all__ = ["Gate", "GaveUp"]

FIRST = 4
"""Requests that go at once at first."""

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
PATIENCE = 300.0
"""Seconds without any answer after which a job gives up, and the longest pause a server may ask for."""

FAILURES = 5
"""Failures in a row, of any rows, before all wait."""


class GaveUp(Exception):
    """The server failed for too long. `error` is the last failure."""

    def __init__(self, error: ProviderError) -> None:
        super().__init__(error.message)
        self.error = error


class Gate:
    """Lets requests through. On one event loop.

    Args:
        most: Requests at once, at most.
        clock: Seconds that only go up.
    """

    def __init__(self, most: int, *, clock: Callable[[], float]) -> None:
        self._most = most
        self._clock = clock
        self._width = float(min(FIRST, most))
        self._inside = 0
        self._open_at = 0.0
        self._narrowed_at = 0.0
        self._failures = 0
        self._pauses = 0
        self._last_success = clock()
        self._moved = asyncio.Event()

    @property
    def width(self) -> int:
        """How many may run now."""
        return max(1, int(self._width))

    @property
    def paused(self) -> float:
        """Seconds until the next may go; 0 when it may go now."""
        return max(0.0, self._open_at - self._clock())

    async def enter(self) -> None:
        """Wait until one more may go. One of `succeeded`, `failed` and `left` must follow."""
        while True:
            if (pause := self.paused) > 0:
                # They do not all wake in the same moment.
                await asyncio.sleep(pause + random.random() * 0.05)  # noqa: S311  # it spreads load, nothing secret
            elif self._inside < self.width:
                self._inside += 1
                return
            else:
                self._moved.clear()
                await self._moved.wait()

    def succeeded(self, limits: RateLimits | None = None) -> None:
        """An answer came; `limits` is what the server said of its own."""
        self._last_success = self._clock()
        self._failures = self._pauses = 0
        self._width = min(float(self._most), self._width + 1)
        if limits is not None and limits.requests_remaining == 0 and limits.requests_reset_at is not None:
            wait = (limits.requests_reset_at - datetime.now(UTC)).total_seconds()
            self._pause(min(wait, LONGEST_PAUSE))
        self.left()

    def failed(self, error: ProviderError) -> None:
        """The server refused or failed a request.

        Raises:
            GaveUp: It has done so for too long, or asks for a longer pause than anybody waits.
        """
        self.left()
        self._failures += 1
        asked = error.retry_after or 0.0
        if asked > PATIENCE or self._clock() - self._last_success > PATIENCE:
            raise GaveUp(error)
        if isinstance(error, RateLimited) or (isinstance(error, ServerFailed) and error.status in (503, 529)):
            self._narrow(0.5)
            self._pause(asked or FIRST_PAUSE)
        else:
            self._narrow(0.8)
            if self._failures >= FAILURES:
                self._failures = 0
                self._pauses += 1
                self._width = 1.0
                self._pause(max(asked, min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._pauses)))
            elif asked:
                self._pause(asked)

    def left(self) -> None:
        """A request ended and said nothing of the server."""
        self._inside -= 1
        self._moved.set()

    def _narrow(self, factor: float) -> None:
        """Let fewer through. Refusals that come together are one: their requests left together."""
        now = self._clock()
        if now - self._narrowed_at >= FIRST_PAUSE:
            self._narrowed_at = now
            self._width = max(1.0, self._width * factor)

    def _pause(self, seconds: float) -> None:
        self._open_at = max(self._open_at, self._clock() + seconds)
