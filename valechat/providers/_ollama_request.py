"""A `Request` as the body of an Ollama `/api/chat` call.

The form is Ollama's API reference, "Generate a chat message", and `ChatRequest` in its api/types.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from valechat.messages import (
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    RefusalPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from valechat.providers._ollama_schema import ollama_parameters
from valechat.providers._parts import argument_object, as_base64, error_text, file_kind, media_type
from valechat.providers.base import Capabilities, Options, Request

__all__ = ["WIRE", "ollama_body"]

WIRE = "ollama.chat"

_THINK: dict[str, bool | str] = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "max": "max",
}


def ollama_body(request: Request, provider: str, capabilities: Capabilities) -> tuple[dict[str, Any], list[str]]:
    """The body, and notes on what was left out.

    `extra["options"]` is merged with ours; what else `extra` holds (`keep_alive`, `think`) wins, and an
    option that is None takes its name out of the body.
    """
    options = request.options
    writer = _Messages(provider, capabilities)
    system = [{"role": "system", "content": request.system}] if request.system and request.system.strip() else []
    body: dict[str, Any] = {
        "model": request.model,
        "stream": True,
        "messages": [*system, *writer.convert(request.messages)],
        "options": _options(options),
        "think": _think(request, capabilities, writer),
        "format": None if options.schema is None else dict(options.schema),
    }
    if request.tools and capabilities.tools is False:
        writer.note(f"{request.model} takes no tools; they were left out.")
    elif request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": ollama_parameters(tool.parameters),
                },
            }
            for tool in request.tools
        ]
    merged = {**body, **options.extra}
    if isinstance(options.extra.get("options"), Mapping):
        merged["options"] = {**body["options"], **options.extra["options"]}
    return {name: value for name, value in merged.items() if value is not None and value != {}}, writer.notes


def _options(options: Options) -> dict[str, Any]:
    named = {"temperature": options.temperature, "num_predict": options.max_tokens, "seed": options.seed}
    return {name: value for name, value in named.items() if value is not None}


def _think(request: Request, capabilities: Capabilities, writer: _Messages) -> bool | str | None:
    """How much to reason: a model that cannot refuses to be asked; one that can does so unasked."""
    effort = request.options.reasoning_effort
    if effort is None:
        return None
    if capabilities.reasoning is False:
        if effort != "none":
            writer.note(f"{request.model} does not reason; the reasoning effort was left out.")
        return None
    return _THINK.get(effort, "high")


class _Messages:
    """Converts messages and gathers notes, each once."""

    def __init__(self, provider: str, capabilities: Capabilities) -> None:
        self.notes: list[str] = []
        self._provider = provider
        self._images = capabilities.images is not False

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def convert(self, messages: Sequence[Message]) -> Iterator[dict[str, Any]]:
        turn = max((i for i, message in enumerate(messages) if message.role == "user"), default=-1)
        for i, message in enumerate(messages):
            if message.role == "assistant":
                yield from self._assistant(message, in_turn=i > turn)
                continue
            results = [part for part in message.parts if isinstance(part, ToolResultPart)]
            for result in results:
                yield self._result(result)
            shown = [image for result in results for image in result.images]
            if shown:
                yield from self._said("user", (TextPart("Images from the tools:"), *shown))
            yield from self._said("user" if message.role == "tool" else message.role, message.parts)

    def _said(self, role: str, parts: Sequence[Any]) -> Iterator[dict[str, Any]]:
        texts: list[str] = []
        images: list[str] = []
        for part in parts:
            if isinstance(part, TextPart):
                texts.append(part.text)
            elif isinstance(part, ImagePart):
                self._image(part, texts, images)
            elif isinstance(part, FilePart):
                self._file(part, texts, images)
            elif isinstance(part, OpaquePart) and not part.wire:
                self.note("A part of the conversation that this version does not know was left out.")
        text = "\n\n".join(filter(str.strip, texts))
        if text or images:
            yield {"role": role, "content": text, **({"images": images} if images else {})}

    def _image(self, part: ImagePart, texts: list[str], images: list[str]) -> None:
        if self._images:
            images.append(as_base64(part.data))
        else:
            self.note("Images were left out: this model takes none.")
            texts.append("[An image was left out here.]")

    def _file(self, part: FilePart, texts: list[str], images: list[str]) -> None:
        kind = file_kind(part.media_type)
        if kind == "text":
            texts.append(f"File {part.name}:\n\n{part.data.decode('utf-8', 'replace')}")
        elif kind == "image":
            self._image(ImagePart(part.data, part.media_type), texts, images)
        else:
            what = media_type(part.media_type)
            self.note(f"The file {part.name} was left out: {self._provider} takes no files of type {what}.")
            texts.append(f"[The file {part.name} was left out here.]")

    def _assistant(self, message: Message, *, in_turn: bool) -> Iterator[dict[str, Any]]:
        text = "".join(part.text for part in message.parts if isinstance(part, TextPart | RefusalPart))
        calls = [_call(part) for part in message.parts if isinstance(part, ToolCallPart)]
        if any(isinstance(part, ImagePart | FilePart) for part in message.parts):
            self.note("Images and files that a model made were left out: this provider takes them from the user only.")
        if not text.strip() and not calls:
            return
        # A model that calls tools goes on from what it thought before; of earlier turns it is told no thoughts.
        thought = "".join(map(self._thought, message.parts)) if in_turn else ""
        yield {
            "role": "assistant",
            "content": text,
            **({"thinking": thought} if thought else {}),
            **({"tool_calls": calls} if calls else {}),
        }

    def _thought(self, part: Any) -> str:
        own = isinstance(part, ThinkingPart) and part.wire == WIRE and part.opaque.get("provider") == self._provider
        return part.text if own else ""

    def _result(self, part: ToolResultPart) -> dict[str, Any]:
        text = error_text(part.text, is_error=part.is_error)
        return {"role": "tool", "content": text, "tool_name": part.name, "tool_call_id": part.call_id}


def _call(part: ToolCallPart) -> dict[str, Any]:
    return {"id": part.id, "function": {"name": part.name, "arguments": dict(argument_object(part.arguments))}}
