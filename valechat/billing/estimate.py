"""What a request may cost, before it is sent.

Two figures: the worst case, which is held against the limits and cannot be exceeded, and the likely
case, which is shown.

The bound on input tokens needs no tokenizer: a byte-level BPE, and SentencePiece with byte fallback,
make at most one token of a UTF-8 byte. What the server adds around messages and tools, and what
images take, is bounded by the figures below, from the providers' documentation of November 2026.
Nothing exceeds the model's context window, which its server would refuse.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, Protocol

from valechat.billing.costing import served_rates
from valechat.billing.names import canonical, is_local, split
from valechat.billing.rates import Price, Rates
from valechat.billing.table import PriceTable, default_table
from valechat.messages import FilePart, ImagePart, Message, OpaquePart, Part, TextPart, ToolResultPart, to_json
from valechat.money import EXACT

__all__ = [
    "RequestSize",
    "Tool",
    "default_max_tokens",
    "fit_max_tokens",
    "input_bound",
    "likely",
    "likely_input",
    "size_of",
    "worst_case",
]

_ZERO = Decimal(0)
_PER_REQUEST = 64
_PER_MESSAGE = 16
_PER_TOOL = 64
_TOOL_PREAMBLE = 1_500
"""Servers describe tools to the model in words of their own (Anthropic documents up to 1,133 tokens)."""
_IMAGE = {"anthropic": 5_000, "gemini": 10_000, "openai": 16_000}
_IMAGE_ELSEWHERE = 50_000
_IMAGE_HEAVY = 50_000
"""gpt-4o-mini counts an image as up to 48,169 tokens (2,833 and 5,667 for each of 8 tiles)."""
_LIKELY_IMAGE = 1_500
_BYTES_PER_TOKEN = Decimal("3.5")
_DEFAULT_OUTPUT = 16_384
_LIKELY_OUTPUT = 600
_LEAST_OUTPUT = 64


class Tool(Protocol):
    """A tool offered to the model."""

    @property
    def name(self) -> str:
        """As the model calls it."""
        ...

    @property
    def description(self) -> str:
        """As the model reads it."""
        ...

    @property
    def parameters(self) -> Mapping[str, Any]:
        """JSON Schema."""
        ...


@dataclass(frozen=True, slots=True)
class RequestSize:
    """What of a request takes input tokens. `text_bytes` is UTF-8, tools and documents included."""

    text_bytes: int
    messages: int = 1
    images: int = 0
    tools: int = 0


def size_of(
    messages: Sequence[Message],
    system: str | None = None,
    tools: Iterable[Tool] = (),
    schema: Mapping[str, Any] | None = None,
) -> RequestSize:
    """The size of a request, as its parts stand; a document counts with all its bytes.

    `schema` is what the answer must follow; servers show it to the model.
    """
    offered = list(tools)
    schemas = sum(
        _bytes(t.name) + _bytes(t.description) + _bytes(json.dumps(dict(t.parameters), ensure_ascii=False, default=str))
        for t in offered
    )
    parts = [part for message in messages for part in message.parts]
    return RequestSize(
        text_bytes=_bytes(system or "")
        + _bytes(json.dumps(schema) if schema else "")
        + schemas
        + sum(map(_part_bytes, parts)),
        messages=len(messages) + bool(system),
        images=sum(_images(part) for part in parts),
        tools=len(offered),
    )


def input_bound(size: RequestSize, model: str, table: PriceTable | None = None) -> int:
    """Input tokens the request cannot exceed."""
    provider, name = split(canonical(model))
    image = _IMAGE_HEAVY if "4o-mini" in name else _IMAGE.get(provider, _IMAGE_ELSEWHERE)
    bound = size.text_bytes + _framing(size) + size.images * image
    facts = (table or default_table()).facts(model)
    window = facts.context_tokens if facts is not None else None
    return bound if window is None else min(bound, window)


def likely_input(size: RequestSize) -> int:
    """Input tokens to expect, at 3.5 bytes a token; English has about 4.4, code 3, Chinese 2.5."""
    text = int(EXACT.to_integral_value(Context(prec=30).divide(Decimal(size.text_bytes), _BYTES_PER_TOKEN)))
    tools = _TOOL_PREAMBLE // 4 if size.tools else 0
    return text + 4 * size.messages + tools + size.images * _LIKELY_IMAGE


def default_max_tokens(model: str, table: PriceTable | None = None) -> int:
    """How many output tokens to allow where the user said nothing: the model's most, up to 16,384."""
    facts = (table or default_table()).facts(model)
    most = facts.max_output_tokens if facts is not None else None
    return min(most or _DEFAULT_OUTPUT, _DEFAULT_OUTPUT)


