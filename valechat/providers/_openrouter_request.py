"""A `Request` as the body of an OpenRouter call: Chat Completions with its additions.

The form is OpenRouter's API reference, "Create a chat completion", and its guides "Reasoning tokens" and
"Prompt caching". Claude's prompt cache is used only where it is asked for; what is marked follows the same
rule as for Anthropic itself: what the next request repeats, where it is long enough to be cached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from valechat.providers._anthropic_models import traits_of
from valechat.providers._chat_request import Dialect, chat_body
from valechat.providers._openrouter_reasoning import with_reasoning
from valechat.providers.base import Capabilities, Request

__all__ = ["openrouter_body"]

_DIALECT = Dialect(files=True, stream_options=False)
_MARK = {"type": "ephemeral"}
_BYTES_PER_TOKEN = 3
"""Rather too few than too many: a mark on a prefix that is too short costs nothing."""
_MEDIA_TOKENS = 1500


def openrouter_body(request: Request, provider: str, capabilities: Capabilities) -> tuple[dict[str, Any], list[str]]:
    """The body, and notes on what was left out. `extra` wins, as in Chat Completions."""
    body, notes = chat_body(request, provider, _DIALECT, capabilities)
    extra = request.options.extra
    if "reasoning" not in extra and "reasoning_effort" not in extra and "reasoning_effort" in body:
        body["reasoning"] = {"effort": body.pop("reasoning_effort")}
    # OpenRouter counts unasked since 2026; gateways that speak like it want to be asked.
    body.setdefault("usage", {"include": True})
    if "messages" not in extra:
        with_reasoning(body["messages"], request.messages, provider, request.model)
        if "claude" in request.model.lower() and "cache_control" not in extra:
            _mark_prefix(body.get("tools", ()), body["messages"], traits_of(request.model).least_cached)
    return {name: value for name, value in body.items() if value is not None}, notes


def _mark_prefix(tools: Sequence[Any], messages: Sequence[dict[str, Any]], least_tokens: int) -> None:
    """Mark the system prompt and the last turns that the next request repeats: three marks of the wire's four."""
    turns = [i for i in range(len(messages)) if _ends_turn(messages, i)]
    calling = bool(turns) and messages[turns[-1]]["role"] == "tool"
    chosen = turns[-2:] if calling else turns[-3:-1]
    if messages and messages[0]["role"] == "system":
        chosen = [0, *chosen]
    before = sum(map(_tokens, tools))
    for i, message in enumerate(messages):
        before += _tokens(message)
        if i in chosen and before >= least_tokens:
            _mark(message)


def _ends_turn(messages: Sequence[Mapping[str, Any]], i: int) -> bool:
    """Whether a message is the user's or a tool's last before the model speaks."""
    last = i + 1 == len(messages) or messages[i + 1]["role"] == "assistant"
    return last and messages[i]["role"] in ("user", "tool")


def _mark(message: dict[str, Any]) -> None:
    content = message["content"]
    if isinstance(content, str):
        content = message["content"] = [{"type": "text", "text": content}]
    text = next((block for block in reversed(content) if block.get("type") == "text"), None)
    if text is not None:
        text["cache_control"] = dict(_MARK)


def _tokens(value: Any) -> int:
    """About how many tokens a tool or message takes; images and documents are not counted by their bytes."""
    content = value.get("content") if isinstance(value, Mapping) else None
    if isinstance(content, list):
        return sum(_tokens(block) if block.get("type") == "text" else _MEDIA_TOKENS for block in content)
    return len(orjson.dumps(value, default=str)) // _BYTES_PER_TOKEN
