from __future__ import annotations

import asyncio
from typing import Any

import pytest

from valechat.providers._deadline import Deadline

pytestmark = pytest.mark.usefixtures("time_that_only_sleep_takes")


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_what_comes_in_time_is_given() -> None:
    deadline = Deadline()
    assert await deadline.wait(asyncio.sleep(0, "result"), now() + 5) == "result"
    deadline.close()


async def test_what_is_late_is_cancelled_in_time() -> None:
    deadline = Deadline()
    begun = now()
    with pytest.raises(TimeoutError):
        await deadline.wait(asyncio.sleep(10), now() + 0.05)
    assert 0.05 <= now() - begun < 0.06
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_wait_after_a_late_one_has_its_own_time() -> None:
    deadline = Deadline()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await deadline.wait(asyncio.sleep(10), now() + 0.02)
    assert await deadline.wait(asyncio.sleep(0.05, "result"), now() + 5) == "result"
    deadline.close()


async def test_an_earlier_time_after_a_later_one_is_kept() -> None:
    deadline = Deadline()
    await deadline.wait(asyncio.sleep(0), now() + 60)
    begun = now()
    with pytest.raises(TimeoutError):
        await deadline.wait(asyncio.sleep(10), now() + 0.05)
    assert now() - begun < 0.06


async def test_many_waits_set_few_timers(monkeypatch: pytest.MonkeyPatch) -> None:
    deadline = Deadline()
    loop = asyncio.get_running_loop()
    call_at = loop.call_at
    set_timers: list[float] = []

    def counted(when: float, *rest: Any) -> asyncio.TimerHandle:
        set_timers.append(when)
        return call_at(when, *rest)

    monkeypatch.setattr(loop, "call_at", counted)
    for _ in range(1000):
        await deadline.wait(asyncio.sleep(0), now() + 60)
    deadline.close()
    assert len(set_timers) == 1


async def test_time_between_waits_does_not_count() -> None:
    deadline = Deadline()
    await deadline.wait(asyncio.sleep(0), now() + 0.02)
    await asyncio.sleep(0.1)
    assert await deadline.wait(asyncio.sleep(0, "result"), now() + 5) == "result"
    deadline.close()


async def test_a_cancellation_from_outside_stays_one() -> None:
    deadline = Deadline()
    waiting = asyncio.ensure_future(deadline.wait(asyncio.sleep(10), now() + 60))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    deadline.close()


async def test_a_cancellation_from_outside_wins_over_one_by_lateness() -> None:
    deadline = Deadline()
    waiting = asyncio.ensure_future(deadline.wait(asyncio.sleep(10), now() + 0.02))
    asyncio.get_running_loop().call_at(now() + 0.02, waiting.cancel)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    deadline.close()
