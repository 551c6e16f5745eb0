"""Usage on Gemini's generateContent wire.

Every chunk carries the counts so far, so the last one stands. Thoughts and the tokens of tools the
server ran come on top of candidates and prompt; cached content is inside the prompt. A count of 0
is left out (proto3 JSON), so an absent one is 0 only where the total shows it.
(Gemini API reference: UsageMetadata.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from valechat.usage import Usage
from valechat.wires.reading import Reader, last, mapping

__all__ = ["read_generate"]

_KEYS = ("promptTokenCount", "candidatesTokenCount", "totalTokenCount", "thoughtsTokenCount")
_BY_MODALITY = ("promptTokensDetails", "cacheTokensDetails", "toolUsePromptTokensDetails", "candidatesTokensDetails")


def read_generate(events: Sequence[Mapping[str, Any]]) -> Usage:
    """generateContent: the response, its chunks, or their `usageMetadata`."""
    read = Reader()
    usage: Mapping[str, Any] = {}
    for event in events:
        inside = mapping(event, "usageMetadata")
        if inside:
            usage = inside
        elif any(name in event for name in _KEYS):
            usage = event
    input_tokens = read.total(usage, "promptTokenCount", "toolUsePromptTokenCount")
    output_tokens = _output(read, usage, input_tokens)
    cached = read.count(usage, "cachedContentTokenCount")
    thoughts = read.count(usage, "thoughtsTokenCount")
    return Usage(
        input_tokens,
        output_tokens,
        read.part(cached, input_tokens, "cachedContentTokenCount"),
        None,
        read.part(thoughts, output_tokens, "thoughtsTokenCount"),
        read.details(
            serviceTier=last([usage], ("serviceTier",)),
            trafficType=last([usage], ("trafficType",)),
            model=last(events, ("modelVersion",), ("model",)),
            webSearchQueries=_searches(events) or None,
            **{name: _modalities(read, usage, name) for name in _BY_MODALITY},
        ),
    )


def _output(read: Reader, usage: Mapping[str, Any], input_tokens: int | None) -> int | None:
    if usage.get("candidatesTokenCount") is None:
        total = read.count(usage, "totalTokenCount")
        thoughts = read.count(usage, "thoughtsTokenCount")
        if thoughts is None and usage.get("thoughtsTokenCount") is not None:
            return None
        if total is None or input_tokens is None or total < input_tokens + (thoughts or 0):
            read.note("candidatesTokenCount is missing")
            return None
        return total - input_tokens
    return read.total(usage, "candidatesTokenCount", "thoughtsTokenCount")


def _modalities(read: Reader, usage: Mapping[str, Any], name: str) -> dict[str, int]:
    """Tokens by modality other than text, e.g. `{"AUDIO": 12}`."""
    listed = usage.get(name)
    found: dict[str, int] = {}
    for item in listed if isinstance(listed, list) else ():
        modality = item.get("modality") if isinstance(item, Mapping) else None
        if isinstance(modality, str) and modality != "TEXT" and (tokens := read.count(item, "tokenCount")):
            found[modality] = found.get(modality, 0) + tokens
    return found


def _searches(events: Sequence[Mapping[str, Any]]) -> int:
    """How many web searches grounded the answer; each chunk repeats those so far."""
    most = 0
    for event in events:
        candidates = event.get("candidates")
        for candidate in candidates if isinstance(candidates, list) else ():
            queries = mapping(candidate, "groundingMetadata").get("webSearchQueries")
            most = max(most, len(queries)) if isinstance(queries, list) else most
    return most
