"""A time limit that a sign of life pushes back and that stands still while the user is asked."""

from __future__ import annotations

import asyncio

import pytest

from valechat.plugins import deadline as deadlines
from valechat.plugins.deadline import Deadline, waiting_for_the_user

pytestmark = pytest.mark.usefixtures("time_that_only_sleep_takes")


async def passed(seconds: float) -> float:
    """What the loop's clock says went by."""
    loop = asyncio.get_running_loop()
    before = loop.time()
    await asyncio.sleep(seconds)
    return loop.time() - before


async def test_it_ends_the_block_when_its_time_is_over() -> None:
    deadline = Deadline(0.05)
    with pytest.raises(TimeoutError):
        async with deadline:
            await asyncio.sleep(10)
    assert deadline.expired


async def test_another_timeout_within_is_not_its_own() -> None:
    deadline = Deadline(5)
    with pytest.raises(TimeoutError):
        async with deadline, asyncio.timeout(0.01):
            await asyncio.sleep(10)
    assert not deadline.expired


async def test_a_sign_of_life_gives_all_the_time_again() -> None:
    async with Deadline(0.3) as deadline:
        for _ in range(6):
            await asyncio.sleep(0.1)
            deadline.extend()


async def lively(deadline: Deadline) -> None:
    async with deadline:
        while True:
            await asyncio.sleep(0.05)
            deadline.extend()


async def test_signs_of_life_do_not_push_it_back_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "MOST_TIMES", 3)
    begun = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        await lively(Deadline(0.5))
    assert asyncio.get_running_loop().time() - begun >= 1.4


async def test_it_stands_still_while_the_user_is_asked() -> None:
    async with Deadline(0.2):
        with waiting_for_the_user(), waiting_for_the_user():
            assert await passed(0.4) >= 0.4


async def test_after_an_answer_it_goes_on() -> None:
    async def answered_then_silent(deadline: Deadline) -> None:
        async with deadline:
            with waiting_for_the_user():
                await asyncio.sleep(0.2)
            await asyncio.sleep(10)

    deadline = Deadline(0.1)
    with pytest.raises(TimeoutError):
        await answered_then_silent(deadline)
    assert deadline.expired


async def test_two_questions_at_once_both_have_to_be_answered() -> None:
    async with Deadline(0.15) as deadline:
        with deadline.paused():
            with deadline.paused():
                await asyncio.sleep(0.1)
            assert await passed(0.2) >= 0.2


async def test_it_is_found_in_tasks_begun_within_and_nowhere_else() -> None:
    async def asks() -> None:
        with waiting_for_the_user():
            await asyncio.sleep(0.3)

    async with Deadline(0.15):
        await asyncio.create_task(asks())
    with waiting_for_the_user():
        assert await passed(0) < 5
