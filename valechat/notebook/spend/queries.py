"""The dashboard's questions to the ledger, as SQL that anyone can run again.

Only sums leave DuckDB, so that ten years of requests are as quick to draw as ten days. Each query
stands complete, with its dates written out: what is shown to the user is what was run.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from string import Template

__all__ = [
    "RANGES",
    "STEPS",
    "Span",
    "cache_savings",
    "conversations",
    "month",
    "over_time",
    "plugins",
    "tokens",
    "verification",
]

RANGES = ("7 days", "30 days", "12 months", "all")
STEPS = ("day", "month")

_NAMES = {"model": "provider || '/' || model", "provider": "provider"}
_PERIODS = {"day": "day", "month": "date_trunc('month', day)::DATE"}


@dataclass(frozen=True, slots=True)
class Span:
    """The days that are looked at, and the step of the charts over time.

    Attributes:
        range: One of `RANGES`.
        today: The last day, in the user's time zone.
        asked: The step that was asked for, one of `STEPS`.
    """

    range: str
    today: date
    asked: str = "day"

    @property
    def since(self) -> date | None:
        """The first day; None for no beginning. Twelve months are this one and the eleven before."""
        match self.range:
            case "7 days":
                return self.today - timedelta(days=6)
            case "30 days":
                return self.today - timedelta(days=29)
            case "12 months":
                first = self.today.replace(day=1)
                return (
                    first.replace(year=first.year - 1, month=first.month + 1)
                    if first.month < 12
                    else first.replace(month=1)
                )
            case _:
                return None

    @property
    def step(self) -> str:
        """The step that is drawn: all years are drawn by month, for a bar a day would be thinner than a pixel."""
        return "month" if self.since is None else self.asked


def over_time(span: Span, by: str) -> str:
    """Cost by period and model or provider; beyond the eight dearest, all others together."""
    return _fill(
        """
WITH sums AS (
    SELECT $period AS period, $name AS name, sum(cost) AS cost,
        count(*) AS requests, count(*) FILTER (WHERE cost IS NULL) AS unpriced
    FROM usage
    $where
    GROUP BY ALL
), dearest AS (
    SELECT name FROM sums GROUP BY name ORDER BY sum(cost) DESC NULLS LAST, name LIMIT 8
)
SELECT sums.period, coalesce(dearest.name, 'all others') AS name, sum(cost) AS cost,
    sum(requests)::BIGINT AS requests, sum(unpriced)::BIGINT AS unpriced
FROM sums LEFT JOIN dearest ON dearest.name = sums.name
GROUP BY ALL
ORDER BY period, cost DESC NULLS LAST, name""",
        span,
        by,
    )


def month(today: date) -> str:
    """This month by day, with what it came to by then."""
    return (
        Template(
            """
SELECT day, sum(cost) AS cost, sum(sum(cost)) OVER (ORDER BY day) AS so_far,
    count(*) FILTER (WHERE cost IS NULL) AS unpriced
FROM usage
WHERE billing_period = '$month'
GROUP BY day
ORDER BY day"""
        )
        .substitute(month=f"{today:%Y-%m}")
        .strip()
    )


def tokens(span: Span) -> str:
    """Tokens by period: fresh input, cache reads, cache writes, output."""
    return _fill(
        """
SELECT $period AS period,
    sum(input_tokens - coalesce(cache_read_tokens, 0) - coalesce(cache_write_tokens, 0))::BIGINT AS input,
    sum(cache_read_tokens)::BIGINT AS cache_read, sum(cache_write_tokens)::BIGINT AS cache_write,
    sum(output_tokens)::BIGINT AS output,
    count(*) FILTER (WHERE input_tokens IS NULL OR output_tokens IS NULL) AS uncounted
FROM usage
$where
GROUP BY ALL
ORDER BY period""",
        span,
    )


def cache_savings(span: Span) -> str:
    """What cache reads saved by model: their tokens times (input price − cache price) the request was billed at.

    A saving is unknown where one of the two prices is not in the row, or where media of another price
    were among the cached tokens. What writing to the cache cost is part of the cost and not subtracted.
    """
    return _fill(
        """
