"""The axis of time: a bar's width, and labels that are read once each."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from valechat.notebook.spend.axes import across, labels, periods
from valechat.notebook.spend.queries import Span

TODAY = date(2026, 11, 22)
SPANS = [
    Span("7 days", TODAY),
    Span("30 days", TODAY),
    Span("12 months", TODAY),
    Span("12 months", TODAY, "month"),
    Span("all", TODAY),
]
FIRSTS = [TODAY, TODAY - timedelta(days=6), TODAY - timedelta(days=1095), TODAY - timedelta(days=3650)]


@pytest.mark.parametrize(("span", "bars"), [(SPANS[0], 7), (SPANS[1], 30), (SPANS[3], 12), (SPANS[4], 6)])
def test_one_day_is_one_bar_of_as_many_as_the_range_has(span: Span, bars: int) -> None:
    found = periods(span, TODAY if span.step == "day" else TODAY.replace(day=1))
    assert len(found) == bars
    assert found[-1] == (TODAY if span.step == "day" else TODAY.replace(day=1))


def test_ten_years_are_a_bar_a_month() -> None:
    found = periods(Span("all", TODAY), date(2016, 12, 1))
    assert (len(found), found[0], found[-1]) == (120, date(2016, 12, 1), date(2026, 11, 1))


@pytest.mark.parametrize("first", FIRSTS)
@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("width", [240, 300, 520, 900])
def test_no_label_repeats_and_each_has_room(span: Span, first: date, width: int) -> None:
    begins = periods(span, span.since or first)
    shown, written = labels(begins, span.step, width)
    texts = [day.strftime(written) for day in shown]
    assert texts
    assert len(set(texts)) == len(texts)
    assert len(texts) * 60 <= max(width, 120)


def test_a_label_stands_in_the_middle_of_its_bar() -> None:
    encoded: Any = across(Span("7 days", TODAY), TODAY, 520)
    axis = encoded.to_dict()["axis"]
    noon = 1_795_348_800_000  # 2026-11-22 12:00 UTC
    assert axis["values"][-1] == noon
    assert axis["values"][-1] - axis["values"][-2] == 86_400_000
