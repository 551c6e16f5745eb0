"""Prices of one model at one moment, as values.

Unit prices are USD: per million tokens, and per thousand for `web_search`, `file_search` and
`request`. Their keys are `KEYS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

__all__ = [
    "KEYS",
    "PER_THOUSAND",
    "Price",
    "Rates",
    "Variant",
    "When",
    "parse_price",
    "plain",
    "read_prices",
    "write_prices",
]

_MOST = Decimal(10) ** 12
_MOST_DECIMALS = 20

PER_THOUSAND = frozenset({"file_search", "request", "web_search"})
KEYS = PER_THOUSAND | {
    "cache_read",
    "cache_read_audio",
    "cache_read_image",
    "cache_read_video",
    "cache_write",
    "cache_write_12h",
    "cache_write_1h",
    "input",
    "input_audio",
    "input_image",
    "input_video",
    "output",
    "output_audio",
    "output_image",
    "output_video",
}


@dataclass(frozen=True, slots=True)
class Price:
    """A unit price; `above` holds what it is for a request with more input tokens than a threshold.

    A tier covers the whole request, and starts strictly above its threshold.
    """

    base: Decimal
    above: tuple[tuple[int, Decimal], ...] = ()

    def at(self, input_tokens: int) -> Decimal:
        """The price for a request with so many input tokens, cached included."""
        price = self.base
        for threshold, dearer in self.above:
            if input_tokens > threshold:
                price = dearer
        return price

    @property
    def highest(self) -> Decimal:
        """The most it can be, whatever the request's size."""
        return max([self.base, *(price for _, price in self.above)])


@dataclass(frozen=True, slots=True)
class When:
    """From which day (UTC) a price holds, and at which hours (UTC) of which weekdays (1 = Monday)."""

    effective_from: date | None = None
    hours: tuple[time, time] | None = None
    weekdays: str = "1234567"

    def holds(self, at: datetime) -> bool:
        """Whether it holds at a moment, given in UTC."""
        if self.effective_from is not None and at.date() < self.effective_from:
            return False
        if self.hours is None:
            return True
        return self.hours[0] <= at.time() < self.hours[1] and str(at.isoweekday()) in self.weekdays


@dataclass(frozen=True, slots=True)
class Variant:
    """Prices that differ for requests served in another way, such as `service_tier` `flex`."""

    condition: str
    value: str
    when: When
    prices: Mapping[str, Price]


@dataclass(frozen=True, slots=True)
class Rates:
    """What a model costs at one moment.

    Attributes:
        model: Its name in the price table, `provider/model`.
        prices: Unit prices by key.
        source: Where they come from.
        effective_from: The day they came into force; None when that is not known.
        known_at: The day they were entered into the table; None for the user's own.
        variants: Those that are in force at the same moment.
        is_user: Whether the user set them; such an entry knows no tiers or variants.
    """

    model: str
    prices: Mapping[str, Price]
    source: str
    effective_from: date | None = None
    known_at: date | None = None
    variants: tuple[Variant, ...] = field(default=())
    is_user: bool = False

    def variant(self, condition: str, value: str) -> Rates | None:
        """The rates for a request served in that way; None when they are not known."""
        for variant in self.variants:
            if (variant.condition, variant.value) == (condition, value):
                return Rates(
                    self.model, {**self.prices, **variant.prices}, self.source, self.effective_from, self.known_at
                )
        return None


def read_prices(stored: Mapping[str, Any]) -> dict[str, Price]:
    """Unit prices from their stored form: decimal text, or `{"base": …, "above": {"200000": …}}`.

    A price that is None is not known, as if it were left out.

    Raises:
        ValueError: A key or a price is not one.
    """
    prices: dict[str, Price] = {}
    for key, value in stored.items():
        if value is None:
            continue
        if key not in KEYS:
            raise ValueError(f"{key!r} is not a kind of price. Known: {', '.join(sorted(KEYS))}.")
        if isinstance(value, Mapping):
            above = sorted((int(threshold), parse_price(price)) for threshold, price in value["above"].items())
            prices[key] = Price(parse_price(value["base"]), tuple(above))
        else:
            prices[key] = Price(parse_price(value))
    return prices


def write_prices(prices: Mapping[str, Price]) -> dict[str, Any]:
    """The stored form of unit prices."""
    stored: dict[str, Any] = {}
    for key, price in prices.items():
        above = {str(threshold): plain(value) for threshold, value in price.above}
        stored[key] = {"base": plain(price.base), "above": above} if above else plain(price.base)
    return stored


def parse_price(value: object) -> Decimal:
    """A unit price from a price table or the user's settings.

    Args:
        value: Decimal text, a Decimal or an int; a float is read by its shortest text.

    Raises:
        ValueError: It is no number, negative, 10^12 or more, or has more than 20 decimals.
    """
    try:
        price = Decimal(repr(value)) if isinstance(value, float) else Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a price; write it as a decimal in quotes, such as '1.25'.") from None
    exponent = price.as_tuple().exponent
    if not price.is_finite() or not 0 <= price < _MOST or not isinstance(exponent, int) or exponent < -_MOST_DECIMALS:
        raise ValueError(
            f"{value!r} is not a price: it must be at least 0, below {_MOST:,}, with at most {_MOST_DECIMALS} decimals."
        )
    return price


def plain(value: Decimal) -> str:
    """The decimal text of an amount, without an exponent."""
    return f"{value:f}"
