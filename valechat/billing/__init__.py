"""Prices, cost, limits, verification. Money is `Decimal` USD; an unknown cost is None."""
