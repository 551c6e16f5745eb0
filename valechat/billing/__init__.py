"""Prices, cost, limits, verification. Money is `Decimal` USD; an unknown cost is None."""

from valechat.billing.costing import Priced, cost, price
from valechat.billing.table import Facts, PriceTable, default_table

__all__ = ["Facts", "PriceTable", "Priced", "cost", "default_table", "price"]
