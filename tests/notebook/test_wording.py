"""How money, tokens and ends are written."""

from __future__ import annotations

from decimal import Decimal

import pytest

from valechat.notebook.wording import dollars, outcome, rate, tokens
from valechat.reply import Reply
from valechat.usage import Usage


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (None, "price unknown"),
        ("0", "$0"),
        ("0.00012345", "$0.00012"),
        ("0.0000000004", "$0.00000000040"),
        ("0.0123", "$0.0123"),
        ("0.5", "$0.50"),
        ("1.2345", "$1.2345"),
        ("1234.5", "$1,234.50"),
    ],
)
def test_an_amount_is_written_for_people(amount: str | None, written: str) -> None:
    assert dollars(None if amount is None else Decimal(amount)) == written


def test_an_unknown_price_is_never_free() -> None:
    assert rate(None) == "unknown"
    assert rate(Decimal(0)) == "free"
    assert rate(Decimal("0.150")) == "$0.15"
    assert rate(Decimal(100)) == "$100"


def test_unknown_counts_are_said_to_be_unknown() -> None:
    assert tokens(Usage()) == "tokens unknown"
    assert tokens(Usage(input_tokens=1)) == "1 token in, ? out"
    assert tokens(Usage(input_tokens=1200, output_tokens=3, cache_read_tokens=1000)) == (
        "1,200 tokens in (1,000 cached), 3 out"
    )


def test_an_end_that_is_not_whole_comes_first() -> None:
    reply = Reply("", "a/b", Usage(input_tokens=2, output_tokens=3), Decimal("0.5"), "limit")
    assert outcome(reply, 1.25) == "stopped by a limit · a/b · 1.2 s · 2 tokens in, 3 out · $0.50"