def worst_case(
    model: str,
    input_tokens: int,
    max_tokens: int,
    *,
    table: PriceTable | None = None,
    details: Mapping[str, Any] | None = None,
    local: bool = False,
) -> Decimal | None:
    """USD a request cannot cost more than; None when no price is known.

    All input counts at its dearest (written to the cache, highest context tier), all output is made.

    Args:
        model: `provider/model`.
        input_tokens: The bound on input.
        max_tokens: The bound on output, reasoning included.
        table: The price table, with the user's prices; by default the newest this machine has.
        details: What the request asks for that changes prices, by the names of `Usage.details`:
            `service_tier`, `speed`, `inference_geo`.
        local: The provider runs on the user's machine, so its models are free.
    """
    units = _units(model, table, details, local=local, input_tokens=input_tokens)
    return None if units is None else units.cost(input_tokens, max_tokens)


def likely(
    model: str,
    input_tokens: int,
    output_tokens: int = _LIKELY_OUTPUT,
    *,
    table: PriceTable | None = None,
    details: Mapping[str, Any] | None = None,
    local: bool = False,
) -> Decimal | None:
    """USD a request probably costs; None when no price is known. Arguments as for `worst_case`."""
    units = _units(model, table, details, local=local, input_tokens=input_tokens, cached=False)
    return None if units is None else units.cost(input_tokens, output_tokens)


def fit_max_tokens(
    room: Decimal,
    model: str,
    input_tokens: int,
    max_tokens: int,
    *,
    table: PriceTable | None = None,
    details: Mapping[str, Any] | None = None,
    local: bool = False,
) -> int | None:
    """The most output tokens, up to `max_tokens`, with which the worst case stays within `room` USD.

    None when not even a short answer (64 tokens, or `max_tokens` if that is less) fits, or no price
    is known. Arguments as for `worst_case`.
    """
    units = _units(model, table, details, local=local, input_tokens=input_tokens)
    if units is None:
        return None
    left = EXACT.subtract(room, units.cost(input_tokens, 0))
    if left < 0:
        return None
    if units.output == 0:
        return max_tokens
    fits = min(max_tokens, int(EXACT.divide_int(EXACT.scaleb(left, 6), units.output)))
    return fits if fits >= min(_LEAST_OUTPUT, max_tokens) else None


@dataclass(frozen=True, slots=True)
class _Units:
    """USD per million input and output tokens, and for the request itself."""

    input: Decimal
    output: Decimal
    request: Decimal = _ZERO

    def cost(self, input_tokens: int, output_tokens: int) -> Decimal:
        tokens = EXACT.add(EXACT.multiply(self.input, input_tokens), EXACT.multiply(self.output, output_tokens))
        return EXACT.add(EXACT.scaleb(tokens, -6), self.request)


def _units(
    model: str,
    table: PriceTable | None,
    details: Mapping[str, Any] | None,
    *,
    local: bool,
    input_tokens: int,
    cached: bool = True,
) -> _Units | None:
    rates: Rates | None = (table or default_table()).find(model)
    if (rates is None or not rates.is_user) and (local or is_local(model)):
        return _Units(_ZERO, _ZERO)
    served = None if rates is None else served_rates(rates, details or {})
    if served is None:
        return None
    prices, factor = served
    if "input" not in prices or "output" not in prices:
        return None
    ways = ["input", "cache_write"] if cached else ["input"]
    dearest = max(_most(prices[way], input_tokens) for way in ways if way in prices)
    output = _most(prices["output"], input_tokens)
    fee = prices["request"].base if "request" in prices else _ZERO
    return _Units(EXACT.multiply(dearest, factor), EXACT.multiply(output, factor), EXACT.scaleb(fee, -3))


def _most(price: Price, input_tokens: int) -> Decimal:
    """The most a unit can cost in a request of up to so many input tokens."""
    return max([price.base, *(dearer for threshold, dearer in price.above if input_tokens > threshold)])


def _framing(size: RequestSize) -> int:
    tools = _TOOL_PREAMBLE + size.tools * _PER_TOOL if size.tools else 0
    return _PER_REQUEST + size.messages * _PER_MESSAGE + tools


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _part_bytes(part: Part) -> int:
    if isinstance(part, TextPart):
        return _bytes(part.text)
    if isinstance(part, ImagePart):
        return 0
    if isinstance(part, FilePart):
        return len(part.data) + _bytes(part.name)
    if isinstance(part, ToolResultPart):
        return _bytes(part.text) + _bytes(part.name) + _bytes(part.call_id)
    # The stored form holds all the text of the other kinds, opaque parts that return included.
    return _bytes(json.dumps(to_json(Message("user", (part,))), ensure_ascii=False, default=str))


def _images(part: Part) -> int:
    if isinstance(part, ToolResultPart):
        return len(part.images)
    return int(isinstance(part, ImagePart) or (isinstance(part, OpaquePart) and "image" in str(part.data.get("type"))))
