"""`valechat limits`: show, set, remove."""

from __future__ import annotations

import argparse
from decimal import Decimal, InvalidOperation

from valechat.cli.output import emit, note, say, shown
from valechat.config import Settings, change_limits
from valechat.errors import ConfigError
from valechat.paths import user_paths

__all__ = ["configured", "remove_limit", "set_limit", "show"]


def show(options: argparse.Namespace) -> int:
    """Show all limits, and what is left of those that are counters."""
    from valechat.services import services
    from valechat.spending import states

    opened = services()
    settings = opened.settings
    for warning in settings.warnings:
        note(f"Warning: {warning}")
    counted = {state.limit: state for state in states(opened)}
    rows = []
    for name, amount in configured(settings):
        state = counted.get(name)
        rows.append(
            [
                name,
                amount,
                state.used,
                state.held,
                state.remaining,
                state.resets_at.astimezone(opened.zone) if state.resets_at else None,
            ]
            if state
            else [name, amount, None, None, None, None]
        )
    if not rows and options.format == "table":
        say("No limits are set. Set one with: valechat limits set daily 5.00")
        return 0
    emit(["limit", "amount", "used", "held", "remaining", "resets_at"], rows, options.format)
    return 0


def set_limit(options: argparse.Namespace) -> int:
    """Set one limit in `config.toml`."""
    amount: Decimal | int = _amount(options.amount)
    if options.name.startswith("rate:") and not options.name.endswith(":cost_per_minute"):
        if amount != int(amount):
            raise ConfigError(f"{options.amount} is not a whole number.", fix="Requests and tokens are counted whole.")
        amount = int(amount)
    change_limits(user_paths(), {options.name: amount})
    say(f"{options.name} = {shown(amount)}")
    return 0


def remove_limit(options: argparse.Namespace) -> int:
    """Remove one limit from `config.toml`."""
    change_limits(user_paths(), {options.name: None})
    say(f"{options.name} is not limited by your settings any more.")
    return 0


def configured(settings: Settings) -> list[tuple[str, Decimal | int]]:
    """All limits that are set, by the names `change_limits` takes."""
    limits = settings.limits
    found: list[tuple[str, Decimal | int | None]] = [
        ("daily", limits.daily),
        ("monthly", limits.monthly),
        ("confirm_above", limits.confirm_above),
        ("conversation", limits.conversation.total),
    ]
    for model, own in limits.models.items():
        found += [(f"model:{model}:daily", own.daily), (f"model:{model}:monthly", own.monthly)]
    for provider, rate in limits.rate.items():
        found += [(f"rate:{provider}:{field}", getattr(rate, field)) for field in type(rate).model_fields]
    return [(name, amount) for name, amount in found if amount is not None]


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise ConfigError(
            f"{text!r} is not an amount.", fix="Write it as 5.00; to remove a limit: valechat limits remove NAME"
        )
    return amount
