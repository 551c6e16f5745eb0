"""What SQL says of plugins: how their tools are used, how long they ran, what they spent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import duckdb
import pytest

from tests.ledger.samples import DAY, NOON, rows, tool_call, usage_row
from valechat.ledger.base import Ledger, PluginRun


@pytest.fixture
def connection(ledger: Ledger) -> Iterator[duckdb.DuckDBPyConnection]:
    with ledger.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def test_calls_are_counted_by_day_plugin_and_tool(ledger: Ledger, connection: duckdb.DuckDBPyConnection) -> None:
    for n, status in enumerate(["ok", "ok", "error", "refused", "timeout", "cancelled"]):
        ledger.add_tool_call(replace(tool_call(f"t{n}"), status=status))
    ledger.add_tool_call(replace(tool_call("t8"), tool="diff"))
    ledger.add_tool_call(replace(tool_call("t9"), plugin="time", tool="now", ts=NOON + timedelta(days=1)))
    found = connection.execute(
        "SELECT day, plugin, tool, calls, errors, refused, timeouts, cancelled FROM plugin_use ORDER BY ALL"
    ).fetchall()
    assert found == [
        (date(2026, 11, 22), "git", "diff", 1, 0, 0, 0, 0),
        (date(2026, 11, 22), "git", "log", 6, 1, 1, 1, 1),
        (date(2026, 11, 23), "time", "now", 1, 0, 0, 0, 0),
    ]


def test_half_the_calls_are_quicker_than_p50_and_most_than_p95(ledger: Ledger) -> None:
    for n in range(1, 21):
        ledger.add_tool_call(replace(tool_call(f"t{n}"), duration_ms=n, input_bytes=n, output_bytes=10 * n))
    assert rows(ledger, "SELECT p50_duration_ms, p95_duration_ms, input_bytes, output_bytes FROM plugin_use") == [
        (10, 19, 210, 2100)
    ]


def test_a_refused_call_has_no_duration(ledger: Ledger) -> None:
    ledger.add_tool_call(replace(tool_call("t1"), status="refused", duration_ms=30_000))
    assert rows(ledger, "SELECT calls, p50_duration_ms FROM plugin_use") == [(1, None)]


def run(run_id: str, seconds: float | None, reason: str | None = "stopped", plugin: str = "git") -> PluginRun:
    ended = None if seconds is None else NOON + timedelta(seconds=seconds)
    return PluginRun(plugin, NOON, ended, reason, id=run_id)


def test_a_run_is_published_with_its_start_its_end_and_why(ledger: Ledger) -> None:
    ledger.add_plugin_run(run("a", 1.5, "crashed"))
    assert rows(ledger, "SELECT plugin, started_at, ended_at, reason FROM plugin_runs") == [
        ("git", NOON, datetime(2026, 11, 22, 12, 0, 1, 500_000, tzinfo=UTC), "crashed")
    ]


def test_a_run_noted_at_its_start_is_completed_at_its_end(ledger: Ledger) -> None:
    ledger.add_plugin_run(run("a", None, None))
    assert rows(ledger, "SELECT runs, without_end, uptime_seconds FROM plugin_uptime") == [(1, 1, 0)]
    ledger.add_plugin_run(run("a", 60))
    assert rows(ledger, "SELECT runs, without_end, uptime_seconds FROM plugin_uptime") == [(1, 0, 60)]


def test_uptime_is_the_sum_of_the_runs_whose_end_is_known(ledger: Ledger) -> None:
    for n, (seconds, reason) in enumerate([(1.5, "crashed"), (10, "stopped"), (0.25, "failed"), (None, None)]):
        ledger.add_plugin_run(run(f"a{n}", seconds, reason))
    ledger.add_plugin_run(run("b", 3, plugin="time"))
    assert rows(ledger, "SELECT plugin, runs, failures, uptime_seconds, last_reason FROM plugin_uptime") == [
        ("git", 4, 2, Decimal("11.750"), "stopped"),
        ("time", 1, 0, Decimal("3.000"), "stopped"),
    ]


def test_a_clock_set_back_takes_no_uptime_away(ledger: Ledger) -> None:
    ledger.add_plugin_run(run("a", 10))
    ledger.add_plugin_run(run("b", -3600))
    assert rows(ledger, "SELECT uptime_seconds FROM plugin_uptime") == [(10,)]


def test_what_plugins_had_models_do_is_summed_by_plugin(ledger: Ledger) -> None:
    ledger.settle(usage_row("r1", "0.5"), [DAY])
    ledger.settle(usage_row("r2", "0.25", plugin="git", kind="sampling"), [DAY])
    ledger.settle(usage_row("r3", None, plugin="git", kind="sampling"), [DAY])
    ledger.settle(usage_row("r4", "0.5", plugin="time", kind="sampling"), [DAY])
    found = rows(ledger, "SELECT plugin, requests, input_tokens, cost, unpriced_requests FROM spend_by_plugin")
    assert found == [("time", 1, 10, Decimal("0.5"), 0), ("git", 2, 20, Decimal("0.25"), 1)]


def test_a_request_remembers_the_plugin_that_caused_it(ledger: Ledger) -> None:
    ledger.settle(usage_row("r1", plugin="git", kind="sampling"), [DAY])
    ledger.settle(usage_row("r2"), [DAY])
    assert [row.plugin for row in ledger.usage_of(["r1", "r2"])] == ["git", None]
    assert rows(ledger, "SELECT plugin FROM usage ORDER BY request_id") == [("git",), (None,)]
