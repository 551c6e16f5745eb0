"""Money and moments as text that loses nothing: SQLite has neither decimals nor times."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import overload

__all__ = ["ZERO", "amount_text", "moment", "read_amount", "stamp"]

ZERO = Decimal(0)
_LARGEST = Decimal(10) ** 18
_PLACES = 40


def amount_text(amount: Decimal) -> str:
    """An amount of money as plain decimal text, never with an exponent.

    Raises:
        ValueError: Not finite, negative, 10^18 and more, which no column holds, or of so many decimal
            places that sums would have to round.
    """
    if not amount.is_finite() or amount < 0 or amount >= _LARGEST:
        raise ValueError(f"not an amount of money: {amount}")
    text = format(amount, "f")
    if len(text.partition(".")[2]) > _PLACES:
        raise ValueError(f"more than {_PLACES} decimal places: {amount}")
    return text


def read_amount(text: str | None) -> Decimal | None:
    """The amount of a stored text, digit for digit."""
    return None if text is None else Decimal(text)


@overload
def stamp(at: datetime) -> str: ...
@overload
def stamp(at: None) -> None: ...
def stamp(at: datetime | None) -> str | None:
    """A moment as ISO text in UTC with microseconds, so that text order is time order.

    Raises:
        ValueError: The moment has no time zone.
    """
    if at is None:
        return None
    if at.tzinfo is None:
        raise ValueError(f"a moment without a time zone: {at}")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


@overload
def moment(text: str) -> datetime: ...
@overload
def moment(text: None) -> None: ...
def moment(text: str | None) -> datetime | None:
    """The moment of a stored text."""
    return None if text is None else datetime.fromisoformat(text)
