"""Rate limits as servers announce them in response headers.

OpenAI's form (`x-ratelimit-remaining-requests`, reset as a span such as `1m30.5s`; Groq, Together,
Mistral and others follow it) and Anthropic's (`anthropic-ratelimit-requests-remaining`, reset as an
RFC 3339 time).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from valechat.providers.base import RateLimits

__all__ = ["read_rate_limits"]

_SPAN = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")


def read_rate_limits(headers: Mapping[str, str], now: datetime | None = None) -> RateLimits | None:
    """The limits that a response's headers (names in lower case) tell of, None when they tell of none."""
    now = now or datetime.now(UTC)
    limits = RateLimits(
        seen_at=now,
        requests_remaining=_count(headers, "requests"),
        requests_reset_at=_reset(headers, "requests", now),
        tokens_remaining=_count(headers, "tokens"),
        tokens_reset_at=_reset(headers, "tokens", now),
    )
    return None if limits == RateLimits(seen_at=now) else limits


def _header(headers: Mapping[str, str], what: str, unit: str) -> str:
    return headers.get(f"x-ratelimit-{what}-{unit}") or headers.get(f"anthropic-ratelimit-{unit}-{what}") or ""


def _count(headers: Mapping[str, str], unit: str) -> int | None:
    text = _header(headers, "remaining", unit)
    return int(text) if text.isdecimal() else None


def _reset(headers: Mapping[str, str], unit: str, now: datetime) -> datetime | None:
    text = _header(headers, "reset", unit).strip()
    if not text:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return now + timedelta(seconds=float(text))
    span = _SPAN.fullmatch(text)
    if span:
        hours, minutes, seconds, milliseconds = (float(part or 0) for part in span.groups())
        return now + timedelta(hours=hours, minutes=minutes, seconds=seconds, milliseconds=milliseconds)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
