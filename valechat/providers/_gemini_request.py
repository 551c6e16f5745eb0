"""A `Request` as the body of a Gemini `streamGenerateContent` call.

The form is Google's API reference, "Generating content". Options that a model refuses are left out or said
in words, and a note says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from valechat.providers._gemini_contents import WIRE, ContentWriter
from valechat.providers._gemini_models import Traits, thinking_config, traits_of
from valechat.providers._gemini_schema import gemini_schema
from valechat.providers.base import Request, ToolSpec

__all__ = ["WIRE", "gemini_body"]


def gemini_body(request: Request, provider: str, *, keep_signatures: bool = True) -> tuple[dict[str, Any], list[str]]:
    """The body, and notes on what was left out.

    `options.extra` wins over what is written here: `generationConfig` is merged with ours, `tools` (such as
    `[{"googleSearch": {}}]`) are added to ours, and an option that is None takes its name out of the body.

    Args:
        request: What to ask.
        provider: The provider's name, for notes and to know what the model itself signed.
        keep_signatures: Return what the model signed.
    """
    traits = traits_of(request.model)
    writer = ContentWriter(provider, request.model, traits, keep_signatures=keep_signatures)
    system_text, contents = writer.convert(request.messages)
    body: dict[str, Any] = {}
    config = _config(request, traits, writer)
    asked = _answer_schema(request, config, traits, writer)
    system = "\n\n".join(text for text in (request.system, system_text, asked) if text and text.strip())
    if system and traits.system:
        body["systemInstruction"] = {"parts": [{"text": system}]}
    elif system:
        contents.insert(0, {"role": "user", "parts": [{"text": system}]})
        writer.note(f"{request.model} takes no system prompt; it was put before the conversation.")
    body["contents"] = contents
    if request.tools and traits.tools:
        body["tools"] = [{"functionDeclarations": [_declared(tool) for tool in request.tools]}]
    elif request.tools:
        writer.note(f"{request.model} takes no tools; they were left out.")
    if config:
        body["generationConfig"] = config
    return _with_extra(body, request.options.extra), writer.notes


def _config(request: Request, traits: Traits, writer: ContentWriter) -> dict[str, Any]:
    options = request.options
    effort = options.reasoning_effort
    thinking = thinking_config(effort, traits, options.max_tokens)
    if effort not in (None, "none") and not thinking:
        writer.note(f"{request.model} does not reason; the reasoning effort was left out.")
    elif effort == "none" and thinking and thinking.get("thinkingBudget") != 0:
        writer.note(f"{request.model} always reasons; it was asked to reason as little as it can.")
    config = {
        "temperature": options.temperature,
        "maxOutputTokens": options.max_tokens,
        "seed": options.seed,
        "thinkingConfig": thinking or None,
    }
    return {name: value for name, value in config.items() if value is not None}


def _answer_schema(request: Request, config: dict[str, Any], traits: Traits, writer: ContentWriter) -> str:
    """Ask for an answer by schema: in the configuration, or in the words that are given back."""
    schema = request.options.schema
    if schema is None:
        return ""
    if traits.schema and (traits.schema_with_tools or not request.tools):
        config |= {"responseMimeType": "application/json", "responseJsonSchema": gemini_schema(schema)}
        return ""
    why = " together with tools" if traits.schema else ""
    writer.note(f"{request.model} takes no JSON Schema{why}; it was asked in words to follow it.")
    return f"Answer with one JSON object that follows this JSON Schema:\n{json.dumps(dict(schema))}"


def _declared(tool: ToolSpec) -> dict[str, Any]:
    declared: dict[str, Any] = {"name": tool.name, "description": tool.description}
    parameters = gemini_schema(tool.parameters)
    if parameters.get("properties") or parameters.get("additionalProperties"):
        declared["parametersJsonSchema"] = {"type": "object", **parameters}
    return declared


def _with_extra(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**body, **extra}
    if isinstance(extra.get("generationConfig"), Mapping):
        merged["generationConfig"] = {**body.get("generationConfig", {}), **extra["generationConfig"]}
    if isinstance(extra.get("tools"), list):
        merged["tools"] = [*body.get("tools", ()), *extra["tools"]]
    return {name: value for name, value in merged.items() if value is not None}
