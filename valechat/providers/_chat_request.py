"""A `Request` as the body of a Chat Completions call.

The form is OpenAI's API reference, "Create chat completion"; `Dialect` says where other servers differ.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from valechat.messages import (
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    RefusalPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from valechat.providers._schema import can_be_strict, schema_name, told_at_length
from valechat.providers.base import Capabilities, Request, ToolSpec

__all__ = ["WIRE", "Dialect", "chat_body"]

WIRE = "openai.chat"

_NEWER_MODEL = re.compile(r"(?:.*/)?(?:o\d|gpt-[5-9])")
"""Models that refuse `max_tokens` (API reference, `max_tokens`: not compatible with o-series models)."""

_TEXT_TYPES = ("application/json", "application/xml", "application/yaml", "application/toml", "application/sql")


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where servers that speak Chat Completions differ.

    Attributes:
        completion_tokens: Names the limit `max_completion_tokens` for all models, not `max_tokens`.
        files: Takes PDFs as `file` parts.
        json_schema: Takes `response_format` of type `json_schema`; others take `json_object` only.
        nine_character_ids: Refuses tool call ids other than nine letters and digits (Mistral).
        replay_reasoning: Wants its `reasoning_content` back within a turn with tools (DeepSeek).
        seed: The name of the seed.
        stream_options: Takes `stream_options`; others send usage unasked.
    """

    completion_tokens: bool = False
    files: bool = False
    json_schema: bool = True
    nine_character_ids: bool = False
    replay_reasoning: bool = False
    seed: str = "seed"
    stream_options: bool = True


def chat_body(
    request: Request, provider: str, dialect: Dialect, capabilities: Capabilities
) -> tuple[dict[str, Any], list[str]]:
    """The body, and notes on what was left out. An option of `extra` that is None takes its name out of the body."""
    options = request.options
    writer = _Messages(provider, dialect, capabilities)
    system = request.system or ""
    body: dict[str, Any] = {"model": request.model, "stream": True}
    if dialect.stream_options:
        body["stream_options"] = {"include_usage": True}
    if options.max_tokens is not None:
        newer = dialect.completion_tokens or _NEWER_MODEL.match(request.model)
        body["max_completion_tokens" if newer else "max_tokens"] = options.max_tokens
    body["temperature"] = options.temperature
    body["reasoning_effort"] = options.reasoning_effort
    body[dialect.seed] = options.seed
    if request.tools:
        body["tools"] = [{"type": "function", "function": _function(tool)} for tool in request.tools]
    if options.schema is not None:
        if dialect.json_schema:
            body["response_format"] = _json_schema(options.schema)
        else:
            body["response_format"] = {"type": "json_object"}
            system += f"\n\nAnswer with one JSON object that follows this JSON Schema:\n{json.dumps(options.schema)}"
            writer.note(f"{provider} takes no JSON Schema; it was asked in words to follow it.")
    body["messages"] = [
        *([{"role": "system", "content": system.strip()}] if system.strip() else []),
        *writer.convert(request.messages),
    ]
    body.update(options.extra)
    return {name: value for name, value in body.items() if value is not None}, writer.notes


def _function(tool: ToolSpec) -> dict[str, Any]:
    description, parameters = told_at_length(tool.description, tool.parameters)
    return {"name": tool.name, "description": description, "parameters": parameters}


def _json_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "json_schema",
        "json_schema": {"name": schema_name(schema), "schema": dict(schema), "strict": can_be_strict(schema)},
    }