WITH reads AS (
    SELECT provider || '/' || model AS model, cache_read_tokens AS tokens, CASE WHEN NOT list_has_any(
            json_keys(unit_prices), ['cache_read_audio', 'cache_read_image', 'cache_read_video'])
        THEN (TRY_CAST(unit_prices->>'input' AS DECIMAL(18,10))
                - TRY_CAST(unit_prices->>'cache_read' AS DECIMAL(18,10)))
            * TRY_CAST(coalesce(unit_prices->>'multiplier', '1') AS DECIMAL(4,2)) END AS saved_per_million
    FROM usage
    $where_also cache_read_tokens > 0
), exact AS (
    SELECT model, saved_per_million, sum(tokens) AS tokens, count(*) AS requests
    FROM reads GROUP BY ALL
)
SELECT model, sum(tokens)::BIGINT AS cache_read_tokens,
    sum(CAST(tokens AS DECIMAL(12,0)) * CAST(saved_per_million AS DECIMAL(20,12)) * 0.000001::DECIMAL(6,6)) AS saved,
    coalesce(sum(requests) FILTER (WHERE saved_per_million IS NULL), 0)::BIGINT AS unknown
FROM exact
GROUP BY model
ORDER BY saved DESC NULLS LAST, model""",
        span,
    )


def conversations(span: Span) -> str:
    """The ten most expensive conversations; one that was deleted keeps its cost and has no title."""
    return _fill(
        """
WITH dearest AS (
    SELECT conversation_id, count(*) AS requests, sum(cost) AS cost,
        count(*) FILTER (WHERE cost IS NULL) AS unpriced, max(day) AS last_day
    FROM usage
    $where_also conversation_id IS NOT NULL
    GROUP BY conversation_id
    ORDER BY cost DESC NULLS LAST, conversation_id
    LIMIT 10
)
SELECT dearest.conversation_id, heads.title, requests, cost, unpriced, last_day
FROM dearest LEFT JOIN conversation_heads AS heads ON heads.id = dearest.conversation_id
ORDER BY cost DESC NULLS LAST, dearest.conversation_id""",
        span,
    )


def verification(span: Span) -> str:
    """What an independent count said of the provider's figures, by model and, where it could not count, by reason."""
    return _fill(
        """
WITH busiest AS (
    SELECT provider, model FROM usage $where GROUP BY ALL ORDER BY count(*) DESC, provider, model LIMIT 12
)
SELECT provider || '/' || model AS model, verification, verification_reason AS reason, count(*) AS requests
FROM usage SEMI JOIN busiest USING (provider, model)
$where
GROUP BY ALL
ORDER BY model, requests DESC, reason""",
        span,
    )


def plugins(span: Span) -> str:
    """The twelve tools of plugins that were called most, by how their calls ended."""
    since = "" if span.since is None else f"\n    AND ts >= DATE '{span.since}'"
    return (
        Template(
            """
WITH calls AS (
    SELECT plugin || ': ' || tool AS tool, status, duration_ms
    FROM tool_calls
    WHERE plugin IS NOT NULL AND plugin NOT IN ('', 'notebook')$since
), busiest AS (
    SELECT tool, count(*) AS whole FROM calls GROUP BY tool ORDER BY whole DESC, tool LIMIT 12
)
SELECT tool, status, count(*) AS calls, quantile_disc(duration_ms, 0.5) AS p50_ms,
    quantile_disc(duration_ms, 0.95) AS p95_ms
FROM calls JOIN busiest USING (tool)
GROUP BY ALL
ORDER BY any_value(whole) DESC, tool, calls DESC, status"""
        )
        .substitute(since=since)
        .strip()
    )


def _fill(query: str, span: Span, by: str = "model") -> str:
    since = None if span.since is None else f"day >= DATE '{span.since}'"
    return (
        Template(query)
        .substitute(
            period=_PERIODS[span.step],
            name=_NAMES[by],
            where="WHERE day IS NOT NULL" if since is None else f"WHERE {since}",
            where_also="WHERE" if since is None else f"WHERE {since} AND",
        )
        .strip()
    )
