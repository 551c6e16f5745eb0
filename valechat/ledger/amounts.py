"""Exact money and exact moments, as text.

SQLite has no decimals, so amounts are stored as decimal text and added here, in a context of our own:
the ambient one may round.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import overload

__all__ = ["ZERO", "add", "amount_text", "moment", "read_amount", "stamp", "subtract"]

ZERO = Decimal(0)
_LARGEST = Decimal(10) ** 18
_EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])


def add(a: Decimal, b: Decimal) -> Decimal:
    """The exact sum, whatever the ambient decimal context."""
    return _EXACT.add(a, b)


def subtract(a: Decimal, b: Decimal) -> Decimal:
    """The exact difference, whatever the ambient decimal context."""
    return _EXACT.subtract(a, b)


def amount_text(amount: Decimal) -> str:
    """An amount of money as plain decimal text, never with an exponent.

    Raises:
        ValueError: Not finite, negative, or 10^18 and more, which no column holds.
    """
    if not amount.is_finite() or amount < 0 or amount >= _LARGEST:
        raise ValueError(f"not an amount of money: {amount}")
    return format(amount, "f")


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
