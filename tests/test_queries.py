"""SQL over the ledger from any cell."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb

import valechat


def asked() -> Decimal:
    cost = valechat.Chat("demo/echo", options={"demo_tokens_per_second": 0}).ask_sync("Hello").cost
    assert cost is not None
    return cost


def test_a_query_sees_the_request_before_it_with_its_exact_cost() -> None:
    cost = asked()
    assert valechat.sql("SELECT provider, model, cost FROM usage").fetchall() == [("demo", "echo", cost)]


def test_before_the_first_request_the_views_are_there_and_empty() -> None:
    assert valechat.sql("SELECT * FROM usage").fetchall() == []


def test_any_duckdb_connection_to_the_database_sees_the_same(home: Path) -> None:
    cost = asked()
    with duckdb.connect(valechat.database) as connection:
        assert connection.sql("SELECT sum(cost) FROM usage").fetchall() == [(cost,)]
        asked()
        assert connection.sql("SELECT count(*) FROM usage").fetchall() == [(2,)]


def test_the_price_table_can_be_queried() -> None:
    found = valechat.sql("SELECT input, output FROM prices WHERE provider = 'demo'").fetchall()
    assert found == [(Decimal(1), Decimal(2))]


def test_a_limit_is_in_its_view_before_anything_was_spent_and_gone_when_it_is_removed() -> None:
    valechat.limits.set(daily="5")
    assert valechat.sql('SELECT "limit", remaining FROM limits').fetchall() == [("daily", Decimal(5))]
    valechat.limits.set(daily=None)
    assert valechat.sql("FROM limits").fetchall() == []
