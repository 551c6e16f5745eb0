"""A time limit on waiting that costs next to nothing when nothing is late.

`asyncio.timeout` sets and cancels a timer each time it is used, which for a stream of small chunks is a
fifth of all work. Here one timer serves a whole stream: when it goes off it looks where the deadline is
by then, and sets itself again if that was moved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

__all__ = ["Deadline"]

T = TypeVar("T")


class Deadline:
    """The time limits of one task's waits, one after the other. `close` it when the last one is over."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._at = 0.0
        self._waiting: asyncio.Task[object] | None = None
        self._late = False

    async def wait(self, work: Awaitable[T], at: float) -> T:
        """The result of `work`, if it comes before the loop's time is `at`.

        Raises:
            TimeoutError: It did not come; it was cancelled.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A deadline needs a task to cancel.")
        cancelling = task.cancelling()
        self._at, self._waiting = at, task
        if self._timer is None or self._timer.when() > at:
            self._set()
        try:
            return await work
        except asyncio.CancelledError:
            if self._late and task.uncancel() <= cancelling:
                raise TimeoutError from None
            raise
        finally:
            self._waiting, self._late = None, False

    def close(self) -> None:
        """Take the timer away."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self) -> None:
        self.close()
        self._timer = self._loop.call_at(self._at, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._waiting is None:
            return
        if self._loop.time() < self._at:
            self._set()
        else:
            self._late = True
            self._waiting.cancel()
