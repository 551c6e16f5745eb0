"""`valechat.limits`: what may be spent, and what is left."""

from __future__ import annotations

from decimal import Decimal

import pytest

import valechat
from valechat.errors import ConfigError, LimitReached


def test_without_limits_it_says_how_to_set_one() -> None:
    assert "valechat.limits.set" in valechat.limits._repr_markdown_()


def test_a_limit_that_is_set_counts_from_the_next_request() -> None:
    valechat.limits.set(daily="0.000001")
    with pytest.raises(LimitReached):
        valechat.Chat("demo/echo").ask_sync("Hello")


def test_what_is_left_is_the_limit_less_what_was_spent() -> None:
    valechat.limits.set({"daily": "5", "model:demo/echo:monthly": Decimal(2)})
    chat = valechat.Chat("demo/echo", options={"demo_tokens_per_second": 0})
    cost = chat.ask_sync("Hello").cost
    assert cost is not None
    left = {state.limit: state.remaining for state in valechat.limits.remaining()}
    assert left == {"daily": 5 - cost, "model:demo/echo:monthly": 2 - cost}


def test_its_table_holds_no_dollar_signs_which_a_notebook_would_read_as_mathematics() -> None:
    valechat.limits.set(daily="5")
    assert "| daily | 5.00 | 0.00 | 0.00 | 5.00 |" in valechat.limits._repr_markdown_()


def test_a_limit_is_removed_by_none() -> None:
    valechat.limits.set(daily="5")
    valechat.limits.set(daily=None)
    assert valechat.limits.remaining() == []


def test_what_is_no_amount_is_refused_with_how_to_write_one() -> None:
    with pytest.raises(ConfigError, match="number"):
        valechat.limits.set(daily="five dollars")
