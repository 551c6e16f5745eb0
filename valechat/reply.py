"""The answer to one question."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from valechat.messages import Message
from valechat.usage import Usage

__all__ = ["Reply", "Status"]

Status = Literal["complete", "cancelled", "failed", "limit"]


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one question, over all requests its turn needed.

    Attributes:
        text: The answer's text.
        model: `provider/model` that answered.
        usage: Sum over the turn's requests; a count unknown in one is None.
        cost: USD, the sum over the turn's requests; None when one is unknown.
        status: `complete`, `cancelled`, `failed` (broke off) or `limit` (stopped in the middle).
        request_ids: The ledger's `usage.request_id` of each request, in order.
        verification: `pending`, `verified`, `discrepancy` or `unable`.
        messages: What the turn added to the conversation after the question.
        notes: What the user should know: a fallback taken, a retry, a lowered `max_tokens`.
    """

    text: str
    model: str
    usage: Usage
    cost: Decimal | None
    status: Status
    request_ids: tuple[str, ...] = ()
    verification: str = "pending"
    messages: tuple[Message, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text
