"""Reserve, send, settle: what is held, for how long, in which period, and what happens when it goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.money import COST, Money, answered
from tests.scripted import ScriptedProvider, answer
from valechat.accumulate import Answer
from valechat.billing.table import default_table
from valechat.config import Limits
from valechat.errors import LedgerUnwritable, LimitReached, ServerFailed
from valechat.events import StatusEvent
from valechat.ledger.base import StoredMessage
from valechat.messages import Message, ToolCallPart
from valechat.meter import LAPSE, Meter
from valechat.providers.base import Options, PartChunk, Request, StopChunk, TextChunk, UsageChunk
from valechat.session import Target, Turn, run_turn
from valechat.tools import FunctionTools


@pytest.fixture
async def money() -> AsyncIterator[Money]:
    money = Money()
    yield money
    money.ledger.close()


async def test_a_request_counts_in_the_month_it_began_in(money: Money) -> None:
    money.clock.now = datetime(2026, 11, 30, 23, 59, 58, tzinfo=UTC)
    held = await money.reserve()
    money.clock.advance(seconds=5)
    await money.settle(held)
    assert (money.of("2026-11"), money.of("2026-11-30")) == ((COST, 0), (COST, 0))
    assert (money.of("2026-12"), money.of("2026-12-01")) == ((0, 0), (0, 0))
    (row,) = money.rows()
    assert (row.day, row.billing_period) == ("2026-11-30", "2026-11")


async def test_a_request_a_plugin_asked_for_says_so_in_its_row(money: Money) -> None:
    await money.settle(await money.reserve(kind="sampling", plugin="git"))
    await money.spend()
    assert [(row.kind, row.plugin) for row in money.rows()] == [("sampling", "git"), ("chat", None)]


async def test_a_new_day_gives_a_new_limit_and_the_month_goes_on(money: Money) -> None:
    money.limits = Limits.model_validate({"daily": "0.0025", "monthly": "1"})
    money.clock.now = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
    await money.settle(await money.reserve(), output_tokens=1150)
    with pytest.raises(LimitReached):
        await money.reserve()
    money.clock.advance(minutes=1)
    await money.spend()
    assert money.of("2026-11-23")[0] == COST
    assert money.of("2026-11")[0] == Decimal("0.0024") + COST


async def test_a_time_zone_changed_while_a_request_is_under_way_moves_nothing(money: Money) -> None:
    money.clock.now = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    held = await money.reserve()
    money.zone = ZoneInfo("Europe/Berlin")
    await money.settle(held)
    (row,) = money.rows()
    assert (row.day, row.billing_period) == ("2026-11-30", "2026-11")
    assert money.of("2026-11-30")[0] == COST


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)], ids=["set forward", "set back"])
async def test_the_day_clocks_are_changed_on_is_one_day_and_ends_at_midnight(
    money: Money, day: str, hours: int
) -> None:
    money.zone = ZoneInfo("Europe/Berlin")
    begin = datetime.fromisoformat(day).replace(tzinfo=money.zone).astimezone(UTC)
    for hour in range(hours):
        money.clock.now = begin + timedelta(hours=hour, minutes=30)
        await money.spend()
    assert money.of(day) == (hours * COST, 0)
    assert {row.day for row in money.rows()} == {day}
    held = await money.reserve()
    ends = [bucket.resets_at for bucket in held.plan.buckets if bucket.period == day]
    assert ends[0] == begin + timedelta(hours=hours)
    await money.meter.release(held)


async def test_a_clock_set_back_while_a_request_is_held_loses_no_money(money: Money) -> None:
    held = await money.reserve()
    money.clock.advance(hours=-30)
    await money.settle(held)
    assert money.of("2026-11-22") == (COST, 0)
    assert money.of("2026-11") == (COST, 0)
    assert len(money.rows()) == 1


async def test_a_clock_set_back_between_requests_counts_each_where_it_began(money: Money) -> None:
    await money.spend()
    money.clock.advance(days=-1)
    await money.spend()
    assert (money.of("2026-11-21")[0], money.of("2026-11-22")[0], money.of("2026-11")[0]) == (COST, COST, 2 * COST)


async def test_a_clock_set_back_does_not_keep_a_rate_full_for_longer_than_a_minute(money: Money) -> None:
    money.limits = Limits.model_validate({"rate": {"demo": {"requests_per_minute": 1}}})
    await money.spend()
    money.clock.advance(hours=-1)
    with pytest.raises(LimitReached):
        await money.reserve()
    money.ledger.publish_ceilings([])
    money.clock.advance(seconds=61)
    await money.spend()
    assert len(money.rows()) == 2


async def test_a_hold_is_renewed_for_as_long_as_its_request_runs(money: Money, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("valechat.meter.RENEW_SECONDS", 0.01)
    held = await money.reserve()
    amount = money.of("2026-11-22")[1]
    for _ in range(3):
        money.clock.advance(seconds=LAPSE.total_seconds() - 10)
        money.ledger.renewed.clear()
        assert await asyncio.to_thread(money.ledger.renewed.wait, 10)
        # The one before may have begun by the earlier clock.
        money.ledger.renewed.clear()
        assert await asyncio.to_thread(money.ledger.renewed.wait, 10)
    assert money.of("2026-11-22") == (0, amount)
    await money.settle(held)
    assert money.of("2026-11-22") == (COST, 0)


async def test_a_hold_nobody_renews_lapses(money: Money) -> None:
    held = await money.reserve()
    money.clock.advance(seconds=LAPSE.total_seconds() + 1)
    assert money.of("2026-11-22") == (0, 0)
    await money.settle(held)
    assert money.of("2026-11-22") == (COST, 0)


async def test_each_fallback_is_held_for_itself_after_the_one_before_is_settled(money: Money) -> None:
    down = ScriptedProvider([ServerFailed("Down.", provider="demo", status=500)])
    await money.ask(down, ScriptedProvider(answer("Yes")), options=Options(max_tokens=100))
    first, second = money.ledger.reserved
    assert first.request_id != second.request_id
    assert first.amount == second.amount
    assert [row.request_id for row in money.rows()] == [first.request_id, second.request_id]
    assert money.of("2026-11-22") == (sum(row.cost or Decimal(0) for row in money.rows()), 0)


async def test_a_fallback_that_no_longer_fits_is_refused_unsent(money: Money) -> None:
    usage = UsageChunk({"usage": {"prompt_tokens": 9_900, "completion_tokens": 0}})
    down = ScriptedProvider([usage, ServerFailed("Down.", provider="demo", status=500)])
    spare = ScriptedProvider(answer("never"))
    with pytest.raises(LimitReached):
        await money.ask(down, spare)
    assert spare.requests == []


async def test_each_round_of_tools_is_held_for_itself(money: Money) -> None:
    def again() -> str:
        """Again."""
        return "again"

    script = [PartChunk(ToolCallPart("1", "again", "{}")), StopChunk("tool_calls", "tool_calls"), *answer("")[2:]]
    provider = ScriptedProvider(script, script, answer("Done"))
    await money.ask(provider, toolbox=FunctionTools([again]))
    assert len({hold.request_id for hold in money.ledger.reserved}) == 3
    assert money.of("2026-11-22") == (3 * COST, 0)


async def test_a_settlement_is_finished_however_often_it_is_cancelled(money: Money) -> None:
    money.limits = Limits.model_validate({"daily": "1", "rate": {"demo": {"tokens_per_minute": 10_000}}})
    held = await money.reserve()
    money.ledger.go_on.clear()
    settling = asyncio.ensure_future(money.settle(held))
    assert await asyncio.to_thread(money.ledger.settling.wait, 10)
    for _ in range(3):
        settling.cancel()
        await asyncio.sleep(0)
        assert not settling.done()
    money.ledger.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await settling
    assert money.of("2026-11-22") == (COST, 0)
    assert money.of("", "rate:demo:tokens") == (0, 110)


async def test_a_cancellation_that_meets_a_settlement_at_its_start_is_not_forgotten(money: Money) -> None:
    settling = asyncio.ensure_future(money.settle(await money.reserve()))
    await asyncio.sleep(0)
    settling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await settling
    assert len(money.rows()) == 1


async def test_when_a_rate_cannot_be_held_nothing_stays_held(money: Money) -> None:
    rate = {"requests_per_minute": 5, "tokens_per_minute": 5_000, "cost_per_minute": "1"}
    money.limits = Limits.model_validate({"daily": "1", "rate": {"demo": rate}})
    money.ledger.refuse = lambda hold: hold.request_id.endswith(":cost")
    with pytest.raises(LedgerUnwritable):
        await money.reserve()
    assert len(money.ledger.reserved) == 3
    assert [money.of("2026-11-22"), money.of("", "rate:demo:requests"), money.of("", "rate:demo:tokens")] == [
        (0, 0)
    ] * 3


async def test_a_rate_that_is_full_gives_back_the_money_and_the_other_rates(money: Money) -> None:
    money.limits = Limits.model_validate(
        {"daily": "1", "rate": {"demo": {"requests_per_minute": 5, "tokens_per_minute": 7}}}
    )
    with pytest.raises(LimitReached, match="tokens a minute"):
        await money.reserve()
    assert [money.of("2026-11-22"), money.of("", "rate:demo:requests")] == [(0, 0)] * 2


async def test_a_rate_is_settled_across_midnight(money: Money) -> None:
    money.limits = Limits.model_validate({"daily": "1", "rate": {"demo": {"tokens_per_minute": 5_000}}})
    money.clock.now = datetime(2026, 11, 30, 23, 59, 50, tzinfo=UTC)
    held = await money.reserve()
    assert money.of("", "rate:demo:tokens")[1] > 1000
    money.clock.advance(seconds=20)
    await money.settle(held)
    assert money.of("", "rate:demo:tokens") == (0, 110)
    money.clock.advance(seconds=41)
    assert money.of("", "rate:demo:tokens") == (0, 0)


async def test_what_could_not_be_settled_is_settled_before_the_next_request(money: Money) -> None:
    held = await money.reserve()
    money.ledger.unwritable = True
    with pytest.raises(LedgerUnwritable):
        await money.settle(held)
    with pytest.raises(LedgerUnwritable):
        await money.reserve()
    assert money.rows() == []
    money.ledger.unwritable = False
    await money.meter.release(await money.reserve())
    assert [row.request_id for row in money.rows()] == [held.request_id]
    assert money.of("2026-11-22") == (COST, 0)


async def test_a_request_stopped_before_it_left_costs_nothing_and_is_not_asked_later(money: Money) -> None:
    provider = ScriptedProvider(answer("never"))
    turn = Turn("c", Message.user("Hi"), [Target(provider, "echo")], options=Options(max_tokens=20_000))
    async with contextlib.aclosing(run_turn(turn, money.ledger, money.meter)) as events:
        assert isinstance(await anext(events), StatusEvent)
    assert provider.requests == []
    assert money.rows() == []
    assert money.of("2026-11-22") == (0, 0)


async def test_a_question_stopped_while_it_is_stored_is_kept_as_unanswered(money: Money) -> None:
    storing, go_on = threading.Event(), threading.Event()
    add = money.ledger.add_messages

    def slowly(messages: Sequence[StoredMessage]) -> None:
        storing.set()
        assert go_on.wait(60)
        add(messages)

    money.ledger.add_messages = slowly  # type: ignore[method-assign]  # held up in this one test
    provider = ScriptedProvider(answer("never"))
    asking = asyncio.ensure_future(money.ask(provider))
    assert await asyncio.to_thread(storing.wait, 10)
    asking.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (provider.requests, money.rows(), money.of("2026-11-22")) == ([], [], (0, 0))
    assert [(stored.message.text, stored.status) for stored in money.ledger.messages("c")] == [("Hi", "failed")]


async def test_an_estimate_never_exceeds_what_the_answer_was_allowed(money: Money) -> None:
    held = await money.reserve()
    (amount,) = [hold.amount for hold in money.ledger.reserved]
    assert amount is not None
    stopped = Answer()
    stopped.add(TextChunk("a word of many bytes " * 10_000))
    charge = await money.meter.settle(held, stopped, "cancelled")
    assert charge.cost is not None
    assert 0 < charge.cost <= amount


def of_two_accounts(money: Money, own: str | None = None) -> Meter:
    table = default_table()
    return Meter(
        money.ledger,
        limits=lambda: money.limits,
        prices=lambda: table.with_user({"work/gpt-4o": {"input": own, "output": own}}) if own else table,
        zone=lambda: UTC,
        priced_as={"work": "openai"}.__getitem__,
        clock=money.clock,
    )


async def test_a_second_account_is_held_and_billed_at_its_makers_prices(money: Money) -> None:
    meter = of_two_accounts(money)
    request = Request("gpt-4o", [Message.user("Hi")], options=Options(max_tokens=64))
    held = await meter.reserve(request, ScriptedProvider(name="work"), conversation_id="c")
    charge = await meter.settle(held, answered(), "complete")
    await meter.recounted()
    assert charge.cost == Decimal("0.00035")
    (row,) = money.rows()
    assert (row.provider, row.model, row.cost_source) == ("work", "gpt-4o", "priced")
    assert charge.verification == "pending"
    assert row.verification.status in ("verified", "discrepancy")


async def test_a_second_accounts_own_price_wins(money: Money) -> None:
    meter = of_two_accounts(money, own="1")
    request = Request("gpt-4o", [Message.user("Hi")], options=Options(max_tokens=64))
    held = await meter.reserve(request, ScriptedProvider(name="work"), conversation_id="c")
    charge = await meter.settle(held, answered(), "complete")
    assert charge.cost == Decimal("0.00011")
    await meter.recounted()
