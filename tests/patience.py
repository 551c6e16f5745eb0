"""Time as a test may judge it: seconds in which the code under test ran, or could have.

A machine that does other work at once keeps processes waiting, but not while one of its processors is free. So what
counts are the seconds in which one was, and those that the test's own process worked: all there are on a machine
with nothing else to do, and what the code itself took on one that is full.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

__all__ = ["MOST", "Stopwatch", "happens", "within"]

T = TypeVar("T")

MOST = 20.0
"""Seconds that a wait may last beyond its bound, however full the machine is."""


def _free() -> float | None:
    """Seconds that the processors were free, all added up; None where the system does not say (it is not Linux)."""
    try:
        fields = Path("/proc/stat").read_bytes().split(b"\n", 1)[0].split()
    except OSError:
        return None
    return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")  # idle, and idle but for a disk


class Stopwatch:
    """Counts from when it is made."""

    def __init__(self) -> None:
        self._begun, self._worked, self._free = time.monotonic(), time.process_time(), _free()

    @property
    def seconds(self) -> float:
        """The seconds in which a processor was free, or this process worked."""
        passed, worked, free = time.monotonic() - self._begun, time.process_time() - self._worked, _free()
        return passed if free is None or self._free is None else min(passed, max(worked, free - self._free))

    def over(self, bound: float) -> bool:
        """Whether it is no use to wait any longer for what takes `bound` seconds at most."""
        return self.seconds > bound or time.monotonic() - self._begun > bound + MOST


async def within(bound: float, coming: Awaitable[T]) -> T:
    """What comes, which has to come in so many seconds. Raises TimeoutError."""
    watch, waiting = Stopwatch(), asyncio.ensure_future(coming)
    while not waiting.done():
        if watch.over(bound):
            waiting.cancel()
            raise TimeoutError(f"not within {bound} s")
        await asyncio.wait({waiting}, timeout=0.02)
    return waiting.result()


def happens(event: threading.Event, bound: float) -> bool:
    """Whether it happens in so many seconds."""
    watch = Stopwatch()
    while not event.wait(0.02):
        if watch.over(bound):
            return event.is_set()
    return True
