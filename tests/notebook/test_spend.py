"""The spend dashboard: its sums against rows written into a real ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import valechat
from tests.ledger.samples import conversation, tool_call, usage_row
from tests.patience import Stopwatch
from valechat.ledger.base import Ledger, Verification
from valechat.notebook.spend import charts, figures, spend
from valechat.notebook.spend.dashboard import exact
from valechat.notebook.spend.queries import RANGES, Span
from valechat.services import services
from valechat.usage import Usage

TODAY = date(2026, 11, 22)
ALL = Span("all", TODAY)


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("valechat.notebook.spend.dashboard.today", lambda: TODAY)


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    return_to = services().ledger
    yield return_to
    return_to.close()


def settle(ledger: Ledger, request_id: str, cost: str | None = "0.01", **changes: Any) -> None:
    day = changes.get("day", "2026-11-22")
    ledger.settle(usage_row(request_id, cost, billing_period=day[:7], **changes), [])


def read(span: Span = ALL, by: str = "model") -> figures.Figures:
    return figures.read(span, by)


def test_cost_over_time_is_exact_and_apart_by_model_and_month(ledger: Ledger) -> None:
    settle(ledger, "1", "0.00000000000000000001", day="2026-10-31")
    settle(ledger, "2", "0.10", day="2026-11-01")
    settle(ledger, "3", "0.20", day="2026-11-22")
    settle(ledger, "4", "1", day="2026-11-22", provider="other")
    assert [(row["period"], row["name"], row["cost"]) for row in read().over_time.rows] == [
        (date(2026, 10, 1), "mylab/scripted", Decimal("0.00000000000000000001")),
        (date(2026, 11, 1), "other/scripted", Decimal(1)),
        (date(2026, 11, 1), "mylab/scripted", Decimal("0.3")),
    ]


def test_cost_over_time_by_provider_sums_its_models(ledger: Ledger) -> None:
    settle(ledger, "1", "0.10", model="a")
    settle(ledger, "2", "0.20", model="b")
    assert [(row["name"], row["cost"]) for row in read(by="provider").over_time.rows] == [("mylab", Decimal("0.3"))]


def test_beyond_eight_models_the_cheapest_are_all_others(ledger: Ledger) -> None:
    for number in range(1, 11):
        settle(ledger, str(number), f"{number}", model=f"m{number:02}")
    found = {row["name"]: row["cost"] for row in read().over_time.rows}
    assert len(found) == 9
    assert found["all others"] == Decimal(1 + 2)


def test_a_request_without_a_price_is_counted_and_adds_nothing(ledger: Ledger) -> None:
    settle(ledger, "1", None)
    (row,) = read().over_time.rows
    assert (row["cost"], row["requests"], row["unpriced"]) == (None, 1, 1)


@pytest.mark.parametrize(
    ("span", "since"),
    [
        (Span("7 days", TODAY), date(2026, 11, 16)),
        (Span("30 days", TODAY), date(2026, 10, 24)),
        (Span("12 months", TODAY), date(2025, 12, 1)),
        (Span("12 months", date(2026, 12, 31)), date(2026, 1, 1)),
        (Span("all", TODAY), None),
    ],
)
def test_a_range_ends_today_and_begins_with(span: Span, since: date | None) -> None:
    assert span.since == since


def test_a_range_takes_in_its_first_day_and_not_the_one_before(ledger: Ledger) -> None:
    settle(ledger, "in", "1", day="2026-11-16")
    settle(ledger, "out", "2", day="2026-11-15")
    assert [row["cost"] for row in read(Span("7 days", TODAY)).over_time.rows] == [Decimal(1)]


def test_the_month_grows_by_day_and_stands_against_its_limit(ledger: Ledger) -> None:
    valechat.limits.set(monthly="50")
    settle(ledger, "1", "1.5", day="2026-11-02")
    settle(ledger, "2", "2", day="2026-11-20")
    settle(ledger, "3", "9", day="2026-10-31")
    month = read().month
    assert [row["so_far"] for row in month.table.rows] == [Decimal("1.5"), Decimal("3.5")]
    assert (month.spent, month.limit) == (Decimal("3.5"), Decimal(50))


def test_the_forecast_goes_on_at_the_mean_of_the_days_gone_by() -> None:
    assert figures.forecast(Decimal(20), date(2026, 11, 20), date(2020, 1, 1), 3) == Decimal(30)


def test_the_forecast_counts_days_from_the_first_request_where_that_was_this_month() -> None:
    assert figures.forecast(Decimal(5), date(2026, 11, 20), date(2026, 11, 16), 5) == Decimal(15)


def test_there_is_no_forecast_before_three_days_with_requests() -> None:
    assert figures.forecast(Decimal(5), date(2026, 11, 20), date(2026, 11, 1), 2) is None


def test_a_cache_read_saved_the_difference_to_the_input_price(ledger: Ledger) -> None:
    usage = Usage(input_tokens=3_000_000, output_tokens=1, cache_read_tokens=2_000_000)
    prices = {"input": "1.25", "cache_read": "0.125", "output": "10"}
    settle(ledger, "1", usage=usage, unit_prices=prices)
    settle(ledger, "2", usage=usage, unit_prices={**prices, "multiplier": "1.1"})
    (row,) = read().cache.rows
    assert row["saved"] == Decimal(2) * Decimal("1.125") * Decimal("2.1")
    assert row["unknown"] == 0


@pytest.mark.parametrize(
    "prices",
    [{}, {"cache_read": "0.1"}, {"input": "1"}, {"input": "1", "cache_read": "0.1", "cache_read_audio": "0.3"}],
)
def test_a_saving_whose_prices_are_not_known_stays_unknown(ledger: Ledger, prices: dict[str, str]) -> None:
    usage = Usage(input_tokens=300, output_tokens=1, cache_read_tokens=200)
    settle(ledger, "1", usage=usage, unit_prices=prices)
    (row,) = read().cache.rows
    assert (row["saved"], row["unknown"], row["cache_read_tokens"]) == (None, 1, 200)


def test_tokens_are_disjoint(ledger: Ledger) -> None:
    usage = Usage(input_tokens=100, output_tokens=7, cache_read_tokens=60, cache_write_tokens=30)
    settle(ledger, "1", usage=usage)
    settle(ledger, "2", usage=Usage())
    (row,) = read().tokens.rows
    assert [row[kind] for kind in ("input", "cache_read", "cache_write", "output", "uncounted")] == [10, 60, 30, 7, 1]


def test_the_dearest_conversations_come_first_also_when_deleted(ledger: Ledger) -> None:
    ledger.start_conversation(conversation("c1", "Greetings"))
    ledger.start_conversation(conversation("c2", "Secret"))
    settle(ledger, "1", "1", conversation_id="c1")
    settle(ledger, "2", "2", conversation_id="c2")
    ledger.delete_conversation("c2")
    found = read().conversations.rows
    assert [(charts.titled(row), row["cost"]) for row in found] == [
        ("deleted conversation", Decimal(2)),
        ("Greetings", Decimal(1)),
    ]


def test_verification_counts_by_model_result_and_reason(ledger: Ledger) -> None:
    settle(ledger, "1", verification=Verification("verified"))
    settle(ledger, "2", verification=Verification("unable", "media"))
    settle(ledger, "3", verification=Verification("unable", "media"))
    found = [(row["verification"], row["reason"], row["requests"]) for row in read().verification.rows]
    assert found == [("unable", "media", 2), ("verified", None, 1)]


def test_the_query_that_is_shown_gives_what_is_drawn(ledger: Ledger) -> None:
    settle(ledger, "1", "0.25", usage=Usage(input_tokens=9, output_tokens=1, cache_read_tokens=3))
    found = read()
    for table in (found.month.table, found.over_time, found.tokens, found.cache, found.conversations):
        assert valechat.sql(table.sql).fetchall() == [tuple(row.values()) for row in table.rows]


def test_an_empty_ledger_says_how_to_begin() -> None:
    dashboard = spend()
    assert "Nothing has been asked yet" in dashboard.children[1].value
    assert repr(dashboard) == "Spend in November 2026: $0"


def test_names_of_models_and_conversations_are_text(ledger: Ledger) -> None:
    ledger.start_conversation(conversation("c1", "<img src=x onerror=alert(1)>"))
    settle(ledger, "1", model="<script>alert(2)</script>", conversation_id="c1")
    drawn = [
        value.value for section in spend().children[2].children for value in section.children if hasattr(value, "value")
    ]
    assert any("&lt;img" in text for text in drawn)
    assert not any("<script" in text or "<img" in text for text in drawn)


@pytest.mark.parametrize("wanted", RANGES)
def test_every_range_can_be_chosen(ledger: Ledger, wanted: str) -> None:
    settle(ledger, "1", "0.25", day="2020-01-01")
    dashboard = spend()
    dashboard.children[0].children[0].value = wanted
    assert dashboard.figures.span.range == wanted
    assert bool(dashboard.figures.over_time.rows) is (wanted == "all")


def test_a_chart_holds_what_the_front_ends_renderer_reads(ledger: Ledger) -> None:
    settle(ledger, "1", "0.25")
    (output,) = spend().children[2].children[0].children[2].outputs
    spec = output["data"]["application/vnd.vegalite.v5+json"]
    assert spec["$schema"].endswith("/v5.json")
    assert json.loads(json.dumps(spec)) == spec


def chart_of(dashboard: Any, section: int) -> dict[str, Any]:
    (output,) = dashboard.children[2].children[section].children[2].outputs
    found: dict[str, Any] = output["data"]["application/vnd.vegalite.v5+json"]
    return found


@pytest.mark.parametrize("room", [300, 520, 860])
def test_a_chart_is_drawn_as_wide_as_the_front_end_says_there_is_room(ledger: Ledger, room: int) -> None:
    settle(ledger, "1", "0.25")
    dashboard = spend()
    section = dashboard.children[2].children[0]
    section.children[-1].room = room
    assert room - 20 < chart_of(dashboard, 0)["width"] < room


def test_calls_of_plugins_are_drawn_where_there_are_any(ledger: Ledger) -> None:
    settle(ledger, "1")
    dashboard = spend()
    plugins = dashboard.children[2].children[5]
    assert plugins.layout.display == "none"
    for n, status in enumerate(["ok", "ok", "error"]):
        ledger.add_tool_call(replace(tool_call(f"t{n}"), status=status, duration_ms=1500))
    ledger.add_tool_call(replace(tool_call("own"), plugin="notebook", tool="own"))
    dashboard.refresh()
    assert plugins.layout.display == ""
    (drawn,) = chart_of(dashboard, 5)["datasets"].values()
    assert [(value["tool"], value["end"], value["calls"]) for value in drawn] == [
        ("git: log", "ok", 2),
        ("git: log", "error", 1),
    ]
    assert "1.50 s" in plugins.static


def test_the_saved_notebook_has_the_figures_as_tables(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(ledger, "1", "0.25", model="<b>bold</b>")
    shown: list[tuple[dict[str, str], dict[str, Any]]] = []

    def publish(data: dict[str, str], **options: Any) -> None:
        shown.append((data, options))

    monkeypatch.setattr("valechat.notebook.spend.static.publish_display_data", publish)
    monkeypatch.setattr("valechat.notebook.spend.dashboard.display", lambda data, raw: shown.append((data, {})))
    spend()._ipython_display_()
    (widget, _), (static, options) = shown
    assert "application/vnd.jupyter.widget-view+json" in widget
    assert "<table>" in static["text/html"]
    assert "</span>0.25<" in static["text/html"]
    assert "&lt;b&gt;bold" in static["text/html"]
    assert "<script" not in static["text/html"]
    assert options["transient"]["display_id"]


def test_marimo_is_given_the_figures_as_tables(ledger: Ledger) -> None:
    settle(ledger, "1", "0.25", model="<b>bold</b>")
    drawn = str(spend()._display_().data)
    assert "</span>0.25<" in drawn
    assert "&lt;b&gt;bold" in drawn


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, "unknown"), (Decimal(0), "$0.00"), (Decimal("1234.50"), "$1,234.50"), (Decimal("0.00051"), "$0.00051")],
)
def test_an_amount_is_shown_to_its_last_digit(amount: Decimal | None, text: str) -> None:
    assert exact(amount) == text


@pytest.mark.slow
def test_ten_years_of_requests_are_read_without_lag(ledger: Ledger) -> None:
    settle(ledger, "1")
    published = services().paths.ledger / "published" / "usage" / "large"
    with valechat.connect() as connection:
        names = [name for name, *_ in connection.execute("DESCRIBE usage").fetchall()]
        made = {
            "day": "DATE '2016-12-01' + (i % 3650)::INTEGER",
            "model": "'m' || (i % 12)",
            "cost": "(i % 1000)::DECIMAL(38,20) / 1000",
            "request_id": "'x' || i",
            "conversation_id": "'c' || (i % 5000)",
            "cache_read_tokens": "5",
            "unit_prices": '\'{"input":"1","cache_read":"0.1"}\'',
        }
        columns = ", ".join(f"{made[name]} AS {name}" if name in made else f"usage.{name}" for name in names)
        rows = f"SELECT {columns} FROM usage, range(1000000) AS numbers(i)"
        connection.execute(f"CREATE TABLE many AS {rows}")
        connection.execute("DROP VIEW usage; CREATE VIEW usage AS FROM many")
        assert published.exists()
        found = read()
        for table in (found.over_time, found.tokens, found.cache, found.conversations, found.verification):
            watch = Stopwatch()
            assert len(connection.execute(table.sql).fetchall()) < 2000
            assert watch.seconds < 2
