"""What the user reads about money and limits."""

from __future__ import annotations

from datetime import datetime, tzinfo
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

from valechat.billing.periods import zone_name
from valechat.errors import LimitReached
from valechat.money import EXACT

__all__ = ["explain", "figure", "lowered", "moment", "title", "usd"]

_ZERO = Decimal(0)
_ROUNDING = {"nearest": ROUND_HALF_EVEN, "down": ROUND_FLOOR, "up": ROUND_CEILING}


def usd(amount: Decimal | None, *, rounding: str = "nearest") -> str:
    """An amount for people: `$1.25`, `$0.0042`, `unknown`.

    Cents from $1 up, two significant digits below a cent's hundredth part, four decimals between.
    `rounding` is `nearest`, `down` (what is left) or `up` (what is needed).
    """
    if amount is None:
        return "unknown"
    places = 2 if abs(amount) >= 1 or amount == 0 else max(4, 1 - amount.adjusted())
    context = Context(prec=60, rounding=_ROUNDING[rounding])
    shown = amount.quantize(Decimal(1).scaleb(-places, context), context=context)
    text = f"{shown:,f}"
    whole, _, decimals = text.partition(".")
    return f"${whole}.{decimals.rstrip('0').ljust(2, '0')}"


def figure(amount: Decimal | None, *, rounding: str = "nearest") -> str:
    """`usd` without the dollar sign, for tables: two of those in a line are mathematics to a notebook."""
    return usd(amount, rounding=rounding).replace("$", "")


def explain(error: LimitReached, *, needed: Decimal | None = None, tz: tzinfo | None = None) -> LimitReached:
    """The same error in full sentences: which limit, what is left, when it resets, how to change it.

    Args:
        error: As the ledger raised it.
        needed: What the request would have held, in USD (requests or tokens for a rate limit).
        tz: The user's time zone, by default the system's.
    """
    if error.limit.startswith("rate:"):
        message, fix = _rate(error, needed)
    else:
        message, fix = _spending(error, needed, tz)
    return LimitReached(
        message,
        limit=error.limit,
        amount=error.amount,
        used=error.used,
        held=error.held,
        resets_at=error.resets_at,
        fix=fix,
    )


def lowered(asked: int, allowed: int, limit: str) -> str:
    """The note for an answer that was given less room than asked for."""
    return (
        f"The answer was limited to {allowed:,} tokens instead of {asked:,}, because no more fits "
        f"{title(limit)}. {_where(limit)}"
    )


def _spending(error: LimitReached, needed: Decimal | None, tz: tzinfo | None) -> tuple[str, str]:
    left = max(EXACT.subtract(EXACT.subtract(error.amount, error.used), error.held), _ZERO)
    name = title(error.limit)
    sentences = [
        f"{name[0].upper()}{name[1:]} of {usd(error.amount)} leaves {usd(left, rounding='down')}:",
        f"{usd(error.used)} spent{_held(error.held)}.",
    ]
    if needed is not None:
        sentences.append(f"This request may need up to {usd(needed, rounding='up')}.")
    if error.resets_at is not None:
        sentences.append(f"The limit resets at {moment(error.resets_at, tz)}.")
    return " ".join(sentences), _where(error.limit)


def _rate(error: LimitReached, needed: Decimal | None) -> tuple[str, str]:
    _, provider, what = error.limit.split(":", 2)
    taken = EXACT.add(error.used, error.held)
    if what == "cost":
        amount, used, more = usd(error.amount), usd(taken), "" if needed is None else usd(needed, rounding="up")
        unit = ""
    else:
        amount, used, more = f"{error.amount:,f}", f"{taken:,f}", "" if needed is None else f"{needed:,f}"
        unit = f" {what}"
    request = f" This request may need {more}." if more and what != "requests" else ""
    message = f"{provider} is limited to {amount}{unit} a minute, and the last minute took {used}.{request}"
    return message, f"Wait a minute, or change {what}_per_minute under [limits.rate.{provider}] in config.toml."


def title(limit: str) -> str:
    """A limit's name in a sentence: `the daily limit`."""
    if limit.startswith("model:"):
        model, _, period = limit.removeprefix("model:").rpartition(":")
        return f"the {period} limit on {model}"
    if limit == "max_cost":
        return "what this request may cost"
    return "this conversation's limit" if limit.startswith("conversation") else f"the {limit} limit"


def _where(limit: str) -> str:
    if limit.startswith("model:"):
        model, _, period = limit.removeprefix("model:").rpartition(":")
        return f'Change {period} under [limits.models."{model}"] in config.toml, or use `valechat limits`.'
    if limit.startswith("conversation"):
        return "Start a new conversation, or change total under [limits.conversation] in config.toml."
    if limit == "max_cost":
        return "Allow more, or ask a cheaper model."
    return f"Change {limit} under [limits] in config.toml, or use `valechat limits`."


def _held(held: Decimal) -> str:
    return f", {usd(held)} held for requests under way" if held else ""


def moment(at: datetime, tz: tzinfo | None) -> str:
    """A moment in the user's time, which is named."""
    local = at.astimezone(tz)
    return f"{local:%H:%M} on {local.day} {local:%B %Y} ({zone_name(tz, at)})"
