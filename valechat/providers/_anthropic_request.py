"""A `Request` as the body of an Anthropic Messages call.

The form is Anthropic's API reference, "Create a Message", with `anthropic-version: 2023-06-01`.
Options that a model refuses are left out, and a note says so.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from valechat.providers._anthropic_cache import mark_prefix
from valechat.providers._anthropic_messages import WIRE, MessageWriter
from valechat.providers._anthropic_models import Traits, traits_of
from valechat.providers._schema import closed
from valechat.providers.base import Options, Request

__all__ = ["WIRE", "AnthropicBody", "anthropic_body"]

BINDING_BETA = "thinking-binding-controls-2026-08-01"
"""Lets the server leave out reasoning whose conversation has changed, where it would refuse the request."""

DEFAULT_OUTPUT = 16_384
"""Output tokens where nothing is said; `billing.estimate.default_max_tokens` reckons with as many."""

_LEAST_BUDGET = 1024
"""Least `budget_tokens` (guide "Extended thinking")."""
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 24_576}
_MADE_FOR = {"minimal": "low"}
"""Efforts the wire does not have, and the nearest it has."""


@dataclass(frozen=True, slots=True)
class AnthropicBody:
    """What to send: the body, the betas it needs, and notes on what was left out."""

    body: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    betas: tuple[str, ...] = ()


def anthropic_body(
    request: Request, provider: str, *, official: bool = True, keep_reasoning: bool = True
) -> AnthropicBody:
    """The body of a request.

    `max_tokens` is required by the wire: without one it is what the limits reckon with, and for an old
    model never more than it can make, which it would refuse. An option of `extra` that is None takes its
    name out of the body; `cache_control` in `extra` leaves the prompt cache to the caller.

    Args:
        request: What to ask.
        provider: The provider's name, for notes and to know its own reasoning.
        official: The server is Anthropic's own, so betas can be asked for.
        keep_reasoning: Return what the model thought before.
    """
    options, traits = request.options, traits_of(request.model)
    writer = MessageWriter(provider, keep_reasoning=keep_reasoning)
    system_text, messages = writer.convert(request.messages)
    tools = _tools(request, messages)
    body: dict[str, Any] = {
        "model": request.model,
        "max_tokens": min(options.max_tokens or DEFAULT_OUTPUT, traits.most_output or sys.maxsize),
        "stream": True,
        "messages": messages,
    }
    output: dict[str, Any] = {}
    _reason(body, output, options, traits, writer)
    if options.temperature is not None:
        _temperature(body, options.temperature, traits, writer)
    if options.seed is not None:
        writer.note(f"{provider} takes no seed; it was left out.")
    asked = ""
    if options.schema is not None and traits.schema:
        output["format"] = {"type": "json_schema", "schema": closed(options.schema)}
    elif options.schema is not None:
        asked = f"Answer with one JSON object that follows this JSON Schema:\n{json.dumps(dict(options.schema))}"
        writer.note(f"{request.model} takes no JSON Schema; it was asked in words to follow it.")
    texts = [text for text in (request.system, system_text, asked) if text and text.strip()]
    system = [{"type": "text", "text": "\n\n".join(texts)}] if texts else []
    if "cache_control" not in options.extra:
        mark_prefix(tools, system, messages, least_tokens=traits.least_cached)
    body |= {name: value for name, value in (("system", system), ("tools", tools), ("output_config", output)) if value}
    if tools and not request.tools:
        body["tool_choice"] = {"type": "none"}
    betas = _bind(body, traits) if official else ()
    return AnthropicBody(_with_extra(body, options.extra), writer.notes, betas)


def _tools(request: Request, messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is offered, or, for a conversation with tool calls and nothing on offer, what was: the wire wants it."""
    if request.tools:
        return [
            {"name": tool.name, "description": tool.description, "input_schema": {"type": "object", **tool.parameters}}
            for tool in request.tools
        ]
    called = {
        block["name"]: None for message in messages for block in message["content"] if block["type"] == "tool_use"
    }
    return [
        {"name": name, "description": "Not available any more.", "input_schema": {"type": "object"}} for name in called
    ]


def _reason(
    body: dict[str, Any], output: dict[str, Any], options: Options, traits: Traits, writer: MessageWriter
) -> None:
    """How much the model should reason: `thinking` and `output_config.effort`."""
    effort = options.reasoning_effort
    summarise = {} if traits.shows_thinking else {"display": "summarized"}
    if effort is None:
        if traits.thinks_unasked:
            body["thinking"] = {"type": "adaptive", **summarise}
    elif effort == "none":
        if traits.off is None:
            body["thinking"], output["effort"] = {"type": "adaptive", **summarise}, "low"
            writer.note(f"{body['model']} always reasons; it was asked to reason as little as it can.")
        elif traits.off:
            body["thinking"] = {"type": traits.off}
    elif traits.thinking == "none":
        writer.note(f"{body['model']} does not reason; the reasoning effort was left out.")
    elif traits.thinking == "adaptive":
        body["thinking"], output["effort"] = {"type": "adaptive", **summarise}, _MADE_FOR.get(effort, effort)
    elif body["max_tokens"] < 2 * _LEAST_BUDGET:
        writer.note(f"{body['max_tokens']} output tokens leave no room to reason; the reasoning effort was left out.")
    else:
        budget = min(_BUDGETS.get(effort, _BUDGETS["high"]), body["max_tokens"] * 3 // 4)
        body["thinking"] = {"type": "enabled", "budget_tokens": max(budget, _LEAST_BUDGET)}


def _temperature(body: dict[str, Any], temperature: float, traits: Traits, writer: MessageWriter) -> None:
    thinks = body.get("thinking", {}).get("type") in ("enabled", "adaptive")
    if not traits.sampling:
        writer.note(f"{body['model']} takes no temperature; it was left out.")
    elif thinks:
        writer.note("The temperature was left out: this wire takes none together with reasoning.")
    else:
        body["temperature"] = temperature


def _bind(body: dict[str, Any], traits: Traits) -> tuple[str, ...]:
    """Have reasoning left out where the tools or the system prompt have changed since, in place of a refusal."""
    returned = any(b["type"].endswith("thinking") for message in body["messages"] for b in message["content"])
    thinking = body.get("thinking", {})
    if not (traits.binds_thinking and returned and thinking.get("type") == "adaptive"):
        return ()
    thinking["block_binding"] = {"prefix_mismatch_behavior": "drop_block"}
    return (BINDING_BETA,)


def _with_extra(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**body, **extra}
    if isinstance(extra.get("output_config"), Mapping):
        merged["output_config"] = {**body.get("output_config", {}), **extra["output_config"]}
    return {name: value for name, value in merged.items() if value is not None}
