"""What one request may cost, and the refusals that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from valechat.billing.estimate import RequestSize, fit_max_tokens, input_bound, likely, likely_input, worst_case
from valechat.billing.sentences import usd
from valechat.billing.table import PriceTable
from valechat.errors import ConfirmationRequired, LimitReached

__all__ = ["BYTES_PER_TOKEN", "Quote", "ask_first", "over_max_cost", "price_changing", "price_name", "unpriced"]

_PRICE_CHANGING = ("service_tier", "speed", "inference_geo")

BYTES_PER_TOKEN = 4
"""UTF-8 bytes of an output token, for text whose tokens nobody counted."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What one request may cost, by how long its answer may be."""

    model: str
    size: RequestSize
    table: PriceTable
    local: bool
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def input_tokens(self) -> int:
        """Input tokens it cannot exceed."""
        return input_bound(self.size, self.model, self.table)

    def worst(self, max_tokens: int) -> Decimal | None:
        """USD it cannot exceed with so many output tokens; None when no price is known."""
        return worst_case(
            self.model, self.input_tokens, max_tokens, table=self.table, details=self.details, local=self.local
        )

    @property
    def expected(self) -> Decimal | None:
        """USD it probably costs; None when no price is known."""
        return likely(self.model, likely_input(self.size), table=self.table, details=self.details, local=self.local)

    def fitting(self, room: Decimal, max_tokens: int, refusal: LimitReached) -> int:
        """The `max_tokens` that fit into the room, if the likely cost does; otherwise the refusal is raised."""
        fits = fit_max_tokens(
            room, self.model, self.input_tokens, max_tokens, table=self.table, details=self.details, local=self.local
        )
        if fits is None or self.expected is None or self.expected > room:
            raise refusal
        return fits

    def output_bytes(self, amount: Decimal) -> int | None:
        """How long an answer may get before it must have used up the amount, in UTF-8 bytes."""
        tokens = fit_max_tokens(
            amount, self.model, likely_input(self.size), 10**9, table=self.table, details=self.details, local=self.local
        )
        return None if tokens is None else tokens * BYTES_PER_TOKEN


def price_changing(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a request that change its unit prices, by the names of `Usage.details`."""
    return {name: value for name, value in options.items() if name in _PRICE_CHANGING}


def price_name(provider: str, model: str, table: PriceTable, priced_as: Callable[[str], str]) -> str:
    """Under which `provider/model` a model is priced: its own, or its maker's where it has no price of its own.

    Args:
        provider: The provider's name.
        model: Its own name for the model.
        table: The price table, with the user's prices.
        priced_as: The provider whose prices a provider's models have (`Settings.priced_as`).
    """
    own, makers = f"{provider}/{model}", f"{priced_as(provider)}/{model}"
    return makers if own != makers and table.find(own) is None else own


def unpriced(model: str) -> ConfirmationRequired:
    """The refusal of a request without a known price under a limit."""
    return ConfirmationRequired(
        f"No price is known for {model}, so a limit cannot cover it.",
        worst_case=None,
        fix=f'Write its price under [prices."{model}"] in config.toml, or ask with `confirmed=True`.',
    )


def ask_first(model: str, amount: Decimal, above: Decimal) -> ConfirmationRequired:
    """The refusal of a request above `confirm_above` to which the user has not agreed."""
    return ConfirmationRequired(
        f"A request to {model} may cost up to {usd(amount, rounding='up')}; above {usd(above)} you want to be asked.",
        worst_case=amount,
        fix="Ask with `confirmed=True`, lower `max_tokens`, or change `confirm_above` in config.toml.",
    )


def over_max_cost(model: str, amount: Decimal, max_cost: Decimal) -> LimitReached:
    """The refusal of a request that may cost more than it was allowed by itself."""
    return LimitReached(
        f"This request to {model} may cost up to {usd(amount, rounding='up')}; it was allowed {usd(max_cost)}.",
        limit="max_cost",
        amount=max_cost,
        used=Decimal(0),
        held=Decimal(0),
        fix="Allow more, shorten the question, or ask a cheaper model.",
    )
