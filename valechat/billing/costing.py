"""What a request cost: its usage times the prices in force, exactly or not at all.

A part whose price is not known makes the whole cost unknown; nothing is guessed and nothing
unknown counts as free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from valechat.billing.names import canonical, is_local, split
from valechat.billing.parts import Unpriceable, parts
from valechat.billing.rates import PER_THOUSAND, Price, Rates, plain
from valechat.billing.table import PriceTable, default_table
from valechat.ledger.base import CostSource
from valechat.money import EXACT
from valechat.usage import Usage
from valechat.wires.reading import amount

__all__ = ["Priced", "cost", "price", "served_rates"]

_ZERO = Decimal(0)
_STANDARD = {"", "auto", "default", "on_demand", "service_tier_unspecified", "standard", "traffic_type_unspecified"}
_SAME_PRICE = {("groq", "flex")}
"""Tiers billed like the standard one (Groq: flex trades reliability for rate limits, not price)."""
_US_ONLY = Decimal("1.1")
"""Anthropic's factor on all token prices for `inference_geo: us` (Claude 4.6 and newer; older ones
refuse the parameter)."""
_ANYWHERE = {"", "global", "not_available"}


@dataclass(frozen=True, slots=True)
class Priced:
    """A request's cost and how it was found.

    Attributes:
        cost: USD; None when it is not known.
        source: `priced` from unit prices, `reported` by the provider, `estimated` where the bill
            may differ, `unpriced` when unknown.
        unit_prices: The unit prices applied, decimal text by key, and `multiplier` where there is one.
        reason: Why it is unpriced or estimated, as a sentence; empty otherwise.
        at_most: USD the request cannot have cost more than, where that is known though the cost is not.
        price_source: Where the unit prices come from.
        effective_from: The day they came into force, if known.
        known_at: The day they were entered into the price table.
    """

    cost: Decimal | None
    source: CostSource
    unit_prices: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    at_most: Decimal | None = None
    price_source: str = ""
    effective_from: date | None = None
    known_at: date | None = None


def cost(
    usage: Usage,
    model: str,
    at: datetime | None = None,
    prices: Mapping[str, Mapping[str, Any]] | None = None,
) -> Decimal | None:
    """USD a request cost, exactly; None when it is not known.

    Args:
        usage: What the provider counted.
        model: `provider/model`.
        at: The moment of the request, now by default; prices change.
        prices: The user's own prices by `provider/model`: `input`, `output`, `cache_read`,
            `cache_write`, decimal text, USD per million tokens. They win over everything else.
            A part without a price makes the cost unknown.

    Raises:
        ValueError: One of the user's prices is not a price.
    """
    return price(usage, model, at, prices).cost


def price(
    usage: Usage,
    model: str,
    at: datetime | None = None,
    prices: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    local: bool = False,
    table: PriceTable | None = None,
) -> Priced:
    """What a request cost and how that was found; see `cost`.

    Args:
        usage: As for `cost`.
        model: As for `cost`.
        at: As for `cost`.
        prices: As for `cost`.
        local: The provider runs on the user's machine, so its models are free.
        table: The price table; by default the newest this machine has.
    """
    table = table or default_table()
    if prices:
        table = table.with_user(prices)
    rates = table.find(model, at)
    if rates is None or not rates.is_user:
        if local or is_local(model):
            return Priced(_ZERO, "priced", at_most=_ZERO)
        if (reported := _reported(usage)) is not None:
            return Priced(reported, "reported", at_most=reported)
    if rates is None:
        return Priced(None, "unpriced", reason=f"No price is known for {canonical(model)}.")
    try:
        served, multiplier = _as_served(rates, usage.details)
        counted = parts(usage, rates.model, served.prices)
    except Unpriceable as why:
        return Priced(None, "unpriced", reason=f"No cost can be given: {why}.")
    return _bill(served, counted, usage.input_tokens or 0, multiplier)


def served_rates(rates: Rates, details: Mapping[str, Any]) -> tuple[Mapping[str, Price], Decimal] | None:
    """Unit prices, and the factor on token prices, for a request served as the details say.

    None when no price is known for that.
    """
    try:
        served, multiplier = _as_served(rates, details)
    except Unpriceable:
        return None
    return served.prices, Decimal(1) if multiplier is None else multiplier


def _reported(usage: Usage) -> Decimal | None:
    """What OpenRouter says it charged.

    With the user's own key (`is_byok`) that is its fee only, and the model's maker charges
    `upstream_inference_cost` besides.
    """
    charged = amount(usage.details.get("cost"))
    if charged is None or usage.details.get("is_byok") is not True:
        return charged
    details = usage.details.get("cost_details")
    upstream = amount(details.get("upstream_inference_cost")) if isinstance(details, Mapping) else None
    return None if upstream is None else EXACT.add(charged, upstream)


def _as_served(rates: Rates, details: Mapping[str, Any]) -> tuple[Rates, Decimal | None]:
    """The rates for the way the provider says it served the request, and a factor on token prices."""
    if rates.is_user:
        return rates, None
    provider = split(rates.model)[0]
    conditions = _conditions(provider, details)
    if len(conditions) > 1:
        raise Unpriceable(f"no price is known for {' with '.join(f'{name} {value}' for name, value in conditions)}")
    for name, value in conditions:
        served = rates.variant(name, value)
        if served is None:
            raise Unpriceable(f"no price is known for {name.replace('_', ' ')} {value!r}")
        rates = served
    geo = _word(details, "inference_geo")
    if provider != "anthropic" or geo in _ANYWHERE:
        return rates, None
    if geo != "us":
        raise Unpriceable(f"no price is known for inference_geo {geo!r}")
    return rates, _US_ONLY


def _conditions(provider: str, details: Mapping[str, Any]) -> list[tuple[str, str]]:
    """In which ways a request was not served as standard, by the price table's names for them."""
    tier = _word(details, "service_tier") or _word(details, "serviceTier")
    if tier in _STANDARD:
        tier = _word(details, "trafficType").removeprefix("on_demand_")
    found: list[tuple[str, str]] = []
    if tier == "batch" or _word(details, "processing") == "batch":
        found.append(("processing", "batch"))
    elif tier not in _STANDARD and (provider, tier) not in _SAME_PRICE:
        found.append(("service_tier", tier))
    if (speed := _word(details, "speed")) not in _STANDARD:
        found.append(("speed", speed))
    return found


