"""Watches a server's tree of processes from outside, and says when it takes more than it may.

For what no system limit covers: the memory of several processes together, processor time as a share, the
number of processes, and how long a server may run. It looks twice a second, so what it finds is past
already; that is why the report calls these subjects `watched`, not `enforced`.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import psutil

from valechat.sandbox.base import Permissions

__all__ = ["Seen", "Watchdog", "take_stock"]

BEAT = 0.5
"""Seconds between two looks."""

CPU_SECONDS = 10.0
"""Processor time is judged over so many seconds: a server may well be busy for a moment."""

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Seen:
    """A tree of processes at one moment. Memory in bytes; processor seconds used by those that live."""

    at: float
    processes: int
    memory: int
    cpu: float


class Watchdog:
    """Watches one process and its descendants.

    Args:
        pid: The first process. Under a supervisor, its siblings count too: they descended from it once.
        permissions: The limits; those that are None are not watched.
        look: Takes stock; the system's own when left out.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        pid: int,
        permissions: Permissions,
        *,
        look: Callable[[int, float], Seen] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pid = pid
        self._allowed = permissions
        self._look = look or take_stock
        self._clock = clock
        self._begun = clock()
        self._past: deque[Seen] = deque()

    @property
    def needed(self) -> bool:
        """Whether there is anything to watch."""
        allowed = self._allowed
        return any((allowed.memory_mb, allowed.cpu_percent, allowed.processes, allowed.wall_seconds))

    async def exceeded(self) -> str:
        """Wait until a limit is exceeded, and say which in one sentence."""
        while True:
            seen = await asyncio.to_thread(self._look, self._pid, self._clock())
            if reason := self.judge(seen):
                return reason
            await asyncio.sleep(BEAT)

    def judge(self, seen: Seen) -> str:
        """What limit is exceeded; empty when none is."""
        allowed = self._allowed
        if allowed.memory_mb is not None and seen.memory > allowed.memory_mb * MEGABYTE:
            return f"The server used {seen.memory / MEGABYTE:,.0f} MB of memory; it may use {allowed.memory_mb:,.0f}."
        if allowed.processes is not None and seen.processes > allowed.processes:
            return f"The server was {seen.processes} processes; it may be {allowed.processes}."
        if allowed.wall_seconds is not None and seen.at - self._begun > allowed.wall_seconds:
            return f"The server ran for {allowed.wall_seconds:,.0f} seconds, which is all it may."
        if allowed.cpu_percent is not None and (used := self._share(seen)) > allowed.cpu_percent:
            return (
                f"The server used {used:.0f} % of a processor for {CPU_SECONDS:.0f} seconds; "
                f"it may use {allowed.cpu_percent:.0f} %."
            )
        return ""

    def _share(self, seen: Seen) -> float:
        """Processor time in per cent of one core over the last seconds; 0 before so many have passed."""
        self._past.append(seen)
        while len(self._past) > 2 and seen.at - self._past[1].at >= CPU_SECONDS:
            self._past.popleft()
        first = self._past[0]
        passed = seen.at - first.at
        return 100 * (seen.cpu - first.cpu) / passed if passed >= CPU_SECONDS else 0.0


def take_stock(pid: int, at: float) -> Seen:
    """What a process and its descendants use now. What has ended meanwhile counts nothing."""
    try:
        root = psutil.Process(pid)
        keeper = root.parent() if os.name == "posix" else None
        # A child whose own parent ended belongs to the supervisor, which keeps this server and no other.
        supervised = keeper is not None and keeper.pid != os.getpid()
        tree = keeper.children(recursive=True) if keeper and supervised else [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        tree = []
    found = list(_measured(tree))
    return Seen(at, len(found), sum(memory for memory, _ in found), sum(cpu for _, cpu in found))


def _measured(tree: Iterable[psutil.Process]) -> Iterable[tuple[int, float]]:
    for process in tree:
        try:
            with process.oneshot():
                times = process.cpu_times()
                yield _memory(process), times.user + times.system
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue


def _memory(process: psutil.Process) -> int:
    """The process's own memory: what several share is counted by share where the system tells (Linux)."""
    try:
        return int(getattr(process.memory_full_info(), "pss", 0)) or int(process.memory_info().rss)
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