class _Messages:
    """Converts messages and gathers notes, each once."""

    def __init__(self, provider: str, dialect: Dialect, capabilities: Capabilities) -> None:
        self.notes: list[str] = []
        self._provider = provider
        self._dialect = dialect
        self._images = capabilities.images is not False

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def convert(self, messages: Any) -> Iterator[dict[str, Any]]:
        turn = max((i for i, message in enumerate(messages) if message.role == "user"), default=-1)
        shown: list[dict[str, Any]] = []
        for i, message in enumerate(messages):
            if message.role != "tool" and shown:
                yield {"role": "user", "content": shown}
                shown = []
            if message.role == "tool":
                for part in message.parts:
                    if isinstance(part, ToolResultPart):
                        yield self._tool(part)
                        shown.extend(self._tool_images(part))
            elif message.role == "assistant":
                yield from self._assistant(message, in_turn=i > turn)
            elif content := self._content(message.parts):
                yield {"role": message.role, "content": content}
        if shown:
            yield {"role": "user", "content": shown}

    def _content(self, parts: tuple[Part, ...]) -> str | list[dict[str, Any]]:
        blocks = [block for part in parts if (block := self._block(part)) is not None]
        if all(block["type"] == "text" for block in blocks):
            return "\n\n".join(block["text"] for block in blocks)
        return blocks

    def _block(self, part: Part) -> dict[str, Any] | None:
        if isinstance(part, TextPart):
            return _text(part.text) if part.text else None
        if isinstance(part, ImagePart):
            return self._image(part)
        if isinstance(part, FilePart):
            return self._file(part)
        if isinstance(part, OpaquePart) and not part.wire:
            self.note("A part of the conversation that this version does not know was left out.")
        return None

    def _image(self, part: ImagePart) -> dict[str, Any]:
        if not self._images:
            self.note("Images were left out: this model takes none.")
            return _text("[An image was left out here.]")
        return {"type": "image_url", "image_url": {"url": _data_url(part.media_type, part.data)}}

    def _file(self, part: FilePart) -> dict[str, Any]:
        kind = part.media_type.partition(";")[0].strip().lower()
        if kind.startswith("text/") or kind in _TEXT_TYPES:
            return _text(f"File {part.name}:\n\n{part.data.decode('utf-8', 'replace')}")
        if kind.startswith("image/"):
            return self._image(ImagePart(part.data, kind))
        if kind == "application/pdf" and self._dialect.files:
            return {"type": "file", "file": {"filename": part.name, "file_data": _data_url(kind, part.data)}}
        self.note(f"The file {part.name} was left out: {self._provider} takes no files of type {kind}.")
        return _text(f"[The file {part.name} was left out here.]")

    def _assistant(self, message: Message, *, in_turn: bool) -> Iterator[dict[str, Any]]:
        text = "".join(part.text for part in message.parts if isinstance(part, TextPart | RefusalPart))
        calls = [self._call(part) for part in message.parts if isinstance(part, ToolCallPart)]
        if any(isinstance(part, ImagePart | FilePart) for part in message.parts):
            self.note("Images and files that a model made were left out: this provider takes them from the user only.")
        if not text and not calls:
            return
        converted: dict[str, Any] = {"role": "assistant", "content": text or None}
        if calls:
            converted["tool_calls"] = calls
        if in_turn and self._dialect.replay_reasoning:
            converted.update(self._reasoning(message))
        yield converted

    def _reasoning(self, message: Message) -> dict[str, str]:
        """Reasoning of this provider's own, under the name it came by."""
        return {
            part.opaque["field"]: part.text
            for part in message.parts
            if isinstance(part, ThinkingPart) and part.wire == WIRE and part.opaque.get("provider") == self._provider
        }

    def _call(self, part: ToolCallPart) -> dict[str, Any]:
        return {
            "id": self._call_id(part.id),
            "type": "function",
            "function": {"name": part.name, "arguments": _object_text(part.arguments)},
        }

    def _tool(self, part: ToolResultPart) -> dict[str, Any]:
        text = f"Error: {part.text}" if part.is_error and not part.text.lower().startswith("error") else part.text
        if part.images:
            text += f"\n\n[{len(part.images)} image(s) follow in the next user message.]"
        return {"role": "tool", "tool_call_id": self._call_id(part.call_id), "content": text}

    def _tool_images(self, part: ToolResultPart) -> list[dict[str, Any]]:
        if not part.images:
            return []
        return [_text(f"Images from the tool {part.name}:"), *(self._image(image) for image in part.images)]

    def _call_id(self, call_id: str) -> str:
        """An id this server takes: servers refuse ids longer than 40 characters, Mistral all but its own form."""
        digest = hashlib.sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()
        if self._dialect.nine_character_ids:
            return call_id if re.fullmatch(r"[a-zA-Z0-9]{9}", call_id) else digest[:9]
        return call_id if len(call_id) <= 40 else f"call_{digest[:32]}"


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _data_url(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def _object_text(arguments: str) -> str:
    """The arguments as JSON text of an object: some servers refuse a whole conversation over a call that is not one."""
    try:
        if isinstance(orjson.loads(arguments), dict):
            return arguments
    except orjson.JSONDecodeError:
        pass
    return json.dumps({"invalid_arguments": arguments}) if arguments.strip() else "{}"
