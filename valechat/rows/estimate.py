"""What a job may cost, before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal

from valechat.billing import tokenizer
from valechat.billing.estimate import likely, likely_input, size_of
from valechat.billing.names import canonical, split
from valechat.billing.sentences import figure, usd
from valechat.billing.verify import verifiable
from valechat.ledger.jobs import Tally
from valechat.providers.base import Request
from valechat.quote import Quote

__all__ = ["Estimate", "estimate"]

_CONTEXT = Context(prec=30)
_LIKELY_OUTPUT = 600
_LIKELY_FORM = 100


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a job may come to. Shown as a table.

    Attributes:
        model: `provider/model`.
        rows: Rows still to ask; None where only reading tells, and then the figures are for one row.
        input_tokens: Input tokens to expect.
        likely: USD to expect; None when no price is known.
        worst: USD it cannot cost more than if all rows are as long as those looked at.
        basis: What the figures rest on, as a sentence.
    """

    model: str
    rows: int | None
    input_tokens: int
    likely: Decimal | None
    worst: Decimal | None
    basis: str

    def __str__(self) -> str:
        rows = "one row" if self.rows is None else f"{self.rows:,} rows"
        worst = usd(self.worst, rounding="up")
        return (
            f"{rows} to {self.model}: about {self.input_tokens:,} input tokens, likely {usd(self.likely)}, "
            f"at most {worst}. {self.basis}"
        )

    def _repr_markdown_(self) -> str:
        rows = "each" if self.rows is None else f"{self.rows:,}"
        return (
            "| model | rows | input tokens | likely USD | at most USD |\n|---|--:|--:|--:|--:|\n"
            f"| {self.model} | {rows} | {self.input_tokens:,} | {figure(self.likely)} | "
            f"{figure(self.worst, rounding='up')} |\n\n{self.basis}"
        )


def estimate(
    model: str,
    sampled: Sequence[tuple[Request, Quote, int]],
    rows: int | None,
    known: Tally,
) -> Estimate:
    """What the rest of a job may cost; counts tokens, so it belongs into a worker thread.

    Args:
        model: `provider/model`.
        sampled: Some of its requests, each with what it may cost and how many output tokens it may take.
        rows: How many are still to ask; None where that is not known.
        known: How the job stands.
    """
    if not sampled:
        return Estimate(model, rows or 0, 0, Decimal(0), Decimal(0), "There are no rows to ask.")
    tokens = [_tokens(request, quote) for request, quote, _ in sampled]
    worsts = [quote.worst(most) for _, quote, most in sampled]
    each, how = _each(sampled, tokens, known)
    factor = Decimal(rows if rows is not None else 1)
    of = f"{len(sampled):,} of {rows:,} rows" if rows is not None else f"the first {len(sampled):,} rows"
    counted = "counted with the model's tokenizer" if verifiable(sampled[0][1].model) else "reckoned by their length"
    return Estimate(
        model,
        rows,
        int(_times(_mean([Decimal(count) for count in tokens]), factor)),
        None if each is None else _times(each, factor),
        None if None in worsts else _times(_mean([worst for worst in worsts if worst is not None]), factor),
        f"Input tokens from {of}, {counted}. {how} At most: {sampled[0][2]:,} output tokens a row.",
    )


def _each(
    sampled: Sequence[tuple[Request, Quote, int]], tokens: Sequence[int], known: Tally
) -> tuple[Decimal | None, str]:
    """USD that one row probably costs, and what that rests on."""
    answered = known.by_status.get("complete", 0) + known.by_status.get("invalid", 0)
    if answered and known.cost:
        each = _CONTEXT.divide(known.cost, Decimal(answered))
        return each, f"Likely: what {answered:,} rows of this job cost."
    request, _, most = sampled[0]
    output = min(most, _LIKELY_OUTPUT if request.options.schema is None else _LIKELY_FORM)
    costs = [
        likely(q.model, count, output, table=q.table, details=q.details, local=q.local)
        for (_, q, _), count in zip(sampled, tokens, strict=True)
    ]
    how = f"Likely: {output:,} output tokens a row are assumed, for nobody knows before."
    return (None if None in costs else _mean([cost for cost in costs if cost is not None])), how


def _tokens(request: Request, quote: Quote) -> int:
    provider, name = split(canonical(quote.model))
    encoding = tokenizer.encoding_for(name) if provider == "openai" else None
    texts = [request.system or "", *(message.text for message in request.messages)]
    if encoding is None or quote.size.images:
        return likely_input(size_of(request.messages, request.system, (), request.options.schema))
    return sum(tokenizer.count(text, encoding) for text in texts) + 7


def _mean(amounts: Sequence[Decimal]) -> Decimal:
    return _CONTEXT.divide(sum(amounts, Decimal(0)), Decimal(len(amounts)))


def _times(amount: Decimal, factor: Decimal) -> Decimal:
    return _CONTEXT.multiply(amount, factor)
