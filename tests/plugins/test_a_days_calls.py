"""A day's worth of calls, and of restarts: memory stays flat."""

from __future__ import annotations

import asyncio
import gc
import threading

import psutil
import pytest

from tests.plugins.managing import Managed, managed
from tests.plugins.support import eventually
from valechat.plugins.base import Progress

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CALLS = 6_000
MOST_GROWTH = 5_000_000
"""Bytes; an answer kept of each call would be 12 MB, a line of the log kept of each 6 MB."""


def resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


async def called(plugins: Managed, times: int) -> None:
    """So many calls, eight at a time, each with an answer of 2 KB."""

    async def some() -> None:
        for _ in range(times // 8):
            answer = await plugins.manager.call_tool("u", "big", {"bytes": 2_000})
            assert len(answer.text) == 2_000

    await asyncio.gather(*(some() for _ in range(8)))


async def test_memory_is_flat_over_a_days_calls() -> None:
    async with managed() as plugins:
        await plugins.add("u")
        await called(plugins, 2_000)
        before = resident()
        await called(plugins, CALLS)
        assert resident() - before < MOST_GROWTH


async def test_memory_is_flat_over_timeouts_progress_and_log_lines() -> None:
    async with managed() as plugins:
        await plugins.add("u", "--step-seconds", "0")
        told: list[Progress] = []

        async def one() -> None:
            await plugins.manager.call_tool("u", "progress", {"steps": 20}, on_progress=told.append)
            await plugins.manager.call_tool("u", "say", {"text": "x" * 10_000})
            told.clear()
            plugins.events.clear()

        for _ in range(300):
            await one()
        before = resident()
        for _ in range(600):
            await one()
        assert resident() - before < MOST_GROWTH


async def test_restarts_leave_no_task_thread_or_descriptor_behind() -> None:
    async with managed() as plugins:
        await plugins.add("u")
        for _ in range(3):
            await plugins.manager.restart("u")

        def held() -> tuple[int, int, int]:
            gc.collect()
            return len(asyncio.all_tasks()), threading.active_count(), psutil.Process().num_fds()

        before = held()
        for _ in range(30):
            await plugins.manager.restart("u")
        most = (before[0] + 1, before[1] + 2, before[2] + 2)
        # The thread that waits for a server's end may outlive the restart by a moment.
        await eventually(lambda: all(now <= bound for now, bound in zip(held(), most, strict=True)))
