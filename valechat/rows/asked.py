"""What was asked for by a call of `map`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from valechat.ledger.jobs import Job
from valechat.rows.items import Common
from valechat.rows.source import Source
from valechat.services import Services
from valechat.session import Target

__all__ = ["Asked"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A job and its rows. `max_cost` is what all its runs together may cost in USD."""

    found: Services
    job: Job
    target: Target
    common: Common
    source: Source
    max_cost: Decimal | None
