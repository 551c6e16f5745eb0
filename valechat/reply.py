"""The answer to one question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from valechat.messages import CitationPart, Message, ToolResultPart
from valechat.money import total
from valechat.usage import Usage

__all__ = ["Reply", "Status", "citations", "total_cost", "total_usage"]

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
        parsed: The answer's value where a `schema` was given; None without one, and where the answer
            does not have that form, which a note then says.
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
    parsed: Any = field(default=None, repr=False, compare=False)

    @property
    def citations(self) -> tuple[CitationPart, ...]:
        """The sources the model named, each once, in the order of the answer."""
        return citations(self.messages)

    @property
    def tool_results(self) -> tuple[ToolResultPart, ...]:
        """What the turn's tools answered, in the order of the calls."""
        return tuple(part for message in self.messages for part in message.parts if isinstance(part, ToolResultPart))

    def __str__(self) -> str:
        return self.text


def citations(messages: Iterable[Message]) -> tuple[CitationPart, ...]:
    """The sources named in some messages, each address once, with the first quote there is."""
    found: dict[tuple[str, str], CitationPart] = {}
    for part in (part for message in messages for part in message.parts):
        if isinstance(part, CitationPart):
            key = (part.url, "" if part.url else part.title)
            known = found.setdefault(key, part)
            found[key] = replace(known, title=known.title or part.title, quote=known.quote or part.quote)
    return tuple(found.values())


def total_cost(costs: Iterable[Decimal | None]) -> Decimal | None:
    """The sum in USD, None when one of them is unknown."""
    known = list(costs)
    if any(cost is None for cost in known):
        return None
    return total(cost for cost in known if cost is not None)


def total_usage(usages: Sequence[Usage]) -> Usage:
    """The sum of each count, None where it is unknown in one of them."""

    def count(name: str) -> int | None:
        counts = [getattr(usage, name) for usage in usages]
        return None if not counts or None in counts else sum(counts)

    return Usage(
        input_tokens=count("input_tokens"),
        output_tokens=count("output_tokens"),
        cache_read_tokens=count("cache_read_tokens"),
        cache_write_tokens=count("cache_write_tokens"),
        reasoning_tokens=count("reasoning_tokens"),
        details=usages[0].details if len(usages) == 1 else {},
    )
