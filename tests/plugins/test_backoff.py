"""When a server is started again."""

from __future__ import annotations

from valechat.plugins.backoff import HEALTHY_SECONDS, LONGEST_SECONDS, MOST_RESTARTS, Backoff, SystemClock


def test_five_restarts_each_after_twice_the_time_then_none() -> None:
    backoff = Backoff()
    assert [backoff.after(0) for _ in range(7)] == [1, 2, 4, 8, 16, None, None]


def test_a_run_that_was_well_begins_the_count_afresh() -> None:
    backoff = Backoff()
    assert [backoff.after(0) for _ in range(3)] == [1, 2, 4]
    assert backoff.after(HEALTHY_SECONDS) == 1
    assert backoff.after(HEALTHY_SECONDS - 0.1) == 2


def test_even_after_the_last_restart_a_run_that_was_well_gives_another() -> None:
    backoff = Backoff()
    for _ in range(MOST_RESTARTS + 1):
        backoff.after(0)
    assert backoff.after(HEALTHY_SECONDS) == 1


def test_no_pause_is_longer_than_a_minute() -> None:
    backoff = Backoff()
    backoff.restarts = -20
    assert max(seconds for _ in range(24) if (seconds := backoff.after(0)) is not None) <= LONGEST_SECONDS


async def test_the_systems_clock_goes_on_while_it_sleeps() -> None:
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(0.05)
    assert 0.04 < clock.now() - before < 5
