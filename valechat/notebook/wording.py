"""How the magics write money, tokens and time."""

from __future__ import annotations

from decimal import Decimal

from valechat.reply import Reply
from valechat.usage import Usage

__all__ = ["dollars", "outcome", "rate", "seconds", "tokens"]


def dollars(amount: Decimal | None) -> str:
    """USD for people: two significant digits below a cent, up to four decimals above it."""
    if amount is None:
        return "price unknown"
    if amount == 0:
        return "$0"
    if abs(amount) < Decimal("0.01"):
        return f"${amount:.{1 - amount.adjusted()}f}"
    return f"${amount:,.2f}" if amount == round(amount, 2) or amount >= 10 else f"${amount:,.4f}"


def rate(amount: Decimal | None) -> str:
    """A unit price in USD, as a price list has it."""
    if amount is None:
        return "unknown"
    return f"${amount.normalize():f}" if amount else "free"


def tokens(usage: Usage) -> str:
    """The tokens of a usage, unknown counts said so."""
    if usage.input_tokens is None and usage.output_tokens is None:
        return "tokens unknown"
    parts = [f"{_count(usage.input_tokens)} token{'' if usage.input_tokens == 1 else 's'} in"]
    if usage.cache_read_tokens:
        parts[0] += f" ({usage.cache_read_tokens:,} cached)"
    parts.append(f"{_count(usage.output_tokens)} out")
    return ", ".join(parts)


def seconds(duration: float) -> str:
    """A duration, in seconds below two minutes."""
    return f"{duration:.1f} s" if duration < 120 else f"{duration // 60:.0f} min {duration % 60:.0f} s"


_ENDS = {"complete": "", "cancelled": "stopped", "failed": "broke off", "limit": "stopped by a limit"}


def outcome(reply: Reply, duration: float) -> str:
    """The line below an answer: how it ended, model, time, tokens, cost."""
    parts = [_ENDS[reply.status], reply.model, seconds(duration), tokens(reply.usage), dollars(reply.cost)]
    return " · ".join(part for part in parts if part)


def _count(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"
