"""What the dashboard shows, read from the ledger: rows of sums, this month's limit, and a forecast."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from typing import Any

from valechat.money import EXACT
from valechat.notebook.spend import queries
from valechat.notebook.spend.queries import Span
from valechat.queries import connect
from valechat.services import services

__all__ = ["Figures", "Month", "Row", "Table", "forecast", "read", "today"]

Row = Mapping[str, Any]

DAYS_NEEDED = 3
"""Days with requests before a forecast is shown: one day says nothing about a month."""


@dataclass(frozen=True, slots=True)
class Table:
    """A query and what it gave. Money is Decimal; unknown is None."""

    sql: str
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Month:
    """This month against its limit.

    Attributes:
        table: By day, see `queries.month`.
        today: The day it is, in the user's time zone.
        spent: USD so far; requests of unknown cost are not in it.
        unpriced: How many those are.
        limit: USD, None where there is no monthly limit.
        remaining: USD the limit leaves, less what requests under way hold.
        expected: See `forecast`.
    """

    table: Table
    today: date
    spent: Decimal
    unpriced: int
    limit: Decimal | None
    remaining: Decimal | None
    expected: Decimal | None


@dataclass(frozen=True, slots=True)
class Figures:
    """All that is shown for one choice of range, step and grouping; `empty` is a ledger without any request."""

    span: Span
    empty: bool
    month: Month
    over_time: Table
    tokens: Table
    cache: Table
    conversations: Table
    verification: Table
    plugins: Table


def today() -> date:
    """The day it is, in the user's time zone."""
    return datetime.now(UTC).astimezone(services().zone).date()


def read(span: Span, by: str) -> Figures:
    """Ask the ledger everything the dashboard shows.

    Args:
        span: Which days.
        by: `model` or `provider`, for the cost over time.
    """
    with connect() as connection:

        def table(sql: str) -> Table:
            found = connection.execute(sql)
            names = [column[0] for column in found.description or ()]
            return Table(sql, [dict(zip(names, row, strict=True)) for row in found.fetchall()])

        first = table("SELECT min(day) AS first_day FROM usage").rows[0]["first_day"]
        limits = table("SELECT amount, remaining FROM limits WHERE \"limit\" = 'monthly'").rows
        return Figures(
            span,
            first is None,
            _month(table(queries.month(span.today)), span.today, first, limits),
            table(queries.over_time(span, by)),
            table(queries.tokens(span)),
            table(queries.cache_savings(span)),
            table(queries.conversations(span)),
            table(queries.verification(span)),
            table(queries.plugins(span)),
        )


def forecast(spent: Decimal, now: date, first: date, days_used: int) -> Decimal | None:
    """What the month may come to if it goes on as it began: an estimate, in USD.

    spent + spent / elapsed days * days left. Elapsed days are counted from the month's first, or from
    the first request ever made if that was later, to today inclusive. None below three days with requests.

    Args:
        spent: USD spent this month.
        now: Today.
        first: The day of the first request ever.
        days_used: Days of this month with requests.
    """
    if days_used < DAYS_NEEDED:
        return None
    elapsed = (now - max(first, now.replace(day=1))).days + 1
    left = calendar.monthrange(now.year, now.month)[1] - now.day
    # A forecast is no bill: here a division may round.
    return EXACT.add(spent, Context(prec=28).divide(EXACT.multiply(spent, left), Decimal(elapsed)))


def _month(table: Table, now: date, first: date | None, limits: list[Row]) -> Month:
    spent = table.rows[-1]["so_far"] if table.rows else None
    spent = Decimal(0) if spent is None else spent
    return Month(
        table,
        now,
        spent,
        sum(row["unpriced"] for row in table.rows),
        limits[0]["amount"] if limits else None,
        limits[0]["remaining"] if limits else None,
        None if first is None else forecast(spent, now, first, len(table.rows)),
    )
