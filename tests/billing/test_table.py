"""The price table: dated twice, traced to its source, overruled by the user."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from valechat.billing import PriceTable, default_table
from valechat.billing.rates import KEYS
from valechat.billing.table import updated_file


def base(table: PriceTable, at: datetime, known_at: date | None = None) -> Decimal | None:
    rates = table.find("acme/flat", at, known_at=known_at)
    return None if rates is None else rates.prices["input"].base


def test_the_price_is_the_one_of_the_requests_day(table: PriceTable) -> None:
    assert base(table, datetime(2026, 2, 28, 23, 59, tzinfo=UTC)) == 1
    assert base(table, datetime(2026, 3, 1, tzinfo=UTC)) == Decimal("0.5")


def test_a_moment_without_a_time_zone_is_utc(table: PriceTable) -> None:
    assert base(table, datetime(2026, 2, 28, 23, 59)) == 1  # noqa: DTZ001 - the case in question


def test_what_was_known_on_an_earlier_day_can_be_asked_again(table: PriceTable) -> None:
    assert base(table, datetime(2026, 5, 1, tzinfo=UTC), date(2026, 5, 1)) == 1
    assert base(table, datetime(2026, 5, 1, tzinfo=UTC), date(2026, 6, 1)) == Decimal("0.5")


def test_before_the_table_knew_a_model_it_has_no_price(table: PriceTable) -> None:
    assert base(table, datetime(2026, 5, 1, tzinfo=UTC), date(2025, 12, 31)) is None


def test_the_users_price_replaces_the_whole_entry_under_all_its_names(table: PriceTable) -> None:
    priced = table.with_user({"acme:flat": {"input": "7", "output": "8"}})
    for name in ("acme/flat", "acme/flat-alias", "acme/flat-2026-01-01"):
        rates = priced.find(name)
        assert rates is not None
        assert (set(rates.prices), rates.source) == ({"input", "output"}, "user")


def test_a_bare_name_that_two_makers_have_is_not_found(stored: dict[str, Any]) -> None:
    stored["models"]["other/flat"] = stored["models"]["acme/flat"]
    assert PriceTable(stored).name("flat") is None
    assert PriceTable(stored).name("tiered") == "acme/tiered"


def test_facts_are_told_apart_from_what_is_not_known(table: PriceTable) -> None:
    facts = table.facts("acme/flat")
    assert facts is not None
    assert (facts.context_tokens, facts.max_output_tokens, facts.tools, facts.images) == (10_000, 2_000, True, None)
    assert table.facts("acme/unheard-of") is None


def test_every_price_is_a_row_with_source_and_both_days(table: PriceTable) -> None:
    rows = [row for row in table.rows() if row["model"] == "flat"]
    assert [(row["known_at"], row["effective_from"], row["source"]) for row in rows] == [
        (date(2026, 1, 1), None, "first"),
        (date(2026, 6, 1), None, "second"),
        (date(2026, 6, 1), date(2026, 3, 1), "second"),
    ]
    assert rows[2]["unit_prices"] == {"input": "0.5", "cache_read": "0.05", "cache_write": "1", "output": "2"}


def test_a_tier_starts_above_its_threshold(table: PriceTable) -> None:
    rates = table.find("acme/tiered")
    assert rates is not None
    assert [rates.prices["input"].at(tokens) for tokens in (0, 1000, 1001)] == [1, 1, 2]


def test_the_packaged_table_has_every_price_as_text_and_with_a_source() -> None:
    for row in default_table().rows():
        assert row["source"]
        assert row["known_at"]
        assert row["unit_prices"].keys() <= KEYS
        assert all(isinstance(p, str | dict) for p in row["unit_prices"].values())


@pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini", "openrouter", "groq", "together", "mistral"])
def test_the_packaged_table_covers_the_built_in_providers(provider: str) -> None:
    assert sum(model.startswith(f"{provider}/") for model in default_table().models()) >= 20


def test_the_demonstration_is_marked_as_one() -> None:
    rates = default_table().find("demo/echo")
    assert rates is not None
    assert rates.source == "demonstration"
    assert (rates.prices["input"].base, rates.prices["output"].base) == (Decimal(1), Decimal(2))


def test_a_newer_fetched_table_is_used_without_a_restart(stored: dict[str, Any]) -> None:
    before = default_table()
    stored["made"] = "2099-01-01"
    updated_file().write_text(json.dumps(stored))
    assert before.name("acme/flat") is None
    assert default_table().name("acme/flat") == "acme/flat"


def test_an_older_fetched_table_is_not_used(stored: dict[str, Any]) -> None:
    stored["made"] = "2020-01-01"
    updated_file().write_text(json.dumps(stored))
    assert default_table().name("acme/flat") is None


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"models": {}}', b"\xff\xfe"])
def test_a_damaged_fetched_table_leaves_the_packaged_one_in_use(damage: bytes) -> None:
    updated_file().write_bytes(damage)
    assert default_table().name("openai/gpt-5") == "openai/gpt-5"


def test_billing_loads_no_database_and_no_tokenizer() -> None:
    code = (
        "import sys, valechat.billing; print([m for m in ('duckdb','tiktoken','httpx','pydantic') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert found.stdout.strip() == "[]"
