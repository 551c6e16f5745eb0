"""What a server wants a model asked, from MCP's shape to ValeChat's, and the answer back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import mcp_types as types

from valechat.accumulate import Answer
from valechat.history import repaired
from valechat.messages import ImagePart, Message, Part, TextPart, ToolCallPart, ToolResultPart
from valechat.plugins import schemas
from valechat.plugins.answers import content
from valechat.plugins.images import shown_as, unfit
from valechat.providers.base import Options, Request, ToolSpec

__all__ = ["Unfit", "request", "result", "shown"]

Params = types.CreateMessageRequestParams
Result = types.CreateMessageResult | types.CreateMessageResultWithTools

_STOPS = {"max_tokens": "maxTokens", "stop_sequence": "stopSequence", "tool_calls": "toolUse"}


class Unfit(Exception):
    """What a server wants asked cannot be sent to a model."""


def request(params: Params, model: str, most_tokens: int) -> Request:
    """The request to a model; it is asked for no more than `most_tokens`.

    Raises:
        Unfit: It holds what no model can be sent.
    """
    names: dict[str, str] = {}
    messages = [message for said in params.messages for message in _messages(said, names)]
    return Request(
        model=model,
        messages=repaired(messages),
        system=params.system_prompt or None,
        tools=list(_tools(params)),
        options=Options(temperature=params.temperature, max_tokens=max(1, min(params.max_tokens, most_tokens))),
    )


def shown(request: Request) -> str:
    """What the model would be told, for the user to read."""
    lines: list[str] = []
    for message in request.messages:
        said = "\n".join(filter(None, map(_line, message.parts)))
        lines.append(said if message.role == "user" and len(request.messages) == 1 else f"{message.role}: {said}")
    tools = ", ".join(tool.name for tool in request.tools)
    return "\n\n".join([*lines, *([f"Tools of the server: {tools}"] if tools else [])])


def result(answer: Answer, params: Params, model: str) -> Result:
    """The answer as the server gets it."""
    message = answer.message
    text, stop = _cut(message.text, params.stop_sequences or ())
    reason = stop or ("" if answer.stop is None else answer.stop.reason)
    stopped = _STOPS.get(reason, "endTurn")
    if params.tools:
        calls = [
            types.ToolUseContent(id=call.id, name=call.name, input=_input(call.arguments))
            for call in message.tool_calls
        ]
        said: list[Any] = [*([types.TextContent(text=text)] if text or not calls else []), *calls]
        return types.CreateMessageResultWithTools(role="assistant", content=said, model=model, stop_reason=stopped)
    image = next((part for part in message.parts if isinstance(part, ImagePart)), None)
    if image is not None and not text:
        return types.CreateMessageResult(role="assistant", content=_image(image), model=model, stop_reason=stopped)
    return types.CreateMessageResult(
        role="assistant", content=types.TextContent(text=text), model=model, stop_reason=stopped
    )


def _messages(said: types.SamplingMessage, names: dict[str, str]) -> Iterator[Message]:
    results: list[Part] = []
    parts: list[Part] = []
    for block in said.content_as_list:
        if isinstance(block, types.ToolResultContent):
            results.append(_tool_result(block, names))
        else:
            parts.append(_part(block, names))
    if results:
        yield Message("tool", tuple(results))
    if parts:
        yield Message(said.role, tuple(parts))


def _part(block: Any, names: dict[str, str]) -> Part:
    if isinstance(block, types.TextContent):
        return TextPart(block.text)
    if isinstance(block, types.ToolUseContent):
        names[block.id] = block.name
        return ToolCallPart(block.id, block.name, json.dumps(block.input, ensure_ascii=False))
    if isinstance(block, types.ImageContent):
        data = content(block).data
        if why := unfit(data):
            raise Unfit(f"The image cannot be shown to a model: it is {why}.")
        return ImagePart(data, shown_as(data))
    raise Unfit(f"Content of type {getattr(block, 'type', 'unknown')} cannot be sent to a model.")


def _tool_result(block: types.ToolResultContent, names: dict[str, str]) -> ToolResultPart:
    pieces = [content(one) for one in block.content]
    text = "\n".join(piece.text for piece in pieces if piece.text)
    if not text and block.structured_content is not None:
        text = json.dumps(block.structured_content, ensure_ascii=False)
    images = [piece.data for piece in pieces if piece.kind == "image" and not block.is_error and not unfit(piece.data)]
    return ToolResultPart(
        block.tool_use_id,
        names.get(block.tool_use_id, "tool"),
        text,
        is_error=bool(block.is_error),
        images=tuple(ImagePart(data, shown_as(data)) for data in images),
    )


def _tools(params: Params) -> Iterator[ToolSpec]:
    if params.tool_choice is not None and params.tool_choice.mode == "none":
        return
    for tool in params.tools or ():
        if why := schemas.problem(tool.input_schema):
            raise Unfit(f"The tool {tool.name} cannot be offered. {why}")
        yield ToolSpec(tool.name, tool.description or "", schemas.offered_schema(tool.input_schema))


def _line(part: Part) -> str:
    if isinstance(part, TextPart):
        return part.text
    if isinstance(part, ImagePart):
        return f"[{part.media_type}, {len(part.data):,} bytes]"
    if isinstance(part, ToolCallPart):
        return f"[calls {part.name} with {part.arguments}]"
    return f"[result of {part.name}] {part.text}" if isinstance(part, ToolResultPart) else ""


def _input(arguments: str) -> dict[str, Any]:
    """A call's arguments as the object MCP wants; what a model wrote wrong is for the server to refuse."""
    try:
        value = json.loads(arguments or "{}")
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"invalid_arguments": arguments}


def _image(part: ImagePart) -> types.ImageContent:
    import base64

    return types.ImageContent(data=base64.b64encode(part.data).decode("ascii"), mime_type=part.media_type)


def _cut(text: str, stops: Sequence[str]) -> tuple[str, str]:
    """The text up to the first of these sequences, which not every provider takes in a request."""
    places = [text.index(stop) for stop in stops if stop and stop in text]
    return (text[: min(places)], "stop_sequence") if places else (text, "")
