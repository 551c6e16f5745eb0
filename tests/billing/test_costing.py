"""What a request cost: exactly, or not at all."""

import decimal
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valechat.billing import PriceTable, cost, price
from valechat.reply import total_usage
from valechat.usage import Usage

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
PRICES = {"lab/m": {"input": "1.25", "output": "10", "cache_read": "0.125", "cache_write": "1.5625"}}

counts = st.integers(min_value=0, max_value=10**9)
decimals = st.decimals(min_value=0, max_value=10**6, places=14)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    read, write, fresh, reasoning, said = (draw(counts) for _ in range(5))
    return Usage(read + write + fresh, reasoning + said, read, write, reasoning)


@st.composite
def price_lists(draw: st.DrawFn) -> dict[str, dict[str, Decimal]]:
    return {"lab/m": {key: draw(decimals) for key in ("input", "output", "cache_read", "cache_write")}}


def known(usage: Usage, prices: Any = PRICES, model: str = "lab/m") -> Decimal:
    found = cost(usage, model, AT, prices)
    assert found is not None
    return found


@given(first=usages(), second=usages(), prices=price_lists())
def test_cost_is_additive(first: Usage, second: Usage, prices: dict[str, dict[str, Decimal]]) -> None:
    with decimal.localcontext(prec=80):
        assert known(total_usage([first, second]), prices) == known(first, prices) + known(second, prices)


@given(usage=usages(), more=usages(), prices=price_lists())
def test_more_tokens_never_cost_less(usage: Usage, more: Usage, prices: dict[str, dict[str, Decimal]]) -> None:
    assert known(total_usage([usage, more]), prices) >= known(usage, prices)


@given(usage=usages(), prices=price_lists())
def test_cost_is_never_negative(usage: Usage, prices: dict[str, dict[str, Decimal]]) -> None:
    assert known(usage, prices) >= 0


@given(usage=usages(), prices=price_lists(), precision=st.integers(min_value=1, max_value=6))
def test_the_ambient_decimal_context_changes_nothing(
    usage: Usage, prices: dict[str, dict[str, Decimal]], precision: int
) -> None:
    expected = known(usage, prices)
    with decimal.localcontext(prec=precision, rounding=decimal.ROUND_UP, Emax=5, Emin=-5):
        assert known(usage, prices).compare_total(expected) == 0


@given(usage=usages())
def test_a_request_never_costs_more_than_its_upper_bound(usage: Usage) -> None:
    priced = price(usage, "lab/m", AT, {"lab/m": {"input": "1.25", "output": "10", "cache_write": "1.5625"}})
    assert priced.at_most is not None
    assert known(usage) <= priced.at_most


any_count = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=2)
PLACES = (
    "service_tier serviceTier trafficType speed inference_geo processing server_tool_use hosted_tool_calls "
    "cache_creation prompt_tokens_details candidatesTokensDetails webSearchQueries cost is_byok cost_details"
)
any_details = st.dictionaries(
    st.sampled_from(PLACES.split()),
    st.recursive(any_count, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner)),
    max_size=4,
)


