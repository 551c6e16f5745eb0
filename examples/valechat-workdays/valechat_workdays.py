"""A tool pack: counting working days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

__all__ = ["add_workdays", "tools", "workdays_between"]


def workdays_between(first: date, last: date) -> int:
    """How many Mondays to Fridays there are from the first day to the last, both included."""
    days = (last - first).days + 1
    return sum((first + timedelta(n)).weekday() < 5 for n in range(days))


def add_workdays(day: date, count: int) -> date:
    """The day that is so many Mondays to Fridays later."""
    while count > 0:
        day += timedelta(1)
        count -= day.weekday() < 5
    return day


def tools() -> Sequence[Callable[..., Any]]:
    """What the entry point names: the functions of the pack."""
    return [workdays_between, add_workdays]
