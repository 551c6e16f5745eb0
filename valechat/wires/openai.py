"""Usage on OpenAI's two wires and OpenRouter's.

Cached and cache-write tokens are inside the prompt's count, reasoning inside the completion's
(OpenAI API reference, "usage" of Chat Completions and Responses). The bill follows the
`service_tier` of the *response*. Servers that speak Chat Completions differ: DeepSeek has
`prompt_cache_hit_tokens`, Moonshot `cached_tokens`, Groq `x_groq.usage`, and xAI counts reasoning
outside `completion_tokens`, which its `total_tokens` shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from valechat.usage import Usage
from valechat.wires.reading import Reader, amount, last, mapping

__all__ = ["read_chat", "read_openrouter", "read_responses"]

_CHAT_KEYS = ("prompt_tokens", "completion_tokens", "total_tokens")
_RESPONSES_KEYS = ("input_tokens", "output_tokens", "total_tokens")
_HOSTED = ("web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call")


def read_chat(events: Sequence[Mapping[str, Any]]) -> Usage:
    """Chat Completions: the usage object, the response, or the chunks that carry it."""
    return _chat(events, {})


def read_openrouter(events: Sequence[Mapping[str, Any]]) -> Usage:
    """OpenRouter's Chat Completions, whose `usage.cost` is what was charged, in USD."""
    usage = _chat_usage(events)
    extra: dict[str, Any] = {}
    cost = amount(usage.get("cost"))
    if cost is not None:
        extra["cost"] = str(cost)
    elif usage.get("cost") is not None:
        extra["unreadable"] = "usage.cost is no sum of money"
    if usage.get("is_byok") is True:
        extra["is_byok"] = True
        upstream = amount(mapping(usage, "cost_details").get("upstream_inference_cost"))
        extra["cost_details"] = {} if upstream is None else {"upstream_inference_cost": str(upstream)}
    return _chat(events, extra)


def read_responses(events: Sequence[Mapping[str, Any]]) -> Usage:
    """Responses: `response.completed` (or `.incomplete`, `.failed`), the response, or its usage."""
    read = Reader()
    responses = [mapping(event, "response") or event for event in events]
    usage = _pick(responses, _RESPONSES_KEYS, ("usage",))
    written = mapping(usage, "input_tokens_details", "cache_write_tokens_details")
    input_tokens = read.need(usage, "input_tokens")
    output_tokens = read.need(usage, "output_tokens")
    cached = read.count(usage, "input_tokens_details", "cached_tokens")
    cache_write = read.count(usage, "input_tokens_details", "cache_write_tokens")
    reasoning = read.count(usage, "output_tokens_details", "reasoning_tokens")
    return Usage(
        input_tokens,
        output_tokens,
        read.part(cached, input_tokens, "cached_tokens"),
        read.part(cache_write, input_tokens, "cache_write_tokens"),
        read.part(reasoning, output_tokens, "reasoning_tokens"),
        read.details(
            service_tier=last(responses, ("service_tier",)),
            model=last(responses, ("model",)),
            cache_write_tokens_details=_counts(read, written, "ttl_30m_tokens", "ttl_12h_tokens"),
            hosted_tool_calls=_hosted_calls(responses),
        ),
    )


def _chat(events: Sequence[Mapping[str, Any]], extra: Mapping[str, Any]) -> Usage:
    read = Reader()
    if "unreadable" in extra:
        read.note(extra["unreadable"])
    usage = _chat_usage(events)
    prompt, completion = mapping(usage, "prompt_tokens_details"), mapping(usage, "completion_tokens_details")
    input_tokens = read.need(usage, "prompt_tokens")
    output_tokens = read.need(usage, "completion_tokens")
    cached = read.count(prompt, "cached_tokens")
    if cached is None:
        cached = read.count(usage, "prompt_cache_hit_tokens")
    if cached is None:
        cached = read.count(usage, "cached_tokens")
    reasoning = read.count(completion, "reasoning_tokens")
    total = read.count(usage, "total_tokens")
    if reasoning and input_tokens is not None and output_tokens is not None:
        apart = input_tokens + output_tokens + reasoning
        output_tokens += reasoning if total == apart else 0
    return Usage(
        input_tokens,
        output_tokens,
        read.part(cached, input_tokens, "cached_tokens"),
        read.part(read.count(prompt, "cache_write_tokens"), input_tokens, "cache_write_tokens"),
        read.part(reasoning, output_tokens, "reasoning_tokens"),
        read.details(
            service_tier=last(events, ("service_tier",), ("usage", "service_tier")),
            model=last(events, ("model",)),
            prompt_tokens_details=_counts(read, prompt, "audio_tokens", "image_tokens"),
            completion_tokens_details=_counts(read, completion, "audio_tokens", "image_tokens"),
            server_tool_use=_counts(read, mapping(usage, "server_tool_use"), "web_search_requests"),
            **{name: value for name, value in extra.items() if name != "unreadable"},
        ),
    )


def _chat_usage(events: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return _pick(events, _CHAT_KEYS, ("usage",), ("x_groq", "usage"))


def _pick(events: Sequence[Mapping[str, Any]], own_keys: Sequence[str], *paths: Sequence[str]) -> Mapping[str, Any]:
    """The last usage object among the events: at one of the paths, or the event itself."""
    found: Mapping[str, Any] = {}
    for event in events:
        inside = next((usage for usage in (mapping(event, *path) for path in paths) if usage), None)
        if inside is not None:
            found = inside
        elif any(key in event for key in own_keys):
            found = event
    return found


def _counts(read: Reader, source: Mapping[str, Any], *names: str) -> dict[str, int]:
    """Those of the counts that are there and not 0."""
    return {name: value for name in names if (value := read.count(source, name))}


def _hosted_calls(responses: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How often the response called each tool that OpenAI runs and charges for by the call."""
    outputs: Iterator[list[Any]] = (r["output"] for r in reversed(responses) if isinstance(r.get("output"), list))
    kinds = Counter(str(item.get("type")) for item in next(outputs, []) if isinstance(item, Mapping))
    return {kind: kinds[kind] for kind in _HOSTED if kinds[kind]}
