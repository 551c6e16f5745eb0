"""What the user reads when a limit is reached."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valechat.billing.sentences import explain, lowered, usd
from valechat.errors import LimitReached

BERLIN = ZoneInfo("Europe/Berlin")


def reached(limit: str, amount: str, used: str, held: str = "0", resets_at: datetime | None = None) -> LimitReached:
    return LimitReached(
        "full", limit=limit, amount=Decimal(amount), used=Decimal(used), held=Decimal(held), resets_at=resets_at
    )


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.00"),
        ("5", "$5.00"),
        ("1234567.891", "$1,234,567.89"),
        ("0.5", "$0.50"),
        ("0.0042", "$0.0042"),
        ("0.00000123", "$0.0000012"),
        (None, "unknown"),
    ],
)
def test_amounts_read_like_money_and_small_ones_keep_two_digits(amount: str | None, text: str) -> None:
    assert usd(None if amount is None else Decimal(amount)) == text


@given(st.decimals(min_value=0, max_value=10**6, places=12))
def test_what_is_left_is_never_shown_higher_and_what_is_needed_never_lower(amount: Decimal) -> None:
    assert Decimal(usd(amount, rounding="down")[1:].replace(",", "")) <= amount
    assert Decimal(usd(amount, rounding="up")[1:].replace(",", "")) >= amount


def test_a_spending_limit_says_what_is_left_when_it_resets_and_how_to_change_it() -> None:
    error = reached("daily", "5", "4.20", "0.50", datetime(2026, 11, 22, 23, tzinfo=UTC))
    assert str(explain(error, needed=Decimal("0.512"), tz=BERLIN)) == (
        "The daily limit of $5.00 leaves $0.30: $4.20 spent, $0.50 held for requests under way. "
        "This request may need up to $0.512. The limit resets at 00:00 on 23 November 2026 (Europe/Berlin). "
        "Change daily under [limits] in config.toml, or use `valechat limits`."
    )


def test_a_limit_on_a_model_names_the_model_and_its_setting() -> None:
    text = str(explain(reached("model:openai/gpt-5:monthly", "20", "25"), tz=UTC))
    assert text.startswith("The monthly limit on openai/gpt-5 of $20.00 leaves $0.00: $25.00 spent.")
    assert '[limits.models."openai/gpt-5"]' in text


def test_a_conversations_limit_offers_a_new_conversation() -> None:
    assert "Start a new conversation" in explain(reached("conversation", "1", "1")).fix


def test_a_rate_limit_speaks_of_the_last_minute_and_its_own_unit() -> None:
    text = str(explain(reached("rate:openai:tokens", "200000", "0", "199000"), needed=Decimal(5000)))
    assert text == (
        "openai is limited to 200,000 tokens a minute, and the last minute took 199,000. This request may need 5,000. "
        "Wait a minute, or change tokens_per_minute under [limits.rate.openai] in config.toml."
    )


def test_a_rate_limit_on_cost_is_in_dollars() -> None:
    assert "limited to $0.50 a minute" in str(explain(reached("rate:openai:cost", "0.50", "0", "0.49")))


def test_the_explained_error_keeps_its_figures() -> None:
    error = reached("daily", "5", "4", "1", datetime(2026, 11, 23, tzinfo=UTC))
    explained = explain(error)
    assert (explained.limit, explained.amount, explained.used, explained.held, explained.resets_at) == (
        error.limit,
        error.amount,
        error.used,
        error.held,
        error.resets_at,
    )


def test_a_shortened_answer_is_announced_with_its_limit() -> None:
    assert lowered(16_384, 500, "daily") == (
        "The answer was limited to 500 tokens instead of 16,384, because no more fits the daily limit. "
        "Change daily under [limits] in config.toml, or use `valechat limits`."
    )
