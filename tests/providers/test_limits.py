from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from valechat.providers._limits import read_rate_limits

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("6m0s", 360), ("1h2m3.5s", 3723.5), ("120ms", 0.12), ("1m30.951s", 90.951), ("45", 45), ("2.5", 2.5)],
)
def test_spans_are_read(text: str, seconds: float) -> None:
    limits = read_rate_limits({"x-ratelimit-reset-requests": text}, NOW)
    assert limits is not None
    assert limits.requests_reset_at == NOW + timedelta(seconds=seconds)


def test_openais_headers_are_read() -> None:
    limits = read_rate_limits(
        {
            "x-ratelimit-remaining-requests": "59",
            "x-ratelimit-remaining-tokens": "149984",
            "x-ratelimit-reset-tokens": "6m0s",
        },
        NOW,
    )
    assert limits is not None
    assert (limits.requests_remaining, limits.tokens_remaining) == (59, 149984)
    assert limits.tokens_reset_at == NOW + timedelta(minutes=6)
    assert limits.seen_at == NOW


def test_anthropics_headers_are_read() -> None:
    limits = read_rate_limits(
        {"anthropic-ratelimit-tokens-remaining": "9000", "anthropic-ratelimit-tokens-reset": "2026-11-22T12:01:00Z"},
        NOW,
    )
    assert limits is not None
    assert limits.tokens_remaining == 9000
    assert limits.tokens_reset_at == NOW + timedelta(minutes=1)


@pytest.mark.parametrize(
    "headers", [{}, {"x-ratelimit-remaining-requests": "many"}, {"x-ratelimit-reset-tokens": "later"}]
)
def test_what_says_nothing_is_none(headers: dict[str, str]) -> None:
    assert read_rate_limits(headers, NOW) is None
