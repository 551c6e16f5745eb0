"""Showing how things are now is done once for many changes, and never too early for the last."""

from __future__ import annotations

import asyncio

from valechat.notebook.latest import Latest


async def test_many_calls_while_it_runs_make_one_more_run_that_sees_the_last() -> None:
    changes: list[int] = []
    seen: list[int] = []

    async def work() -> None:
        seen.append(len(changes))
        await asyncio.sleep(0)

    latest = Latest(work)
    first = asyncio.create_task(latest())
    await asyncio.sleep(0)
    for number in range(100):
        changes.append(number)
        await latest()
    await first
    assert seen == [0, 100]


async def test_a_failure_does_not_keep_it_from_running_again() -> None:
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise OSError

    latest = Latest(work)
    try:
        await latest()
    except OSError:
        await latest()
    assert runs == 2
