"""A request's usage as disjoint parts, each with the key of its unit price.

The counts of a `Usage` nest (cached inside input, audio inside both); a bill needs each token once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from valechat.billing.names import split
from valechat.billing.rates import Price
from valechat.usage import Usage

__all__ = ["Unpriceable", "parts"]

_MODALITIES = {"audio": ("AUDIO",), "image": ("IMAGE", "DOCUMENT"), "video": ("VIDEO",)}
_FREE_CALLS = {"web_fetch_requests"}
_CALLS = {"web_search_requests": "web_search", "web_search_call": "web_search", "file_search_call": "file_search"}
_MOST = 10**15


class Unpriceable(Exception):
    """The usage cannot be billed; the text says why."""


def parts(usage: Usage, model: str, prices: Mapping[str, Price]) -> dict[str, int]:
    """How many units of each priced part a request used; parts that are 0 are left out.

    Args:
        usage: What the provider reported.
        model: `provider/model`, for rules that differ by provider.
        prices: The unit prices in force: a modality is its own part where it has its own price.

    Raises:
        Unpriceable: A count that is needed is unknown, or the counts contradict each other.
    """
    provider, name = split(model)
    inputs, outputs = _known(usage.input_tokens, "input"), _known(usage.output_tokens, "output")
    reads, writes = _known(usage.cache_read_tokens or 0, "cache"), _known(usage.cache_write_tokens or 0, "cache")
    counted = {"cache_read": reads, **_writes(usage.details, writes)}
    counted["input"] = inputs - reads - writes
    counted["output"] = outputs
    if counted["input"] < 0:
        raise Unpriceable("the provider reported more cached tokens than input tokens")
    for modality in _MODALITIES:
        _take_modality(counted, usage.details, modality, prices, same_price=provider == "gemini")
    counted.update(_calls(usage.details, name))
    if "request" in prices:
        counted["request"] = 1
    return {key: count for key, count in counted.items() if count}


def _known(count: object, what: str) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= _MOST:
        raise Unpriceable(f"the provider did not report its {what} tokens")
    return count


def _number(source: object, *path: str) -> int:
    """A count among the details; 0 when it is not there."""
    for key in path:
        source = source.get(key) if isinstance(source, Mapping) else None
    if source is None or isinstance(source, Mapping):
        return 0
    return _known(source, "detailed")


def _writes(details: Mapping[str, Any], writes: int) -> dict[str, int]:
    """Cache writes by how long they are kept. Anthropic: 5 minutes unless said otherwise."""
    hour = _number(details, "cache_creation", "ephemeral_1h_input_tokens")
    half_day = _number(details, "cache_write_tokens_details", "ttl_12h_tokens")
    if hour + half_day > writes:
        raise Unpriceable("the provider reported more long-lived cache writes than cache writes")
    return {"cache_write": writes - hour - half_day, "cache_write_1h": hour, "cache_write_12h": half_day}


def _take_modality(
    counted: dict[str, int], details: Mapping[str, Any], modality: str, prices: Mapping[str, Price], *, same_price: bool
) -> None:
    """Move a modality's tokens from the text parts to its own, where it has its own price.

    Gemini states a modality's price only where it differs from text. Elsewhere audio without a
    price is unknown; images are billed as text by every chat wire that counts them.
    """
    inputs, cached = _inputs(details, modality)
    if inputs and f"input_{modality}" in prices:
        if cached is None and counted["cache_read"]:
            raise Unpriceable(f"the provider did not say how many {modality} tokens were cached")
        counted[f"input_{modality}"] = inputs - (cached or 0)
        counted[f"cache_read_{modality}"] = cached or 0
        counted["input"] -= inputs - (cached or 0)
        counted["cache_read"] -= cached or 0
    elif inputs and modality == "audio" and not same_price:
        counted["input_audio"] = inputs
        counted["input"] -= inputs
    outputs = _number(details, "completion_tokens_details", f"{modality}_tokens") + sum(
        _number(details, "candidatesTokensDetails", name) for name in _MODALITIES[modality]
    )
    if outputs and (f"output_{modality}" in prices or (modality == "audio" and not same_price)):
        counted[f"output_{modality}"] = outputs
        counted["output"] -= outputs
    if any(count < 0 for count in counted.values()):
        raise Unpriceable(f"the provider's {modality} token counts contradict its other counts")


def _inputs(details: Mapping[str, Any], modality: str) -> tuple[int, int | None]:
    """Input tokens of a modality, and how many of them were cached (None where that is not said)."""
    chat = _number(details, "prompt_tokens_details", f"{modality}_tokens")
    if chat:
        return chat, None
    names = _MODALITIES[modality]
    fields = ("promptTokensDetails", "toolUsePromptTokensDetails")
    fresh = sum(_number(details, field, name) for field in fields for name in names)
    return fresh, sum(_number(details, "cacheTokensDetails", name) for name in names)


def _calls(details: Mapping[str, Any], name: str) -> dict[str, int]:
    """Calls of tools the provider ran and charges for by the call."""
    counted: dict[str, int] = {}
    for field in ("server_tool_use", "hosted_tool_calls"):
        used = details.get(field)
        for call in map(str, used if isinstance(used, Mapping) else ()):
            if call not in _FREE_CALLS and (number := _number(used, call)):
                key = _CALLS.get(call, call)
                counted[key] = counted.get(key, 0) + number
    if searches := _number(details, "webSearchQueries"):
        # Gemini 2.5 and older charge a grounded prompt, Gemini 3 and newer each query.
        counted["web_search"] = min(searches, 1) if name.startswith(("gemini-1", "gemini-2")) else searches
    return counted
