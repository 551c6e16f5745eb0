"""Where the bars and the labels of time lie.

Without a domain of its own a chart of one day is one bar over its whole width, and Vega-Lite repeats a
date at each hour it has room for. So the axis is as long as the range that was chosen, never shorter than a
week or half a year, and its labels are picked here: each date once, in the middle of its bar.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import altair as alt

from valechat.notebook.spend.queries import Span

__all__ = ["across", "labels", "periods"]

_LEAST = {"day": 7, "month": 6}
_PIXELS_A_LABEL = 62
_UNITS = {"day": "utcyearmonthdate", "month": "utcyearmonth"}


def periods(span: Span, first: date) -> list[date]:
    """The beginnings of all bars there is room for, from the range's first, or the first with figures, to today's."""
    begin, end = min(span.since or first, first), span.today
    found = _by_month(begin, end) if span.step == "month" else _by_day(begin, end)
    while len(found) < _LEAST[span.step]:
        before = found[0] - timedelta(days=1)
        found.insert(0, before.replace(day=1) if span.step == "month" else before)
    return found


def labels(begins: Sequence[date], step: str, width: int) -> tuple[list[date], str]:
    """Which bars get a label, and how it is written, so that none repeats and they do not touch."""
    most = max(width // _PIXELS_A_LABEL, 2)
    if step == "day":
        if len(begins) > 92:
            months = [day for day in begins if day.day == 1]
            return _thinned(months, most), "%b %Y"
        return _thinned(begins, most), "%-d %b"
    if len(begins) > 36:
        years = [month for month in begins if month.month == 1]
        return _thinned(years, most), "%Y"
    return _thinned(begins, most), "%b %Y"


def across(span: Span, first: date, width: int) -> alt.X:
    """The axis of time."""
    begins = periods(span, first)
    shown, written = labels(begins, span.step, width)
    return alt.X(
        f"{_UNITS[span.step]}(period):T",
        title=None,
        scale=alt.Scale(type="utc", domain=[_moment(begins[0]), _moment(_after(begins[-1], span.step))]),
        axis=alt.Axis(
            grid=False,
            format=written,
            values=[_middle(begin, span.step) for begin in shown],
            labelOverlap=False,
            labelFlush=False,
        ),
    )


def _thinned(begins: Sequence[date], most: int) -> list[date]:
    every = -(-len(begins) // most)
    # Counted from the end: today has a label.
    return list(reversed(list(begins)[::-1][::every])) if every else []


def _by_day(begin: date, end: date) -> list[date]:
    return [begin + timedelta(days=n) for n in range((end - begin).days + 1)]


def _by_month(begin: date, end: date) -> list[date]:
    months = range(begin.year * 12 + begin.month - 1, end.year * 12 + end.month)
    return [date(month // 12, month % 12 + 1, 1) for month in months]


def _after(begin: date, step: str) -> date:
    return begin + timedelta(days=1 if step == "day" else calendar.monthrange(begin.year, begin.month)[1])


def _middle(begin: date, step: str) -> Any:
    """The middle of a bar, in milliseconds as Vega-Lite counts time."""
    return (_moment_of(begin) + _moment_of(_after(begin, step))) // 2


def _moment_of(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def _moment(day: date) -> str:
    return f"{day}T00:00:00Z"
