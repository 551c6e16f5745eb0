"""Days and months in the user's time zone."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valechat.billing.periods import billing_period_of, day_of, end_of_day, end_of_month, zone_name

BERLIN = ZoneInfo("Europe/Berlin")
KIRITIMATI = ZoneInfo("Pacific/Kiritimati")


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def test_the_same_moment_is_another_day_and_month_elsewhere() -> None:
    moment = utc(2026, 10, 31, 23, 30)
    assert (day_of(moment, UTC), day_of(moment, BERLIN)) == ("2026-10-31", "2026-11-01")
    assert (billing_period_of(moment, UTC), billing_period_of(moment, BERLIN)) == ("2026-10", "2026-11")


@pytest.mark.parametrize(
    ("moment", "hours"),
    [(utc(2026, 3, 29, 0), 23), (utc(2026, 10, 25, 0), 25), (utc(2026, 11, 22, 0), 24)],
    ids=["clocks forward", "clocks back", "plain"],
)
def test_a_day_ends_at_midnight_whatever_the_clocks_do(moment: datetime, hours: int) -> None:
    start = end_of_day(moment - timedelta(days=1), BERLIN)
    end = end_of_day(moment, BERLIN)
    assert end.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=hours)
    assert (end.hour, end.minute) == (0, 0)


def test_a_day_that_begins_without_a_midnight_begins_with_its_first_moment() -> None:
    beirut = ZoneInfo("Asia/Beirut")
    end = end_of_day(datetime(2026, 3, 28, 12, tzinfo=beirut), beirut)
    assert (end.isoformat(), end.astimezone(UTC).isoformat()) == (
        "2026-03-29T01:00:00+03:00",
        "2026-03-28T22:00:00+00:00",
    )


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        (utc(2026, 12, 31, 12), utc(2026, 12, 31, 23)),
        (utc(2026, 1, 31, 12), utc(2026, 1, 31, 23)),
        (utc(2028, 2, 29, 12), utc(2028, 2, 29, 23)),
        (utc(2026, 10, 1, 12), utc(2026, 10, 31, 23)),
        (utc(2026, 3, 1, 12), utc(2026, 3, 31, 22)),
    ],
)
def test_a_month_ends_with_its_last_day(moment: datetime, end: datetime) -> None:
    assert end_of_month(moment, BERLIN) == end


moments = st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
zones = st.sampled_from([UTC, BERLIN, KIRITIMATI, ZoneInfo("America/New_York"), ZoneInfo("Africa/Cairo"), None])


@given(moment=moments, tz=zones)
def test_a_period_ends_after_its_moments_and_the_next_one_begins_there(moment: datetime, tz: tzinfo | None) -> None:
    end = end_of_day(moment, tz)
    assert moment < end
    assert day_of(end, tz) > day_of(moment, tz)
    assert day_of(end - timedelta(microseconds=1), tz) == day_of(moment, tz)
    month = end_of_month(moment, tz)
    assert billing_period_of(month, tz) > billing_period_of(moment, tz)
    assert billing_period_of(month - timedelta(microseconds=1), tz) == billing_period_of(moment, tz)


def test_a_time_zone_is_called_by_its_name_where_it_has_one() -> None:
    assert zone_name(BERLIN, utc(2026, 1, 1)) == "Europe/Berlin"
    assert zone_name(UTC, utc(2026, 1, 1)) == "UTC"
