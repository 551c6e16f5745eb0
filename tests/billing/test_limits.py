"""Which counters a request moves, which ceilings stand over them, and the limits per minute."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from valechat.billing.limits import plan, rate_holds
from valechat.config.schema import Limits as SettingsLimits
from valechat.errors import LimitReached
from valechat.ledger.base import Hold
from valechat.ledger.sqlite import SqliteLedger

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass(frozen=True)
class ModelLimits:
    daily: Decimal | None = None
    monthly: Decimal | None = None


@dataclass(frozen=True)
class ConversationLimits:
    total: Decimal | None = None


@dataclass(frozen=True)
class Rate:
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    cost_per_minute: Decimal | None = None


@dataclass(frozen=True)
class Limits:
    daily: Decimal | None = None
    monthly: Decimal | None = None
    confirm_above: Decimal | None = None
    models: Mapping[str, ModelLimits] = field(default_factory=dict)
    conversation: ConversationLimits = ConversationLimits()
    rate: Mapping[str, Rate] = field(default_factory=dict)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[SqliteLedger]:
    ledger = SqliteLedger(tmp_path / "ledger", clock=clock)
    yield ledger
    ledger.close()


def test_a_request_counts_in_all_its_buckets_without_any_limit() -> None:
    found = plan(Limits(), "openai/gpt-5", "c1", NOW, UTC)
    assert [(bucket.scope, bucket.period) for bucket in found.buckets] == [
        ("all", "2026-11-22"),
        ("all", "2026-11"),
        ("model:openai/gpt-5", "2026-11-22"),
        ("model:openai/gpt-5", "2026-11"),
        ("conversation:c1", ""),
    ]
    assert found.ceilings == ()


def test_each_limit_is_a_ceiling_on_one_of_the_buckets() -> None:
    limits = Limits(
        daily=Decimal(5),
        monthly=Decimal(50),
        models={"openai/gpt-5": ModelLimits(monthly=Decimal(20))},
        conversation=ConversationLimits(Decimal(1)),
    )
    found = plan(limits, "openai/gpt-5", "c1", NOW, UTC)
    assert [(ceiling.name, str(ceiling.amount)) for ceiling in found.ceilings] == [
        ("daily", "5"),
        ("monthly", "50"),
        ("model:openai/gpt-5:monthly", "20"),
        ("conversation", "1"),
    ]
    assert all(ceiling.bucket in found.buckets for ceiling in found.ceilings)


def test_a_limit_of_zero_is_a_limit() -> None:
    assert [ceiling.amount for ceiling in plan(Limits(daily=Decimal(0)), "a/b", None, NOW, UTC).ceilings] == [0]


@pytest.mark.parametrize("name", ["openai/gpt-5-2025-08-07", "openai:gpt-5", "OpenAI/gpt-5"])
def test_a_limit_on_a_model_holds_for_its_other_spellings_and_snapshots(name: str) -> None:
    limits = Limits(models={"openai/gpt-5": ModelLimits(daily=Decimal(2))})
    assert [ceiling.name for ceiling in plan(limits, name, None, NOW, UTC).ceilings] == ["model:openai/gpt-5:daily"]


def test_a_limit_on_a_model_leaves_other_models_alone() -> None:
    limits = Limits(models={"openai/gpt-5": ModelLimits(daily=Decimal(2))})
    assert plan(limits, "openai/gpt-5-mini", None, NOW, UTC).ceilings == ()


def test_a_request_outside_conversations_counts_in_none() -> None:
    limits = Limits(conversation=ConversationLimits(Decimal(1)))
    found = plan(limits, "openai/gpt-5", None, NOW, UTC)
    assert not any(bucket.scope.startswith("conversation") for bucket in found.buckets)
    assert found.ceilings == ()


def test_day_and_month_are_the_users_and_end_at_the_users_midnight() -> None:
    found = plan(Limits(), "a/b", None, datetime(2026, 10, 31, 23, 30, tzinfo=UTC), BERLIN)
    day, month = found.buckets[:2]
    assert (day.period, month.period) == ("2026-11-01", "2026-11")
    assert day.resets_at == datetime(2026, 11, 1, 23, tzinfo=UTC)
    assert month.resets_at == datetime(2026, 11, 30, 23, tzinfo=UTC)


def test_the_settings_of_the_configuration_are_limits_as_they_are() -> None:
    settings = SettingsLimits.model_validate(
        {
            "daily": "5.00",
            "models": {"openai/gpt-5": {"monthly": "20.00"}},
            "rate": {"openai": {"requests_per_minute": 2}},
        }
    )
    found = plan(settings, "openai/gpt-5", None, NOW, UTC)
    assert [ceiling.name for ceiling in found.ceilings] == ["daily", "model:openai/gpt-5:monthly"]
    assert len(rate_holds(settings, "openai", "r1", NOW, tokens=5, cost=None)) == 1


def holds(limits: Limits, request_id: str, now: datetime, *, tokens: int = 0, cost: str | None = None) -> list[Hold]:
    amount = None if cost is None else Decimal(cost)
    return list(rate_holds(limits, "openai", request_id, now, tokens=tokens, cost=amount))


def test_a_provider_without_a_rate_limit_holds_nothing() -> None:
    assert holds(Limits(rate={"anthropic": Rate(1)}), "r1", NOW) == []


def test_an_unknown_cost_is_not_held_against_the_cost_per_minute() -> None:
    assert holds(Limits(rate={"openai": Rate(cost_per_minute=Decimal(1))}), "r1", NOW) == []


def test_requests_beyond_the_rate_wait_until_the_first_is_a_minute_old(ledger: SqliteLedger, clock: Clock) -> None:
    limits = Limits(rate={"openai": Rate(requests_per_minute=2)})
    for number in range(2):
        ledger.reserve(*holds(limits, f"r{number}", clock.now))
        clock.now += timedelta(seconds=20)
    with pytest.raises(LimitReached) as refused:
        ledger.reserve(*holds(limits, "r2", clock.now))
    assert refused.value.limit == "rate:openai:requests"
    clock.now = NOW + timedelta(seconds=60)
    ledger.reserve(*holds(limits, "r2", clock.now))
    with pytest.raises(LimitReached):
        ledger.reserve(*holds(limits, "r3", clock.now))


def test_tokens_and_cost_of_the_last_minute_are_counted_by_their_amount(ledger: SqliteLedger, clock: Clock) -> None:
    limits = Limits(rate={"openai": Rate(tokens_per_minute=1000, cost_per_minute=Decimal("0.50"))})
    for hold in holds(limits, "r0", clock.now, tokens=900, cost="0.30"):
        ledger.reserve(hold)
    tokens, cost = holds(limits, "r1", clock.now, tokens=101, cost="0.20")
    with pytest.raises(LimitReached, match="900"):
        ledger.reserve(tokens)
    ledger.reserve(cost)


def test_a_request_that_took_less_gives_its_rate_back(ledger: SqliteLedger, clock: Clock) -> None:
    limits = Limits(rate={"openai": Rate(tokens_per_minute=1000)})
    ledger.reserve(*holds(limits, "r0", clock.now, tokens=900))
    ledger.reserve(*holds(limits, "r0", clock.now, tokens=100))
    ledger.reserve(*holds(limits, "r1", clock.now, tokens=900))


def test_two_accounts_of_a_maker_are_limited_each_by_itself_and_both_by_the_limits_on_everything() -> None:
    limits = Limits(
        daily=Decimal(5),
        models={"openai/gpt-5": ModelLimits(monthly=Decimal(20)), "work/gpt-5": ModelLimits(monthly=Decimal(300))},
    )
    own, work = (plan(limits, f"{account}/gpt-5-2025-08-07", None, NOW, UTC) for account in ("openai", "work"))
    assert [(ceiling.name, ceiling.amount) for ceiling in own.ceilings] == [
        ("daily", Decimal(5)),
        ("model:openai/gpt-5:monthly", Decimal(20)),
    ]
    assert [(ceiling.name, ceiling.amount) for ceiling in work.ceilings] == [
        ("daily", Decimal(5)),
        ("model:work/gpt-5:monthly", Decimal(300)),
    ]
    assert {bucket.scope for bucket in own.buckets} & {bucket.scope for bucket in work.buckets} == {"all"}
