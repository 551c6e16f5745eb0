from __future__ import annotations

import pytest

from valechat.errors import CircuitOpen
from valechat.providers.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("lab", threshold=3, cooldown=10, longest=35, clock=clock)


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        breaker.enter()
        breaker.failed("server on fire")


def test_it_stays_closed_below_the_threshold(breaker: Breaker) -> None:
    fail(breaker, 2)
    assert breaker.state == "closed"
    breaker.enter()


def test_a_success_between_starts_the_count_afresh(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.enter()
    breaker.succeeded()
    fail(breaker, 2)
    assert breaker.state == "closed"


def test_it_opens_at_the_threshold_and_says_why_and_for_how_long(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 4
    assert breaker.state == "open"
    with pytest.raises(CircuitOpen, match="lab failed 3 times in a row") as caught:
        breaker.enter()
    assert "server on fire" in caught.value.message
    assert caught.value.retry_after == 6
    assert caught.value.fix


def test_after_its_time_one_request_goes_and_the_others_wait(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 10
    assert breaker.state == "half-open"
    breaker.enter()
    with pytest.raises(CircuitOpen, match="while one request tries"):
        breaker.enter()


def test_the_trials_success_closes_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 10
    breaker.enter()
    breaker.succeeded()
    assert (breaker.state, breaker.failures, breaker.seconds_left) == ("closed", 0, 0)
    fail(breaker, 2)
    assert breaker.state == "closed"


def test_each_failed_trial_doubles_the_time_up_to_the_longest(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    times = []
    for _ in range(4):
        times.append(breaker.seconds_left)
        clock.now += breaker.seconds_left
        fail(breaker)
    assert times == [10, 20, 35, 35]


def test_a_trial_that_is_cancelled_lets_the_next_one_try(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 10
    breaker.enter()
    breaker.left()
    assert breaker.state == "half-open"
    breaker.enter()


def test_requests_that_were_on_their_way_do_not_lengthen_its_time(breaker: Breaker) -> None:
    for _ in range(5):
        breaker.enter()
    for _ in range(5):
        breaker.failed("server on fire")
    assert breaker.seconds_left == 10
