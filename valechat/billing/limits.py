"""Limits as counters: which buckets a request counts in, and which ceilings stand over them.

Every request counts in all its buckets, whether or not they have a limit now, so that a limit set in
the evening counts the morning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Protocol

from valechat.billing.names import same_model
from valechat.billing.periods import billing_period_of, day_of, end_of_day, end_of_month
from valechat.ledger.base import Bucket, Ceiling, Hold

__all__ = [
    "ConversationLimits",
    "Limits",
    "ModelLimits",
    "Plan",
    "RateLimits",
    "ceilings",
    "model_scope",
    "plan",
    "rate_holds",
]

_MINUTE = timedelta(minutes=1)


class ModelLimits(Protocol):
    """Limits on one model, in USD."""

    @property
    def daily(self) -> Decimal | None:
        """USD a day."""
        ...

    @property
    def monthly(self) -> Decimal | None:
        """USD a month."""
        ...


class ConversationLimits(Protocol):
    """Limits on each conversation, in USD."""

    @property
    def total(self) -> Decimal | None:
        """USD in all."""
        ...


class RateLimits(Protocol):
    """What may be asked of a provider within a minute."""

    @property
    def requests_per_minute(self) -> int | None:
        """Requests sent."""
        ...

    @property
    def tokens_per_minute(self) -> int | None:
        """Tokens, input and output together."""
        ...

    @property
    def cost_per_minute(self) -> Decimal | None:
        """USD."""
        ...


class Limits(Protocol):
    """The user's limits, as the settings hold them."""

    @property
    def daily(self) -> Decimal | None:
        """USD a day."""
        ...

    @property
    def monthly(self) -> Decimal | None:
        """USD a month."""
        ...

    @property
    def confirm_above(self) -> Decimal | None:
        """USD above which a single request needs the user to agree."""
        ...

    @property
    def models(self) -> Mapping[str, ModelLimits]:
        """By `provider/model`."""
        ...

    @property
    def conversation(self) -> ConversationLimits:
        """For each conversation."""
        ...

    @property
    def rate(self) -> Mapping[str, RateLimits]:
        """By provider."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What a request counts in and what stands over it, for `Hold` and `Ledger.limit_states`."""

    buckets: tuple[Bucket, ...]
    ceilings: tuple[Ceiling, ...]


def plan(limits: Limits, model: str, conversation_id: str | None, now: datetime, tz: tzinfo | None = None) -> Plan:
    """The spending buckets and ceilings of a request.

    Args:
        limits: The user's limits.
        model: `provider/model`; dated snapshots of a model count as that model.
        conversation_id: None for a request outside any conversation.
        now: The moment of the request.
        tz: The user's time zone, by default the system's.
    """
    day = day_of(now, tz), end_of_day(now, tz)
    month = billing_period_of(now, tz), end_of_month(now, tz)
    scope = model_scope(model)
    daily, monthly = Bucket("all", *day), Bucket("all", *month)
    model_daily, model_monthly = Bucket(scope, *day), Bucket(scope, *month)
    buckets = [daily, monthly, model_daily, model_monthly]
    wanted = [("daily", daily, limits.daily), ("monthly", monthly, limits.monthly)]
    for name, own in limits.models.items():
        if model_scope(name) == scope:
            wanted += [
                (f"model:{name}:daily", model_daily, own.daily),
                (f"model:{name}:monthly", model_monthly, own.monthly),
            ]
    if conversation_id is not None:
        conversation = Bucket(f"conversation:{conversation_id}", "")
        buckets.append(conversation)
        wanted.append(("conversation", conversation, limits.conversation.total))
    ceilings = tuple(Ceiling(name, bucket, amount) for name, bucket, amount in wanted if amount is not None)
    return Plan(tuple(buckets), ceilings)


def model_scope(model: str) -> str:
    """The scope of the buckets that `provider/model` counts in."""
    return f"model:{same_model(model)}"


def ceilings(limits: Limits, tz: tzinfo | None = None) -> list[Ceiling]:
    """All spending limits as they stand over today's and this month's buckets; those of conversations left out.

    Args:
        limits: The user's limits.
        tz: The user's time zone, by default the system's.
    """
    now = datetime.now(UTC)
    found = {
        ceiling.name: ceiling
        for model in [*limits.models, "none/none"]
        for ceiling in plan(limits, model, None, now, tz).ceilings
    }
    return list(found.values())


def rate_holds(
    limits: Limits, provider: str, request_id: str, now: datetime, *, tokens: int, cost: Decimal | None
) -> Sequence[Hold]:
    """Holds that keep a request within its provider's limits per minute.

    Each is reserved before the request leaves and then left to lapse a minute later, so that the
    holds standing at any moment are exactly the last minute's. When the request was never sent, or
    took less than `tokens` or `cost`, release the hold and reserve a smaller one instead.

    Args:
        limits: The user's limits.
        provider: The first half of `provider/model`.
        request_id: The request's own; each hold's id is made from it.
        now: When the request is sent.
        tokens: The most tokens the request can take, input and output together.
        cost: The most it can cost in USD, None when no price is known.
    """
    rate = limits.rate.get(provider)
    if rate is None:
        return ()
    wanted = (
        ("requests", rate.requests_per_minute, Decimal(1)),
        ("tokens", rate.tokens_per_minute, Decimal(tokens)),
        ("cost", rate.cost_per_minute, cost),
    )
    return [
        _rate_hold(f"rate:{provider}:{what}", request_id, now, amount, Decimal(most))
        for what, most, amount in wanted
        if most is not None and amount is not None
    ]


def _rate_hold(name: str, request_id: str, now: datetime, amount: Decimal, most: Decimal) -> Hold:
    bucket = Bucket(name, "")
    return Hold(f"{request_id}#{name}", amount, (bucket,), (Ceiling(name, bucket, most),), now + _MINUTE)
