"""A `Request` as the body of an OpenAI Responses call.

The form is OpenAI's API reference, "Create a model response". Nothing is stored at the server, so a
model's reasoning travels with the conversation, encrypted.

The prompt cache works by itself. `prompt_cache_key` is not sent: without state of its own an adapter
could derive it from a conversation's beginning only, which is what the server goes by anyway, and a key
for each conversation would part requests that share a system prompt. It can be given in `extra`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from valechat.providers._openai_names import reasons, refuses_temperature
from valechat.providers._responses_items import WIRE, ItemWriter
from valechat.providers._schema import can_be_strict, schema_name, told_at_length
from valechat.providers.base import Capabilities, Options, Request, ToolSpec

__all__ = ["WIRE", "responses_body"]


def responses_body(
    request: Request,
    provider: str,
    capabilities: Capabilities,
    *,
    official: bool = True,
    without: Collection[str] = (),
) -> tuple[dict[str, Any], list[str]]:
    """The body, and notes on what was left out. An option of `extra` that is None takes its name out of the body.

    Args:
        request: What to ask.
        provider: The provider's name, for notes and to know its own reasoning.
        capabilities: What the model takes.
        official: The server is OpenAI's own.
        without: What the server has refused: `summary`, a summary of the reasoning; `reasoning`, what the
            model thought before, encrypted.
    """
    options = request.options
    thinks = reasons(request.model, official=official)
    writer = ItemWriter(provider, capabilities, keep_reasoning="reasoning" not in without)
    body: dict[str, Any] = {
        "model": request.model,
        "stream": True,
        "store": False,
        "instructions": request.system or None,
        "input": writer.convert(request.messages),
        "max_output_tokens": options.max_tokens,
    }
    if thinks:
        body["include"] = ["reasoning.encrypted_content"]
    if reasoning := _reasoning(request, writer, thinks=thinks, summary="summary" not in without):
        body["reasoning"] = reasoning
    if options.temperature is not None:
        if thinks and (refuses_temperature(request.model) or options.reasoning_effort not in (None, "none")):
            writer.note(f"{request.model} takes no temperature together with reasoning; it was left out.")
        else:
            body["temperature"] = options.temperature
    if options.seed is not None:
        writer.note("The Responses API takes no seed; it was left out.")
    if request.tools:
        body["tools"] = [_function(tool) for tool in request.tools]
    if options.schema is not None:
        body["text"] = {"format": _format(options.schema)}
    return _with_extra(body, options), writer.notes


def _function(tool: ToolSpec) -> dict[str, Any]:
    description, parameters = told_at_length(tool.description, tool.parameters)
    # `strict` left out would be true, and refuse most schemas.
    told = {"name": tool.name, "description": description, "parameters": parameters}
    return {"type": "function", **told, "strict": False}


def _reasoning(request: Request, writer: ItemWriter, *, thinks: bool, summary: bool) -> dict[str, Any]:
    effort = request.options.reasoning_effort
    if not thinks:
        if effort not in (None, "none"):
            writer.note(f"{request.model} does not reason; the reasoning effort was left out.")
        return {}
    summarise = {"summary": "auto"} if summary and effort != "none" else {}
    return {**({"effort": effort} if effort else {}), **summarise}


def _format(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "json_schema",
        "name": schema_name(schema),
        "schema": dict(schema),
        "strict": can_be_strict(schema),
    }


def _with_extra(body: dict[str, Any], options: Options) -> dict[str, Any]:
    """The body with the caller's own options; `reasoning` and `text` are joined with what is there."""
    merged = {**body, **options.extra}
    for name in ("reasoning", "text"):
        if isinstance(options.extra.get(name), Mapping):
            merged[name] = {**body.get(name, {}), **options.extra[name]}
    return {name: value for name, value in merged.items() if value is not None}
