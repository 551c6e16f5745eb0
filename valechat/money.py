"""Exact arithmetic on money.

All sums and products of money go through one decimal context of our own: an ambient context of low
precision, which any library may set, would round silently.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Clamped, Context, Decimal, DivisionByZero, FloatOperation, Inexact, InvalidOperation, Overflow

__all__ = ["EXACT", "add", "subtract", "total"]

EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, Overflow, DivisionByZero, FloatOperation, Clamped])
"""60 digits; an operation that would have to round raises `decimal.Inexact` instead."""


def add(a: Decimal, b: Decimal) -> Decimal:
    """Add exactly."""
    return EXACT.add(a, b)


def subtract(a: Decimal, b: Decimal) -> Decimal:
    """Subtract exactly."""
    return EXACT.subtract(a, b)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum; 0 of nothing."""
    result = Decimal(0)
    for amount in amounts:
        result = EXACT.add(result, amount)
    return result
