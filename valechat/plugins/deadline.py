"""A time limit that a sign of life pushes back, and that stands still while the user is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Self

__all__ = ["Deadline", "waiting_for_the_user"]

MOST_TIMES = 20
"""However much progress there is, the limit is not pushed back beyond so many times its length."""

_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


class Deadline:
    """`async with Deadline(seconds):` raises TimeoutError when they have passed.

    Within, `waiting_for_the_user` finds it and stops it.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._budget = seconds * MOST_TIMES
        self._left = seconds
        self._since = 0.0
        self._pauses = 0
        self._timeout = asyncio.timeout(None)
        self._over = False

    @property
    def expired(self) -> bool:
        """Whether it was this limit that ended the block."""
        return self._timeout.expired()

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        self._token = _current.set(self)
        self._run()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _current.reset(self._token)
        # A task that was started within, such as a connection's reader, has it in its context for good.
        self._over = True
        await self._timeout.__aexit__(kind, error, trace)

    def extend(self) -> None:
        """There was a sign of life: all the time again, within reason."""
        if self._pauses:
            self._left = min(self.seconds, self._budget)
        else:
            self._stop()
            self._left = min(self.seconds, self._budget)
            self._run()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the clock for as long as the block takes."""
        if not self._pauses:
            self._stop()
        self._pauses += 1
        try:
            yield
        finally:
            self._pauses -= 1
            if not self._pauses:
                self._run()

    def _run(self) -> None:
        self._since = asyncio.get_running_loop().time()
        if not self._over and not self._timeout.expired():
            self._timeout.reschedule(self._since + self._left)

    def _stop(self) -> None:
        spent = asyncio.get_running_loop().time() - self._since
        self._left = max(0.0, self._left - spent)
        self._budget = max(0.0, self._budget - spent)
        if not self._over and not self._timeout.expired():
            self._timeout.reschedule(None)


@contextmanager
def waiting_for_the_user() -> Iterator[None]:
    """Stop the clock of the time limit that this code runs under, if there is one."""
    deadline = _current.get()
    if deadline is None:
        yield
        return
    with deadline.paused():
        yield
