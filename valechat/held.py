"""A request's hold on the limits while it is under way, and what it came to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal

from valechat.accumulate import Answer
from valechat.billing.estimate import RequestSize
from valechat.billing.limits import Plan
from valechat.ledger.base import Hold, Kind
from valechat.providers.base import Provider, Request
from valechat.usage import Usage

__all__ = ["Charge", "Held"]


@dataclass(frozen=True, slots=True)
class Charge:
    """What a request came to: its usage, its cost in USD (None when unknown), and what a recount says of it."""

    usage: Usage
    cost: Decimal | None
    verification: str


@dataclass(slots=True)
class Held:
    """A request that is held against the limits.

    Attributes:
        request: What to send: the request, with `max_tokens` as the limits leave room for.
        priced_as: `provider/model` as the price table and the tokenizers know it.
        note: What the user should know of that; empty when nothing was changed.
        plugin: The plugin that asked for it; None where the user did.
        quoted: USD of a hold it shares with others that is its own.
    """

    request_id: str
    request: Request
    priced_as: str
    provider: Provider
    kind: Kind
    conversation_id: str | None
    note: str
    began: datetime
    zone: tzinfo | None
    size: RequestSize
    plan: Plan
    most_output_bytes: int | None
    rate: Sequence[Hold] = ()
    plugin: str | None = None
    quoted: Decimal | None = None
    renewing: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def model(self) -> str:
        """`provider/model`."""
        return f"{self.provider.name}/{self.request.model}"

    def exhausted_by(self, answer: Answer) -> bool:
        """Whether the answer has run past what was held for it."""
        return self.most_output_bytes is not None and answer.output_bytes > self.most_output_bytes
