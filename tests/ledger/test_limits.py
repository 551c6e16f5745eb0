"""Holds, settling and limits: what every ledger promises about money."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Context, Decimal, setcontext

import pytest

from tests.ledger.samples import DAY, MONTH, NOON, Clock, daily, hold, usage_row
from valechat.errors import LimitReached
from valechat.ledger.base import Bucket, Ceiling, Ledger


def used_and_held(ledger: Ledger, bucket: Bucket = DAY) -> tuple[Decimal, ...]:
    state = ledger.limit_states([Ceiling("any", bucket, Decimal(1000))])[0]
    return state.used, state.held


def usd(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(amount) for amount in amounts)


def test_a_hold_counts_in_all_its_buckets_until_it_is_settled(ledger: Ledger) -> None:
    ledger.reserve(hold("r1", "0.03"))
    assert [used_and_held(ledger, b) for b in (DAY, MONTH)] == [usd("0", "0.03")] * 2
    ledger.settle(usage_row("r1", "0.02"), [DAY, MONTH])
    assert [used_and_held(ledger, b) for b in (DAY, MONTH)] == [usd("0.02", "0")] * 2


def test_a_ceiling_refuses_what_does_not_fit_and_says_how_it_stands(ledger: Ledger) -> None:
    ledger.reserve(hold("r1", "0.02"))
    ledger.settle(usage_row("r1", "0.02"), [DAY, MONTH])
    ledger.reserve(hold("r2", "0.05", daily("0.10")))
    with pytest.raises(LimitReached) as refusal:
        ledger.reserve(hold("r3", "0.04", daily("0.10")))
    error = refusal.value
    assert (error.limit, error.amount, error.used, error.held) == (
        "daily",
        Decimal("0.10"),
        Decimal("0.02"),
        Decimal("0.05"),
    )
    assert error.resets_at == DAY.resets_at
    assert "$0.03 left" in error.message
    assert error.fix


def test_a_refused_hold_is_held_in_none_of_its_buckets(ledger: Ledger) -> None:
    small = Ceiling("monthly", MONTH, Decimal("0.01"))
    with pytest.raises(LimitReached, match="monthly"):
        ledger.reserve(hold("r1", "0.02", daily("1"), small))
    assert used_and_held(ledger, DAY) == usd("0", "0")


def test_the_last_cent_may_be_held(ledger: Ledger) -> None:
    ledger.reserve(hold("r1", "0.07", daily("0.10")))
    ledger.reserve(hold("r2", "0.03", daily("0.10")))
    with pytest.raises(LimitReached):
        ledger.reserve(hold("r3", "0.00000000000000000001", daily("0.10")))


@pytest.mark.parametrize("amount", ["0", None])
def test_a_free_or_unpriced_request_is_never_refused(ledger: Ledger, amount: str | None) -> None:
    ledger.settle(usage_row("r0", "5"), [DAY, MONTH])
    ledger.reserve(hold("r1", amount, daily("1")))
    assert used_and_held(ledger) == usd("5", "0")


def test_a_released_hold_gives_its_room_back(ledger: Ledger) -> None:
    ledger.reserve(hold("r1", "0.10", daily("0.10")))
    ledger.release("r1")
    ledger.release("never reserved")
    ledger.reserve(hold("r2", "0.10", daily("0.10")))


def test_reserving_again_replaces_the_hold(ledger: Ledger) -> None:
    ledger.reserve(hold("r1", "0.08", daily("0.10")))
    ledger.reserve(hold("r1", "0.09", daily("0.10")))
    assert used_and_held(ledger) == usd("0", "0.09")


def test_a_refused_replacement_leaves_the_first_hold(ledger: Ledger) -> None:
    ledger.reserve(hold("r1", "0.08", daily("0.10")))
    with pytest.raises(LimitReached):
        ledger.reserve(hold("r1", "0.11", daily("0.10")))
    assert used_and_held(ledger) == usd("0", "0.08")


def test_a_hold_lapses_at_its_time(ledger: Ledger, clock: Clock) -> None:
    ledger.reserve(hold("r1", "0.10", daily("0.10"), lapses_at=NOON + timedelta(minutes=10)))
    clock.advance(minutes=9)
    with pytest.raises(LimitReached):
        ledger.reserve(hold("r2", "0.10", daily("0.10")))
    clock.advance(minutes=1)
    assert used_and_held(ledger) == usd("0", "0")
    ledger.reserve(hold("r2", "0.10", daily("0.10")))


def test_a_renewed_hold_stands_longer(ledger: Ledger, clock: Clock) -> None:
    ledger.reserve(hold("r1", "0.10", lapses_at=NOON + timedelta(minutes=10)))
    ledger.renew("r1", NOON + timedelta(minutes=20))
    clock.advance(minutes=15)
    assert used_and_held(ledger) == usd("0", "0.10")


def test_a_lapsed_hold_is_not_brought_back_by_renewing(ledger: Ledger, clock: Clock) -> None:
    ledger.reserve(hold("r1", "0.10", lapses_at=NOON + timedelta(minutes=10)))
    clock.advance(minutes=10)
    ledger.renew("r1", NOON + timedelta(minutes=20))
    assert used_and_held(ledger) == usd("0", "0")


def test_settling_after_the_hold_has_lapsed_still_adds_the_true_cost(ledger: Ledger, clock: Clock) -> None:
    ledger.reserve(hold("r1", "0.10", lapses_at=NOON + timedelta(minutes=10)))
    clock.advance(minutes=11)
    ledger.reserve(hold("r2", "0.01"))
    ledger.settle(usage_row("r1", "0.06"), [DAY, MONTH])
    assert used_and_held(ledger) == usd("0.06", "0.01")


def test_settling_a_request_twice_changes_nothing(ledger: Ledger) -> None:
    assert ledger.settle(usage_row("r1", "0.06"), [DAY, MONTH])
    assert not ledger.settle(usage_row("r1", "0.99"), [DAY, MONTH])
    assert used_and_held(ledger) == usd("0.06", "0")
    assert [row.cost for row in ledger.usage_of(["r1"])] == [Decimal("0.06")]


def test_an_unknown_cost_gives_the_hold_back_and_adds_nothing(ledger: Ledger) -> None:
    ledger.reserve(hold("r1", "0.10"))
    ledger.settle(usage_row("r1", None), [DAY, MONTH])
    assert used_and_held(ledger) == usd("0", "0")


def test_a_bucket_named_twice_counts_once(ledger: Ledger) -> None:
    ledger.reserve(hold("r1", "0.10", buckets=[DAY, DAY]))
    assert used_and_held(ledger) == usd("0", "0.10")
    ledger.settle(usage_row("r1", "0.04"), [DAY, DAY])
    assert used_and_held(ledger) == usd("0.04", "0")


def test_a_limit_over_its_amount_has_zero_remaining(ledger: Ledger) -> None:
    ledger.settle(usage_row("r1", "3"), [DAY])
    state = ledger.limit_states([daily("1")])[0]
    assert (state.limit, state.resets_at) == ("daily", DAY.resets_at)
    assert (state.used, state.remaining) == usd("3", "0")


@pytest.mark.parametrize("cost", ["-0.01", "NaN", "Infinity", "1e18"])
def test_a_cost_that_is_no_amount_of_money_is_refused(ledger: Ledger, cost: str) -> None:
    with pytest.raises(ValueError, match="amount of money"):
        ledger.settle(usage_row("r1", cost), [DAY])
    assert ledger.usage_of(["r1"]) == []


def test_an_ambient_decimal_context_of_four_digits_changes_no_sum(ledger: Ledger) -> None:
    costs = ["123456.00000000000000000001", "0.99999999999999999999", "0.1"]

    def spend() -> None:
        setcontext(Context(prec=4))
        for n, cost in enumerate(costs):
            ledger.reserve(hold(f"r{n}", "1000000.00000000000000000003", daily("2000000")))
            ledger.settle(usage_row(f"r{n}", cost, conversation_id="c1"), [DAY])

    thread = threading.Thread(target=spend)
    thread.start()
    thread.join()
    assert used_and_held(ledger)[0] == Decimal("123457.10000000000000000000")


def test_threads_of_one_process_share_a_limit(ledger: Ledger) -> None:
    held: list[str] = []

    def try_some(name: str) -> None:
        for n in range(5):
            try:
                ledger.reserve(hold(f"{name}-{n}", "0.01", daily("0.10")))
            except LimitReached:
                continue
            held.append(f"{name}-{n}")

    threads = [threading.Thread(target=try_some, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == 10
    assert used_and_held(ledger) == usd("0", "0.10")
