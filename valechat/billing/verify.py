"""An independent count of what a provider says it used.

Only OpenAI publishes the tokenizers of its models, so only those can be verified; everything else is
`unable`, with its reason. Output is compared without reasoning, which nobody outside can count. Input
is compared for plain text: each message is 3 tokens, its role and its content, and the reply is primed
with 3 more (exact for gpt-4o and gpt-4.1; one less for reasoning models).

Counts agree when they differ by at most 5 % or 16 tokens, whichever is more: a provider adds a few
tokens of its own, so that 5 % alone would accuse most short replies.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal

from valechat.billing import tokenizer
from valechat.billing.names import canonical, split
from valechat.ledger.base import RequestStatus, Verification
from valechat.messages import CitationPart, Message, RefusalPart, TextPart, ThinkingPart, ToolCallPart, ToolResultPart
from valechat.usage import Usage

__all__ = ["REASONS", "verifiable", "verify", "verify_later"]

REASONS = {
    "tokenizer_unpublished": "The model's maker has not published its tokenizer.",
    "tools_or_schema": "The request offered tools or a schema, which the provider puts in words of its own.",
    "media": "The request held images or documents, whose tokens only the provider can count.",
    "server_state": "The provider added what it kept from earlier requests.",
    "hidden_reasoning": "The model's reasoning is not shown, or not counted apart.",
    "usage_missing": "The provider did not report its counts, or the answer broke off.",
}
"""Why a request cannot be verified, for people."""

_ALLOWED_SHARE = Decimal("0.05")
_ALLOWED_TOKENS = 16
_REASONING = re.compile(r"o\d|gpt-5(?!.*chat)")
_CONTEXT = Context(prec=40, rounding=ROUND_HALF_EVEN)
_TEXT = (TextPart, RefusalPart)


def verifiable(model: str) -> bool:
    """Whether the tokenizer of `provider/model` is published; if not, `verify` has nothing to count."""
    provider, name = split(canonical(model))
    return provider == "openai" and tokenizer.encoding_for(name) is not None


async def verify_later(
    usage: Usage,
    model: str,
    *,
    prompt: Sequence[Message],
    answer: Message,
    tools: bool = False,
    schema: bool = False,
    server_state: bool = False,
    status: RequestStatus = "complete",
) -> Verification:
    """`verify` in a thread of its own, so that neither loading nor counting holds anything up."""
    return await asyncio.to_thread(
        verify,
        usage,
        model,
        prompt=prompt,
        answer=answer,
        tools=tools,
        schema=schema,
        server_state=server_state,
        status=status,
    )


def verify(
    usage: Usage,
    model: str,
    *,
    prompt: Sequence[Message],
    answer: Message,
    tools: bool = False,
    schema: bool = False,
    server_state: bool = False,
    status: RequestStatus = "complete",
) -> Verification:
    """Count a request again and compare.

    Blocks for about half a second when a tokenizer is loaded for the first time.

    Args:
        usage: What the provider reported.
        model: `provider/model`.
        prompt: Everything that was sent, the system message included.
        answer: What came back.
        tools: Whether tools were offered.
        schema: Whether the answer had to follow a schema.
        server_state: Whether the provider added what it had kept (`previous_response_id`).
        status: How the request ended.
    """
    provider, name = split(canonical(model))
    encoding = tokenizer.encoding_for(name) if provider == "openai" else None
    if encoding is None:
        return Verification("unable", "tokenizer_unpublished")
    if status != "complete" or usage.input_tokens is None or usage.output_tokens is None:
        return Verification("unable", "usage_missing")
    hidden = _hidden_input(prompt, tools=tools or schema, server_state=server_state)
    counted_input = None if hidden else _input_tokens(prompt, encoding, reasons=bool(_REASONING.match(name)))
    written, unseen = _visible_output(usage, answer, reasons=bool(_REASONING.match(name)))
    counted_output = (
        None if unseen else sum(tokenizer.count(p.text, encoding) for p in answer.parts if isinstance(p, _TEXT))
    )
    pairs = [(usage.input_tokens, counted_input), (written, counted_output)]
    compared = [(said, counted) for said, counted in pairs if said is not None and counted is not None]
    share = _largest_share(compared)
    if any(not _agree(said, counted) for said, counted in compared):
        return Verification("discrepancy", None, counted_input, counted_output, share)
    if reason := hidden or unseen:
        return Verification("unable", reason, counted_input, counted_output, share)
    return Verification("verified", None, counted_input, counted_output, share)


def _hidden_input(prompt: Sequence[Message], *, tools: bool, server_state: bool) -> str | None:
    """Why the input cannot be counted; None where it can."""
    parts = [part for message in prompt for part in message.parts]
    if server_state:
        return "server_state"
    if tools or any(isinstance(part, ToolCallPart | ToolResultPart) for part in parts):
        return "tools_or_schema"
    if any(isinstance(part, ThinkingPart) and part.opaque for part in parts):
        return "hidden_reasoning"
    if not all(isinstance(part, TextPart | RefusalPart | ThinkingPart | CitationPart) for part in parts):
        return "media"
    return None


def _input_tokens(prompt: Sequence[Message], encoding: str, *, reasons: bool) -> int:
    messages = sum(3 + tokenizer.count(m.role, encoding) + tokenizer.count(m.text, encoding) for m in prompt)
    return messages + 3 - reasons


def _visible_output(usage: Usage, answer: Message, *, reasons: bool) -> tuple[int | None, str | None]:
    """How many of the output tokens should be visible, or why that cannot be said."""
    if answer.tool_calls:
        return None, "tools_or_schema"
    if usage.reasoning_tokens is None and reasons:
        return None, "hidden_reasoning"
    if not all(isinstance(part, (*_TEXT, ThinkingPart, CitationPart)) for part in answer.parts):
        return None, "media"
    return (usage.output_tokens or 0) - (usage.reasoning_tokens or 0), None


def _agree(said: int, counted: int) -> bool:
    return abs(said - counted) <= max(_CONTEXT.multiply(_ALLOWED_SHARE, Decimal(said)), Decimal(_ALLOWED_TOKENS))


def _largest_share(compared: Sequence[tuple[int, int]]) -> Decimal | None:
    """By how many percent the provider counted more, where it differs most."""
    shares = [
        _CONTEXT.divide(Decimal(100 * (said - counted)), Decimal(max(counted, 1))).quantize(
            Decimal("0.01"), context=_CONTEXT
        )
        for said, counted in compared
    ]
    return max(shares, key=abs, default=None)