@given(
    found=st.tuples(any_count, any_count, any_count, any_count),
    details=any_details,
    model=st.sampled_from(
        ["openai/gpt-5", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-flash", "openrouter/x", "?"]
    ),
)
def test_no_usage_however_strange_makes_cost_raise_or_fall_below_zero(found: Any, details: Any, model: str) -> None:
    priced = cost(Usage(found[0], found[1], found[2], found[3], details=details), model, AT)
    assert priced is None or priced >= 0


def test_a_model_without_a_price_has_no_cost() -> None:
    priced = price(Usage(1, 1), "nobody/unheard-of")
    assert (priced.cost, priced.source, priced.at_most) == (None, "unpriced", None)
    assert priced.reason == "No price is known for nobody/unheard-of."


@pytest.mark.parametrize("usage", [Usage(), Usage(input_tokens=5), Usage(output_tokens=5)])
def test_unknown_counts_have_no_cost(usage: Usage) -> None:
    assert cost(usage, "openai/gpt-5", AT) is None


def test_a_part_without_a_price_makes_the_whole_unknown_but_bounded() -> None:
    prices = {"lab/m": {"input": "1", "output": "2"}}
    priced = price(Usage(1000, 0, 400), "lab/m", AT, prices)
    assert (priced.cost, priced.source) == (None, "unpriced")
    assert priced.at_most == Decimal("0.001")
    assert "cache read" in priced.reason


def test_a_price_of_none_is_a_price_left_out() -> None:
    prices = {"lab/m": {"input": "1", "output": "2", "cache_read": None}}
    assert cost(Usage(1000, 0), "lab/m", AT, prices) == Decimal("0.001")
    assert cost(Usage(1000, 0, 1), "lab/m", AT, prices) is None


@pytest.mark.parametrize(
    "details",
    [
        {"service_tier": "scale"},
        {"service_tier": "ultrafast"},
        {"service_tier": {"odd": 1}},
        {"service_tier": "flex", "speed": "fast"},
        {"trafficType": "PROVISIONED_THROUGHPUT"},
    ],
)
def test_a_way_of_serving_without_a_known_price_has_no_cost(details: dict[str, Any]) -> None:
    assert cost(Usage(10, 10, details=details), "openai/gpt-5", AT) is None


def test_anthropics_priority_capacity_has_no_price_by_the_token() -> None:
    assert cost(Usage(10, 10, details={"service_tier": "priority"}), "anthropic/claude-haiku-4-5", AT) is None


def test_a_region_without_a_known_factor_has_no_cost() -> None:
    assert cost(Usage(10, 10, details={"inference_geo": "mars"}), "anthropic/claude-opus-4-6", AT) is None


@pytest.mark.parametrize(
    "details",
    [
        {"server_tool_use": {"code_execution_requests": 1}},
        {"hosted_tool_calls": {"code_interpreter_call": 1}},
        {"prompt_tokens_details": {"audio_tokens": 5}},
        {"cache_write_tokens_details": {"ttl_12h_tokens": 1}},
    ],
)
def test_a_tool_or_part_without_a_known_price_has_no_cost(details: dict[str, Any]) -> None:
    assert cost(Usage(10, 10, cache_write_tokens=2, details=details), "openai/gpt-5", AT) is None


def test_counts_that_contradict_each_other_have_no_cost() -> None:
    assert cost(Usage(10, 10, cache_read_tokens=8, cache_write_tokens=3), "openai/gpt-5", AT) is None


def test_a_tier_known_only_from_a_later_day_has_no_cost_before_it() -> None:
    usage = Usage(10, 10, details={"service_tier": "flex"})
    assert cost(usage, "openai/gpt-5-mini", datetime(2026, 10, 11, 23, tzinfo=UTC)) is None
    assert cost(usage, "openai/gpt-5-mini", datetime(2026, 10, 12, tzinfo=UTC)) is not None


def test_the_unit_prices_applied_are_kept_as_text() -> None:
    usage = Usage(1000, 10, 400, details={"inference_geo": "us"})
    assert price(usage, "anthropic/claude-opus-4-6", AT).unit_prices == {
        "cache_read": "0.5",
        "input": "5",
        "output": "25",
        "multiplier": "1.1",
    }


def test_the_price_is_traced_to_its_source_and_day(table: PriceTable) -> None:
    priced = price(Usage(1, 1), "acme/flat", AT, table=table)
    assert (priced.price_source, str(priced.effective_from), str(priced.known_at)) == (
        "second",
        "2026-03-01",
        "2026-06-01",
    )


def test_a_server_on_the_users_machine_is_free() -> None:
    priced = price(Usage(10**6, 10**6), "mylab/big", AT, local=True)
    assert (priced.cost, priced.source) == (Decimal(0), "priced")


def test_a_local_model_is_free_even_where_nothing_was_counted() -> None:
    assert cost(Usage(), "ollama/llama3.2", AT) == 0


def test_ollamas_cloud_models_are_not_free() -> None:
    assert cost(Usage(1, 1), "ollama/gpt-oss:120b-cloud", AT) is None


def test_the_users_price_wins_over_free_and_reported() -> None:
    prices = {"ollama/llama3.2": {"input": "1", "output": "1"}, "openrouter/a/b": {"input": "1", "output": "1"}}
    assert cost(Usage(10**6, 0), "ollama/llama3.2", AT, prices) == 1
    assert cost(Usage(10**6, 0, details={"cost": "0.2"}), "openrouter/a/b", AT, prices) == 1


def test_an_openrouter_answer_without_its_cost_is_an_estimate() -> None:
    priced = price(Usage(10**6, 0), "openrouter/openai/gpt-5-mini", AT)
    assert (priced.cost, priced.source) == (Decimal("0.25"), "estimated")


def test_the_users_own_key_at_openrouter_without_the_makers_charge_is_no_reported_cost() -> None:
    priced = price(Usage(1, 1, details={"cost": "0.001", "is_byok": True}), "openrouter/openai/gpt-5-mini", AT)
    assert priced.source == "estimated"


@pytest.mark.parametrize("wrong", ["-1", "NaN", "Infinity", "cheap", "1e13", "0.000000000000000000001", True, [], ""])
def test_a_users_price_that_is_none_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="is not a price"):
        cost(Usage(1, 1), "lab/m", AT, {"lab/m": {"input": wrong, "output": "1"}})


def test_an_unknown_kind_of_price_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'inputs' is not a kind of price"):
        cost(Usage(1, 1), "lab/m", AT, {"lab/m": {"inputs": "1", "output": "1"}})
