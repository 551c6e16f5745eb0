"""Exact arithmetic: USD as Decimal, with nothing ever rounded unseen."""

from __future__ import annotations

from decimal import Context, Decimal, DivisionByZero, FloatOperation, Inexact, InvalidOperation, Overflow

__all__ = ["EXACT", "ZERO", "parse_price", "plain"]

ZERO = Decimal(0)

EXACT = Context(
    prec=80, Emin=-999, Emax=999, traps=[DivisionByZero, FloatOperation, Inexact, InvalidOperation, Overflow]
)
"""The one context money is computed in. A caller's own context has no say, and a result that would
have to be rounded raises instead. 80 digits hold the largest product `parse_price` and a token count
allow."""

_MOST = Decimal(10**9)
_MOST_DECIMALS = 20


def parse_price(value: object) -> Decimal:
    """A unit price from a price table or the user's settings.

    Args:
        value: Decimal text, a Decimal or an int; a float is read by its shortest text.

    Raises:
        ValueError: It is no number, negative, 10⁹ or more, or has more than 20 decimals.
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
