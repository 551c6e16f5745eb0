"""Days and months as the user lives them: which one a moment is in, and when it ends.

A time zone of None is the system's own. All moments are timezone-aware.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo

__all__ = ["billing_period_of", "day_of", "end_of_day", "end_of_month", "zone_name"]


def day_of(ts: datetime, tz: tzinfo | None = None) -> str:
    """The user's day of a moment, `2026-11-22`."""
    return ts.astimezone(tz).date().isoformat()


def billing_period_of(ts: datetime, tz: tzinfo | None = None) -> str:
    """The user's month of a moment, `2026-11`."""
    return day_of(ts, tz)[:7]


def end_of_day(ts: datetime, tz: tzinfo | None = None) -> datetime:
    """When the user's day of a moment ends: the first moment of the next one."""
    return _start_of(ts.astimezone(tz).date() + timedelta(days=1), tz)


def end_of_month(ts: datetime, tz: tzinfo | None = None) -> datetime:
    """When the user's month of a moment ends: the first moment of the next one."""
    first = ts.astimezone(tz).date().replace(day=1)
    return _start_of((first + timedelta(days=32)).replace(day=1), tz)


def zone_name(tz: tzinfo | None, at: datetime) -> str:
    """What to call the time zone beside a time, e.g. `Europe/Berlin`."""
    key = getattr(tz, "key", None)
    return key if isinstance(key, str) else at.astimezone(tz).tzname() or "local time"


def _start_of(day: date, tz: tzinfo | None) -> datetime:
    """The first moment of a day.

    Where clocks are set forward at midnight the day begins later, where they are set back across it
    the earlier of the two midnights counts; both follow from fold=0 (PEP 495).
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=tz)
    return midnight.astimezone(UTC).astimezone(tz)