def _word(details: Mapping[str, Any], name: str) -> str:
    value = details.get(name)
    return "" if value is None else str(value).lower()


def _bill(rates: Rates, counted: Mapping[str, int], input_tokens: int, multiplier: Decimal | None) -> Priced:
    total = more = _ZERO
    units: dict[str, str] = {}
    missing: list[str] = []
    bounded = True
    for key, count in counted.items():
        known = _unit(rates, key)
        if known is not None:
            unit = known.at(input_tokens)
            units[key] = plain(unit)
            total = EXACT.add(total, _amount(key, count, unit, multiplier))
            continue
        missing.append(key)
        # A cache read is never dearer than reading the same tokens afresh.
        ceiling = rates.prices.get("input") if key == "cache_read" else None
        if ceiling is None:
            bounded = False
        else:
            more = EXACT.add(more, _amount(key, count, ceiling.at(input_tokens), multiplier))
    if multiplier is not None:
        units["multiplier"] = plain(multiplier)
    doubt = _doubt(rates, counted)
    if missing:
        doubt = f"No price is known for {rates.model}'s {', '.join(key.replace('_', ' ') for key in missing)}."
    return Priced(
        cost=None if missing else total,
        source="unpriced" if missing else "estimated" if doubt else "priced",
        unit_prices=units,
        reason=doubt,
        at_most=EXACT.add(total, more) if bounded else None,
        price_source=rates.source,
        effective_from=rates.effective_from,
        known_at=rates.known_at,
    )


def _unit(rates: Rates, key: str) -> Price | None:
    """The unit price of a part. Where one is left out, these rules say which other one is meant."""
    instead: tuple[str, ...] = ()
    if rates.is_user and key.startswith("cache_write"):
        instead = ("cache_write",)
    elif key == "cache_write" and split(rates.model)[0] == "openai":
        # OpenAI charges for writing to the cache only where it lists a price for it.
        instead = ("input",)
    return next((rates.prices[name] for name in (key, *instead) if name in rates.prices), None)


def _amount(key: str, count: int, unit: Decimal, multiplier: Decimal | None) -> Decimal:
    if key in PER_THOUSAND:
        return EXACT.scaleb(EXACT.multiply(unit, count), -3)
    spent = EXACT.scaleb(EXACT.multiply(unit, count), -6)
    return spent if multiplier is None else EXACT.multiply(spent, multiplier)


def _doubt(rates: Rates, counted: Mapping[str, int]) -> str:
    provider = split(rates.model)[0]
    if provider == "openrouter" and not rates.is_user:
        return "OpenRouter did not report the cost; this is its list price, and the bill may differ."
    if provider == "gemini" and counted.get("web_search"):
        return "Google's free daily searches are not subtracted, so the bill may be lower."
    return ""
