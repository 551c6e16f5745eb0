"""The SQL side: which views every ledger gives, of what types, and how fresh they are."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import duckdb

from tests.ledger.samples import (
    DAY,
    MONTH,
    NOON,
    conversation,
    daily,
    hold,
    message,
    rows,
    rows_of_file,
    tool_call,
    usage_row,
)
from valechat.ledger.base import Bucket, Ceiling, Ledger, PluginRun, Verification
from valechat.messages import FilePart, Message
from valechat.usage import Usage

TIME = "TIMESTAMP WITH TIME ZONE"
MONEY = "DECIMAL(38,20)"

COLUMNS: dict[str, dict[str, str]] = {
    "usage": {
        "request_id": "VARCHAR",
        "ts": TIME,
        "day": "DATE",
        "billing_period": "VARCHAR",
        "provider": "VARCHAR",
        "model": "VARCHAR",
        "kind": "VARCHAR",
        "conversation_id": "VARCHAR",
        "message_id": "VARCHAR",
        "input_tokens": "BIGINT",
        "output_tokens": "BIGINT",
        "cache_read_tokens": "BIGINT",
        "cache_write_tokens": "BIGINT",
        "reasoning_tokens": "BIGINT",
        "cost": MONEY,
        "cost_source": "VARCHAR",
        "status": "VARCHAR",
        "first_token_ms": "BIGINT",
        "duration_ms": "BIGINT",
        "counted_input_tokens": "BIGINT",
        "counted_output_tokens": "BIGINT",
        "verification": "VARCHAR",
        "verification_reason": "VARCHAR",
        "discrepancy_percent": "DECIMAL(18,4)",
        "unit_prices": "JSON",
        "plugin": "VARCHAR",
    },
    "conversations": {
        "id": "VARCHAR",
        "title": "VARCHAR",
        "created_at": TIME,
        "updated_at": TIME,
        "model": "VARCHAR",
        "message_count": "BIGINT",
        "total_cost": MONEY,
        "leaf_id": "VARCHAR",
        "tags": "VARCHAR[]",
    },
    "messages": {
        "id": "VARCHAR",
        "conversation_id": "VARCHAR",
        "parent_id": "VARCHAR",
        "role": "VARCHAR",
        "content": "VARCHAR",
        "ts": TIME,
        "model": "VARCHAR",
        "request_id": "VARCHAR",
        "pinned": "BOOLEAN",
    },
    "tool_calls": {
        "id": "VARCHAR",
        "message_id": "VARCHAR",
        "plugin": "VARCHAR",
        "tool": "VARCHAR",
        "status": "VARCHAR",
        "duration_ms": "BIGINT",
        "input_bytes": "BIGINT",
        "output_bytes": "BIGINT",
        "ts": TIME,
    },
    "prices": {
        "provider": "VARCHAR",
        "model": "VARCHAR",
        "unit_prices": "JSON",
        "effective_from": TIME,
        "known_at": TIME,
        "source": "VARCHAR",
    },
    "spend_by_day": {"day": "DATE", "requests": "BIGINT", "cost": MONEY},
    "spend_by_model": {"provider": "VARCHAR", "model": "VARCHAR", "requests": "BIGINT", "cost": MONEY},
    "spend_by_conversation": {"conversation_id": "VARCHAR", "title": "VARCHAR", "cost": MONEY},
    "limits": {"limit": "VARCHAR", "used": MONEY, "held": MONEY, "remaining": MONEY, "resets_at": TIME},
    "plugin_runs": {"plugin": "VARCHAR", "started_at": TIME, "ended_at": TIME, "reason": "VARCHAR"},
    "plugin_use": {
        "day": "DATE",
        "plugin": "VARCHAR",
        "tool": "VARCHAR",
        "calls": "BIGINT",
        "errors": "BIGINT",
        "refused": "BIGINT",
        "timeouts": "BIGINT",
        "p50_duration_ms": "BIGINT",
        "p95_duration_ms": "BIGINT",
        "input_bytes": "BIGINT",
        "output_bytes": "BIGINT",
    },
    "plugin_uptime": {"plugin": "VARCHAR", "runs": "BIGINT", "uptime_seconds": "DECIMAL(18,3)"},
    "discrepancies_by_model": {
        "provider": "VARCHAR",
        "model": "VARCHAR",
        "requests": "BIGINT",
        "verified": "BIGINT",
        "discrepancies": "BIGINT",
        "unable": "BIGINT",
        "pending": "BIGINT",
        "largest_percent": "DECIMAL(18,4)",
        "cost": MONEY,
    },
    "spend_by_plugin": {"plugin": "VARCHAR", "requests": "BIGINT", "cost": MONEY},
    "key_access": {"ts": TIME, "key": "VARCHAR", "source": "VARCHAR", "purpose": "VARCHAR"},
}


def types_of(connection: duckdb.DuckDBPyConnection, view: str) -> dict[str, str]:
    return {name: str(kind) for name, kind, *_ in connection.execute(f"DESCRIBE {view}").fetchall()}


def fill(ledger: Ledger) -> None:
    ledger.start_conversation(conversation())
    row = usage_row("r1", "0.01", conversation_id="c1", message_id="m2", unit_prices={"input": Decimal("1.25")})
    ledger.settle(row, [DAY], [message("m1", "hello"), message("m2", "hi", role="assistant", parent_id="m1")])
    ledger.settle(usage_row("r2", None, model="free", kind="sampling", plugin="git"), [DAY])
    ledger.add_tool_call(tool_call("t1"))
    ledger.add_plugin_run(PluginRun("git", NOON, NOON, "stopped"))
    ledger.add_key_access(key="OPENAI_API_KEY", source="environment", purpose="chat", at=NOON)
    ledger.publish_ceilings([daily("1")])
    ledger.set_prices([{"provider": "mylab", "model": "scripted", "unit_prices": {"input": "1.25"}, "source": "user"}])


def test_an_empty_ledger_has_every_view_with_its_columns_and_no_rows(ledger: Ledger) -> None:
    with ledger.connect() as connection:
        for view, columns in COLUMNS.items():
            types = types_of(connection, view)
            assert {name: types.get(name) for name in columns} == columns
            assert connection.execute(f"SELECT * FROM {view}").fetchall() == []


def test_a_filled_ledger_has_rows_of_the_same_types(ledger: Ledger) -> None:
    with ledger.connect() as connection:
        empty = {view: types_of(connection, view) for view in COLUMNS}
        fill(ledger)
        assert {view: types_of(connection, view) for view in COLUMNS} == empty
        for view in COLUMNS:
            assert connection.execute(f"SELECT * FROM {view}").fetchall()


def test_a_request_is_in_the_view_as_soon_as_it_is_settled(ledger: Ledger) -> None:
    with ledger.connect() as connection:
        for n in range(3):
            ledger.settle(usage_row(f"r{n}"), [DAY])
            assert connection.execute("SELECT count(*) FROM usage").fetchone() == (n + 1,)


def test_a_request_keeps_every_value(ledger: Ledger) -> None:
    row = usage_row(
        "r'1",
        "0.12345678901234567891",
        ts=datetime(2026, 11, 22, 13, 0, 0, 1, tzinfo=UTC),
        usage=Usage(1, 2, 3, 4, 5, {"service_tier": "flex"}),
        unit_prices={"input": "1.25", "output": Decimal(10)},
        first_token_ms=12,
        duration_ms=345,
        message_id="m1",
        conversation_id="c1",
        error='half a "line"\n',
        verification=Verification("discrepancy", None, 9, 8, Decimal("-1.5")),
        plugin="git",
    )
    ledger.settle(row, [DAY])
    assert ledger.usage_of(["nothing", "r'1"]) == [replace(row, unit_prices={"input": "1.25", "output": "10"})]
    names = [name for name in COLUMNS["usage"] if name != "unit_prices"]
    found = rows(ledger, f"SELECT {', '.join(names)}, unit_prices->>'output', error, details FROM usage")[0]
    assert dict(zip(names, found, strict=False)) == {
        "request_id": "r'1",
        "ts": row.ts,
        "day": date(2026, 11, 22),
        "billing_period": "2026-11",
        "provider": "mylab",
        "model": "scripted",
        "kind": "chat",
        "conversation_id": "c1",
        "message_id": "m1",
        "input_tokens": 1,
        "output_tokens": 2,
        "cache_read_tokens": 3,
        "cache_write_tokens": 4,
        "reasoning_tokens": 5,
        "cost": Decimal("0.12345678901234567891"),
        "cost_source": "priced",
        "status": "complete",
        "first_token_ms": 12,
        "duration_ms": 345,
        "counted_input_tokens": 9,
        "counted_output_tokens": 8,
        "verification": "discrepancy",
        "verification_reason": None,
        "discrepancy_percent": Decimal("-1.5"),
        "plugin": "git",
    }
    assert found[len(names) :] == ("10", 'half a "line"\n', '{"service_tier":"flex"}')


def test_twenty_decimal_places_survive_sql_and_its_sums(ledger: Ledger) -> None:
    for n, cost in enumerate(["0.00000000000000000001", "123456.99999999999999999999", "0.1"]):
        ledger.settle(usage_row(f"r{n}", cost), [DAY])
    assert rows(ledger, "SELECT sum(cost) FROM usage") == [(Decimal("123457.10000000000000000000"),)]
    assert rows(ledger, "SELECT min(cost) FROM usage") == [(Decimal("1E-20"),)]


def test_an_unknown_count_or_cost_is_null(ledger: Ledger) -> None:
    ledger.settle(usage_row("r1", None, usage=Usage()), [DAY])
    assert rows(ledger, "SELECT cost, input_tokens, cache_read_tokens FROM usage") == [(None, None, None)]


def test_a_verification_is_added_to_its_row(ledger: Ledger) -> None:
    ledger.settle(usage_row("r1"), [DAY])
    ledger.settle(usage_row("r2"), [DAY])
    verified = Verification("unable", "media", None, None, None)
    ledger.verify("r1", verified)
    ledger.verify("not a request", verified)
    assert ledger.usage_of(["r1"])[0].verification == verified
    assert rows(ledger, "SELECT request_id, verification, verification_reason FROM usage ORDER BY 1") == [
        ("r1", "unable", "media"),
        ("r2", "pending", None),
    ]


def test_a_message_is_readable_text_and_its_parts_have_no_media(ledger: Ledger) -> None:
    ledger.start_conversation(conversation())
    said = Message.user("what is\x00 this? 😀\u2028", FilePart(b"%PDF-1.7 secret", "application/pdf", "a.pdf"))
    ledger.add_messages([message("m1", "", message=said)])
    content, kinds, size, data = rows(
        ledger,
        "SELECT content, parts->>'$[*].kind', (parts->>'$[1].bytes')::INT, parts->>'$[1].data' FROM messages",
    )[0]
    assert (content, kinds, data) == ("what is\x00 this? 😀\u2028", ["text", "file"], None)
    assert size in range(15, 19)


def test_a_message_longer_than_a_reader_takes_is_cut_in_sql_only(ledger: Ledger) -> None:
    long = "\x01" * 3_000_000
    ledger.add_messages([message("m1", long), message("m2", "short")])
    assert rows(ledger, "SELECT id, length(content) FROM messages ORDER BY id") == [("m1", 1_000_000), ("m2", 5)]
    assert ledger.messages("c1")[0].message.text == long


def test_a_changed_conversation_or_message_shows_once_as_it_is_now(ledger: Ledger) -> None:
    fill(ledger)
    ledger.change_conversation("c1", title="Renamed")
    ledger.add_messages([message("m1", "replaced")])
    assert rows(ledger, "SELECT id, title, message_count, total_cost FROM conversations") == [
        ("c1", "Renamed", 2, Decimal("0.01"))
    ]
    assert rows(ledger, "SELECT id, content FROM messages ORDER BY id") == [("m1", "replaced"), ("m2", "hi")]


def test_a_deleted_conversation_leaves_its_requests_in_sql(ledger: Ledger) -> None:
    fill(ledger)
    ledger.delete_conversation("c1")
    assert rows(ledger, "SELECT * FROM conversations") == rows(ledger, "SELECT * FROM messages") == []
    assert rows(ledger, "SELECT request_id, conversation_id FROM usage ORDER BY 1") == [("r1", "c1"), ("r2", None)]
    assert rows(ledger, "SELECT conversation_id, title FROM spend_by_conversation") == [("c1", None)]


def test_the_heads_in_sql_agree_with_the_ones_read(ledger: Ledger) -> None:
    fill(ledger)
    later = NOON + timedelta(minutes=5)
    ledger.settle(usage_row("r3", "0.5", conversation_id="c1", ts=later), [DAY], [message("m3", "more", ts=later)])
    head = ledger.conversation("c1")
    assert head is not None
    assert rows(ledger, "FROM conversations") == [
        (
            head.id,
            head.title,
            head.created_at,
            head.updated_at,
            head.model,
            head.message_count,
            head.total_cost,
            head.leaf,
            list(head.tags),
        )
    ]


def test_spend_is_summed_by_day_model_and_conversation(ledger: Ledger) -> None:
    fill(ledger)
    ledger.settle(usage_row("r3", "0.5", day="2026-11-23", conversation_id="c1"), [DAY])
    assert rows(ledger, "SELECT day, requests, cost, unpriced_requests FROM spend_by_day") == [
        (date(2026, 11, 22), 2, Decimal("0.01"), 1),
        (date(2026, 11, 23), 1, Decimal("0.5"), 0),
    ]
    assert rows(ledger, "SELECT provider, model, requests, cost FROM spend_by_model") == [
        ("mylab", "scripted", 2, Decimal("0.51")),
        ("mylab", "free", 1, None),
    ]
    assert rows(ledger, "SELECT conversation_id, title, cost FROM spend_by_conversation") == [
        ("c1", "Greetings", Decimal("0.51"))
    ]


LIMITS = 'SELECT "limit", amount, used, held, remaining FROM limits ORDER BY ALL'


def test_discrepancies_are_counted_by_model_with_the_largest_and_their_cost(ledger: Ledger) -> None:
    found = {
        "a": Verification("discrepancy", None, 10, 10, Decimal("8.5")),
        "b": Verification("discrepancy", None, 10, 40, Decimal("-20.25")),
        "c": Verification("verified", None, 10, 20),
        "d": Verification("unable", "media"),
        "e": Verification("pending"),
    }
    for request, verification in found.items():
        ledger.settle(usage_row(request, "0.1", verification=verification), [DAY])
    ledger.settle(usage_row("f", model="other", verification=Verification("verified")), [DAY])
    assert rows(
        ledger,
        "SELECT model, requests, verified, discrepancies, unable, pending, largest_percent, output_tokens_too_many,"
        " cost FROM discrepancies_by_model",
    ) == [
        ("scripted", 5, 1, 2, 1, 1, Decimal("-20.25"), -10, Decimal("0.2")),
        ("other", 1, 1, 0, 0, 0, None, None, None),
    ]


def test_the_limits_view_follows_holds_and_settling(ledger: Ledger) -> None:
    far = Bucket("all", "2999-01-01", datetime(2999, 1, 2, tzinfo=UTC))
    ceiling = Ceiling("daily", far, Decimal("0.10"))
    ledger.publish_ceilings([ceiling])
    assert rows(ledger, LIMITS) == [("daily", Decimal("0.10"), 0, 0, Decimal("0.10"))]
    ledger.reserve(hold("r1", "0.04", ceiling, buckets=[far]))
    assert rows(ledger, LIMITS) == [("daily", Decimal("0.10"), 0, Decimal("0.04"), Decimal("0.06"))]
    ledger.settle(usage_row("r1", "0.03"), [far])
    assert rows(ledger, LIMITS) == [("daily", Decimal("0.10"), Decimal("0.03"), 0, Decimal("0.07"))]


def test_the_limits_view_leaves_out_holds_that_have_lapsed_since(ledger: Ledger) -> None:
    always = Bucket("all", "")
    ceiling = Ceiling("total", always, Decimal(1))
    ledger.reserve(hold("r1", "0.4", ceiling, buckets=[always], lapses_at=NOON - timedelta(days=365)))
    assert rows(ledger, LIMITS) == [("total", 1, 0, 0, 1)]


def test_the_limits_view_starts_anew_when_the_period_is_over(ledger: Ledger) -> None:
    past = Bucket("all", "2001-01-01", datetime(2001, 1, 2, tzinfo=UTC))
    ledger.settle(usage_row("r1", "0.5"), [past])
    ledger.publish_ceilings([Ceiling("daily", past, Decimal(1))])
    assert rows(ledger, LIMITS) == [("daily", 1, 0, 0, 1)]


def test_a_limit_seen_while_reserving_is_in_the_view_until_limits_are_published_anew(ledger: Ledger) -> None:
    ledger.reserve(hold("r1", "0.4", daily("1")))
    assert [row[0] for row in rows(ledger, LIMITS)] == ["daily"]
    ledger.publish_ceilings([Ceiling("monthly", MONTH, Decimal(20))])
    assert [row[0] for row in rows(ledger, LIMITS)] == ["monthly"]


def test_prices_are_replaced_as_a_whole(ledger: Ledger) -> None:
    old = {"provider": "a", "model": "x", "unit_prices": {"input": Decimal("0.10")}, "effective_from": NOON}
    ledger.set_prices([old, old | {"model": "y"}])
    ledger.set_prices([old | {"unit_prices": {"input": "0.20", "tiers": [{"above": 200000}]}, "source": "table"}])
    assert rows(ledger, "SELECT provider, model, input, output, effective_from, source FROM prices") == [
        ("a", "x", Decimal("0.20"), None, NOON, "table")
    ]


def test_the_database_file_is_for_any_duckdb_user_and_as_fresh(ledger: Ledger) -> None:
    database = ledger.database
    fill(ledger)
    assert rows_of_file(database, "SELECT count(*) FROM usage") == [(2,)]
    ledger.settle(usage_row("r3"), [DAY])
    assert rows_of_file(database, "SELECT count(*) FROM usage") == [(3,)]
    assert ledger.database == database


def test_what_a_user_does_in_a_connection_harms_nobody(ledger: Ledger) -> None:
    fill(ledger)
    with ledger.connect() as connection:
        connection.execute("DROP VIEW usage")
        connection.execute("CREATE TABLE usage (mine INTEGER)")
    assert rows(ledger, "SELECT count(*) FROM usage") == [(2,)]


def test_threads_that_ask_first_at_once_all_get_the_views(ledger: Ledger) -> None:
    fill(ledger)
    counts: list[object] = []
    threads = [
        threading.Thread(target=lambda: counts.append(rows_of_file(ledger.database, "SELECT count(*) FROM usage")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [[(2,)]] * 4
