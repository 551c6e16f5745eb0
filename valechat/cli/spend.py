"""`valechat spend`."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from valechat.cli.output import emit, say, shown
from valechat.cli.sql import query
from valechat.config import load_settings
from valechat.errors import ConfigError
from valechat.paths import user_paths

__all__ = ["run"]

_GROUPS = {
    "model": "provider || '/' || model AS model",
    "day": "day",
    "conversation": "coalesce(conversation_id, '') AS conversation",
}


def run(options: argparse.Namespace) -> int:
    """What was spent in a month, by model, day or conversation; unpriced requests are counted apart."""
    month = options.month or _this_month()
    if month != "all" and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise ConfigError(f"{month!r} is not a month.", fix="Write it as 2026-11, or all.")
    order = "day" if options.by == "day" else "cost DESC NULLS LAST"
    columns, rows = query(
        f"SELECT {_GROUPS[options.by]}, count(*) AS requests, sum(input_tokens)::BIGINT AS input_tokens,"  # noqa: S608 - from the table above
        " sum(output_tokens)::BIGINT AS output_tokens, sum(cost) AS cost,"
        " count(*) FILTER (WHERE cost IS NULL) AS unpriced"
        f" FROM usage WHERE $1 = 'all' OR billing_period = $1 GROUP BY 1 ORDER BY {order}, 1",
        [month],
    )
    if options.format != "table":
        emit(columns, rows, options.format)
        return 0
    if not rows:
        say("Nothing was spent." if month == "all" else f"Nothing was spent in {month}.")
        return 0
    emit(columns, rows, "table")
    total = sum((row[4] for row in rows if row[4] is not None), start=0)
    unpriced = sum(row[5] for row in rows)
    say(f"Total: ${shown(total)}" + (f", and {unpriced} requests without a known price" if unpriced else ""))
    return 0


def _this_month() -> str:
    zone = load_settings(user_paths()).time_zone
    now = datetime.now(UTC).astimezone(ZoneInfo(zone) if zone else None)
    return f"{now:%Y-%m}"
