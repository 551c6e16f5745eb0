"""`valechat.limits`: what may be spent, and what is left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from valechat.billing.limits import ceilings, plan
from valechat.billing.sentences import figure, usd
from valechat.config import Limits, change_limits
from valechat.errors import ConfigError
from valechat.ledger.base import LimitState
from valechat.services import Services, services

__all__ = ["Amount", "LimitsView", "limits", "states"]


Amount = Decimal | str | int | None


class LimitsView:
    """The user's limits. Shown as a table; read as `limits.settings`, changed by `set`.

    A change is written to `config.toml` and counts from the next request on, in every kernel.
    """

    @property
    def settings(self) -> Limits:
        """The limits as `config.toml` and a project's file have them now."""
        return services().settings.limits

    def set(self, changes: Mapping[str, Amount] | None = None, /, **more: Amount) -> None:
        """Change limits; None removes one.

            valechat.limits.set(daily="5.00", monthly=None)
            valechat.limits.set({"model:openai/gpt-5:monthly": "20"})

        Args:
            changes: By the names the table shows: `daily`, `monthly`, `confirm_above`, `conversation`,
                `model:openai/gpt-5:daily`, `rate:openai:requests_per_minute`. USD as text or Decimal.
            more: The same by keyword.

        Raises:
            ConfigError: There is no such limit, or the amount is not one.
        """
        wanted = {name: _amount(name, value) for name, value in {**(changes or {}), **more}.items()}
        change_limits(services().paths, wanted)

    def remaining(self, model: str | None = None) -> list[LimitState]:
        """How each limit stands: amount, used, held, remaining, when it resets.

        Args:
            model: Only the limits that a request to this model must keep; None for all.
        """
        return states(services(), model)

    def _repr_markdown_(self) -> str:
        found = self.remaining()
        if not found:
            return 'No limits are set. `valechat.limits.set(daily="5.00")` sets one.'
        lines = ["| limit | USD | used | held | remaining | resets |", "|---|--:|--:|--:|--:|---|"]
        lines += [
            f"| {state.limit} | {figure(state.amount)} | {figure(state.used)} | {figure(state.held)} "
            f"| {figure(state.remaining, rounding='down')} | {_moment(state.resets_at)} |"
            for state in found
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        found = self.remaining()
        lines = [
            f"{state.limit}: {usd(state.remaining, rounding='down')} left of {usd(state.amount)}" for state in found
        ]
        return "\n".join(lines) or "no limits"


def states(of: Services, model: str | None = None) -> list[LimitState]:
    """How the configured limits stand now; blocks for a moment."""
    configured = of.settings.limits
    if model is not None:
        return of.ledger.limit_states(plan(configured, model, None, datetime.now(UTC), of.zone).ceilings)
    return of.ledger.limit_states(ceilings(configured, of.zone))


def _amount(name: str, value: Amount) -> Decimal | int | None:
    if not isinstance(value, str):
        return value
    try:
        return Decimal(value)
    except InvalidOperation:
        raise ConfigError(f"{value!r} is not an amount for {name}.", fix='Write it as a number, e.g. "5.00".') from None


def _moment(at: datetime | None) -> str:
    return "never" if at is None else f"{at.astimezone(services().zone):%Y-%m-%d %H:%M}"


limits = LimitsView()
