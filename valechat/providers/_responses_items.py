"""A conversation as the `input` items of a Responses call.

A reasoning item returns as it came and stands before the item it belongs to, which must then return under
its own id as well; without either the server refuses the request (guide "Reasoning models", keeping
reasoning items in context). So ids are kept: a function call's with its part, a message's in an opaque
part after its text. Reasoning that lost what followed it, or that another provider encrypted, is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

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
from valechat.providers._parts import argument_object, data_url, error_text, file_kind, media_type, safe_id
from valechat.providers.base import Capabilities

__all__ = ["WIRE", "ItemWriter"]

WIRE = "openai.responses"

Item = dict[str, Any]


class ItemWriter:
    """Converts messages and gathers notes, each once."""

    def __init__(self, provider: str, capabilities: Capabilities, *, keep_reasoning: bool = True) -> None:
        self.notes: list[str] = []
        self._provider = provider
        self._keep_reasoning = keep_reasoning
        self._images = capabilities.images is not False
        self._files = capabilities.files is not False

    def note(self, text: str) -> None:
        """Note something for the user."""
        if text not in self.notes:
            self.notes.append(text)

    def convert(self, messages: Sequence[Message]) -> list[Item]:
        """All items of a conversation."""
        items: list[Item] = []
        for message in messages:
            if message.role == "assistant":
                items.extend(_followed(list(self._assistant(message))))
            elif message.role == "tool":
                items.extend(self._output(part) for part in message.parts if isinstance(part, ToolResultPart))
            elif content := [item for part in message.parts if (item := self._content(part)) is not None]:
                items.append({"type": "message", "role": message.role, "content": content})
        return items

    def _content(self, part: Part) -> Item | None:
        if isinstance(part, TextPart):
            return _text(part.text) if part.text else None
        if isinstance(part, ImagePart):
            return self._image(part)
        if isinstance(part, FilePart):
            return self._file(part)
        if isinstance(part, OpaquePart) and not part.wire:
            self.note("A part of the conversation that this version does not know was left out.")
        return None

    def _image(self, part: ImagePart) -> Item:
        if not self._images:
            self.note("Images were left out: this model takes none.")
            return _text("[An image was left out here.]")
        return {"type": "input_image", "detail": "auto", "image_url": data_url(part.media_type, part.data)}

    def _file(self, part: FilePart) -> Item:
        kind = file_kind(part.media_type)
        if kind == "text":
            return _text(f"File {part.name}:\n\n{part.data.decode('utf-8', 'replace')}")
        if kind == "image":
            return self._image(ImagePart(part.data, part.media_type))
        if kind == "pdf" and self._files:
            return {"type": "input_file", "filename": part.name, "file_data": data_url(part.media_type, part.data)}
        taken = f"{self._provider} takes no files of type {media_type(part.media_type)}"
        self.note(f"The file {part.name} was left out: {taken}.")
        return _text(f"[The file {part.name} was left out here.]")

    def _output(self, part: ToolResultPart) -> Item:
        text = error_text(part.text, is_error=part.is_error)
        output: str | list[Item] = text
        if part.images:
            output = [*([_text(text)] if text else []), *(self._image(image) for image in part.images)]
        return {"type": "function_call_output", "call_id": safe_id(part.call_id, "call_"), "output": output}

    def _assistant(self, message: Message) -> Iterator[Item]:
        content: list[Item] = []
        for part in message.parts:
            if isinstance(part, TextPart | RefusalPart):
                _add(content, part)
                continue
            own = self._own(part)
            if own is not None and own.get("type") == "message":
                if content:
                    yield {"status": "completed", **own, "role": "assistant", "content": content}
                content = []
                continue
            item = self._item(part, own)
            if item is not None:
                yield from _message(content)
                content = []
                yield item
        yield from _message(content)

    def _item(self, part: Part, own: Item | None) -> Item | None:
        """An item that is no message."""
        if isinstance(part, ThinkingPart):
            return own if own and own.get("encrypted_content") else None
        if isinstance(part, ToolCallPart):
            return {
                "type": "function_call",
                "call_id": safe_id(part.id, "call_"),
                "name": part.name,
                "arguments": _object_text(part.arguments),
                **(own or {}),
            }
        if isinstance(part, ImagePart | FilePart):
            self.note("Images and files that a model made were left out: this provider takes them from the user only.")
        return own if own and "type" in own else None

    def _own(self, part: Part) -> Item | None:
        """What was kept of an item, if it came from this provider on this wire."""
        if isinstance(part, OpaquePart):
            wire, kept = part.wire, part.data
        elif isinstance(part, ThinkingPart | ToolCallPart):
            wire, kept = part.wire, part.opaque
        else:
            return None
        if wire != WIRE or not self._keep_reasoning or kept.get("provider", self._provider) != self._provider:
            # Ids go together with reasoning: an item under its id is refused without it.
            return None
        return {name: value for name, value in kept.items() if name != "provider"}


def _followed(items: list[Item]) -> Iterator[Item]:
    """The items without reasoning that is not followed by an item of its answer under its own id."""
    for i, item in enumerate(items):
        if item["type"] == "reasoning":
            following = next((other for other in items[i + 1 :] if other["type"] != "reasoning"), None)
            if following is None or not following.get("id"):
                continue
        yield item


def _add(content: list[Item], part: TextPart | RefusalPart) -> None:
    """Text joins the text before it: what citations split is one text."""
    if not part.text:
        return
    name = "text" if isinstance(part, TextPart) else "refusal"
    if content and name in content[-1]:
        content[-1][name] += part.text
    elif name == "text":
        content.append({"type": "output_text", "text": part.text, "annotations": []})
    else:
        content.append({"type": "refusal", "refusal": part.text})


def _message(content: list[Item]) -> Iterator[Item]:
    """An answer whose id is not known: of another wire, or cut off."""
    text = "".join(item.get("text") or item.get("refusal") or "" for item in content)
    if text:
        yield {"type": "message", "role": "assistant", "content": text}


def _text(text: str) -> Item:
    return {"type": "input_text", "text": text}


def _object_text(arguments: str) -> str:
    """The arguments as they were written, where that is JSON text of an object."""
    value: Mapping[str, Any] = argument_object(arguments)
    return arguments if arguments.strip() and "invalid_arguments" not in value else json.dumps(value)
