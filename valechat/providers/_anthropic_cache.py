"""Where a request to Anthropic marks its prefix for the prompt cache.

A read from the cache costs a tenth of the input price, a write a quarter more (guide "Prompt caching"),
so what is marked is what the next request repeats: the tools, the system prompt and the conversation up
to the last but one user turn. The last turn is marked as well while tools are being called, because the
next round follows at once. Four marks at most, the wire's limit, and none where the prefix is shorter
than the model caches, which the server would pass over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["mark_prefix"]

_MARK = {"type": "ephemeral"}
_BYTES_PER_TOKEN = 3
"""Rather too few than too many: a mark on a prefix that is too short costs nothing."""
_MEDIA_TOKENS = 1500
_UNMARKED = ("thinking", "redacted_thinking")
"""Blocks that take no mark."""


def mark_prefix(
    tools: Sequence[dict[str, Any]],
    system: Sequence[dict[str, Any]],
    messages: Sequence[dict[str, Any]],
    *,
    least_tokens: int,
) -> None:
    """Mark the stable prefix, in place. `least_tokens` is the shortest prefix the model caches."""
    before = sum(map(_tokens, tools))
    if tools and before >= least_tokens:
        _mark(tools[-1])
    before += sum(map(_tokens, system))
    if system and before >= least_tokens:
        _mark(system[-1])
    turns = [i for i, message in enumerate(messages) if message["role"] == "user"]
    calling = bool(turns) and any(block["type"] == "tool_result" for block in messages[turns[-1]]["content"])
    chosen = turns[-2:] if calling else turns[-3:-1]
    for i in chosen:
        if before + sum(_tokens(message) for message in messages[: i + 1]) >= least_tokens:
            _mark_last(messages[i]["content"])


def _mark_last(blocks: Sequence[dict[str, Any]]) -> None:
    block = next((block for block in reversed(blocks) if block["type"] not in _UNMARKED), None)
    if block is not None:
        _mark(block)


def _mark(block: dict[str, Any]) -> None:
    block["cache_control"] = dict(_MARK)


def _tokens(value: Any) -> int:
    """About how many tokens a block or message takes; images and documents are not counted by their bytes."""
    if isinstance(value, Mapping):
        source = value.get("source")
        if isinstance(source, Mapping) and source.get("type") == "base64":
            return _MEDIA_TOKENS
        if "content" in value or "text" in value:
            return _tokens(value.get("content") or value.get("text"))
        return _tokens(json.dumps(value, ensure_ascii=False, default=str))
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass")) // _BYTES_PER_TOKEN
    return sum(map(_tokens, value)) if isinstance(value, list | tuple) else 0
