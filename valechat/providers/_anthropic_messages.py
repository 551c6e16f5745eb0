"""A conversation as the `messages` of an Anthropic call.

Rules of the wire (API reference, "Create a Message"; guides "Handle tool calls" and "Extended thinking"):
roles alternate, so neighbours of one role become one message; a turn's tool results stand first in it; no
text block is blank; reasoning returns as it came, in its place. Reasoning of another wire, or of another
provider on this one, could not be verified by the server and is left out.
"""

from __future__ import annotations

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
from valechat.providers._parts import argument_object, as_base64, file_kind, media_type, safe_id

__all__ = ["WIRE", "MessageWriter"]

WIRE = "anthropic.messages"

_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
"""Images the wire takes (guide "Vision")."""


class MessageWriter:
    """Converts messages and gathers notes, each once."""

    def __init__(self, provider: str, *, keep_reasoning: bool = True) -> None:
        self.notes: list[str] = []
        self._provider = provider
        self._keep_reasoning = keep_reasoning

    def note(self, text: str) -> None:
        """Note something for the user."""
        if text not in self.notes:
            self.notes.append(text)

    def convert(self, messages: Sequence[Message]) -> tuple[str, list[dict[str, Any]]]:
        """The text of system messages, and the others as the wire takes them."""
        system: list[str] = []
        turns: list[dict[str, Any]] = []
        for i, message in enumerate(messages):
            if message.role == "system":
                system.append(message.text)
                continue
            role = "assistant" if message.role == "assistant" else "user"
            if role == "assistant":
                blocks = list(self._assistant(message, last=i == len(messages) - 1))
            else:
                blocks = [block for part in message.parts for block in self._user(part)]
            if not blocks:
                continue
            if turns and turns[-1]["role"] == role:
                turns[-1]["content"].extend(blocks)
            else:
                turns.append({"role": role, "content": blocks})
        for turn in turns:
            turn["content"].sort(key=lambda block: turn["role"] == "user" and block["type"] != "tool_result")
        return "\n\n".join(filter(None, system)), turns

    def _user(self, part: Part) -> Iterator[dict[str, Any]]:
        if isinstance(part, TextPart):
            yield from _texts(part.text)
        elif isinstance(part, ImagePart):
            yield self._image(part)
        elif isinstance(part, FilePart):
            yield self._file(part)
        elif isinstance(part, ToolResultPart):
            yield self._result(part)
        elif isinstance(part, OpaquePart) and not part.wire:
            self.note("A part of the conversation that this version does not know was left out.")

    def _assistant(self, message: Message, *, last: bool) -> Iterator[dict[str, Any]]:
        answered = {part.data.get("tool_use_id") for part in message.parts if isinstance(part, OpaquePart)}
        text: list[str] = []
        for part in message.parts:
            if isinstance(part, TextPart | RefusalPart):
                text.append(part.text)
                continue
            block = self._answered(part)
            if block is None or "type" not in block:
                continue
            if block["type"] == "server_tool_use" and not last and block.get("id") not in answered:
                # The answer was cut while the server's tool ran: without its result the wire refuses the call.
                continue
            yield from _texts("".join(text))
            text = []
            yield block
        yield from _texts("".join(text))

    def _answered(self, part: Part) -> dict[str, Any] | None:
        """A part of an answer other than text, where it can return."""
        if isinstance(part, ThinkingPart):
            return self._thinking(part)
        if isinstance(part, ToolCallPart):
            own = self._own(part.wire, part.opaque) or {}
            arguments = dict(argument_object(part.arguments))
            called = {"type": "tool_use", "id": safe_id(part.id, "toolu_"), "name": part.name, "input": arguments}
            return called | own
        if isinstance(part, OpaquePart) and part.wire:
            return self._own(part.wire, part.data)
        if isinstance(part, ImagePart | FilePart):
            self.note("Images and files that a model made were left out: this provider takes them from the user only.")
        return None

    def _thinking(self, part: ThinkingPart) -> dict[str, Any] | None:
        own = self._own(part.wire, part.opaque) if self._keep_reasoning else None
        if own is None or own.get("type") != "thinking":
            return own
        return {**own, "thinking": part.text, "signature": own.get("signature", "")}

    def _own(self, wire: str, kept: Mapping[str, Any]) -> dict[str, Any] | None:
        """What was kept of a block, if it came from this provider on this wire."""
        if wire != WIRE or kept.get("provider", self._provider) != self._provider:
            return None
        return {name: value for name, value in kept.items() if name != "provider"}

    def _result(self, part: ToolResultPart) -> dict[str, Any]:
        content = [*_texts(part.text), *(self._image(image) for image in part.images)]
        result: dict[str, Any] = {"type": "tool_result", "tool_use_id": safe_id(part.call_id, "toolu_")}
        if content:
            result["content"] = content
        if part.is_error:
            result["is_error"] = True
        return result

    def _image(self, part: ImagePart) -> dict[str, Any]:
        kind = media_type(part.media_type)
        if kind == "image/jpg":
            kind = "image/jpeg"
        if kind not in _IMAGES:
            self.note(f"An image was left out: {self._provider} takes no images of type {kind}.")
            return _text("[An image was left out here.]")
        return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": as_base64(part.data)}}

    def _file(self, part: FilePart) -> dict[str, Any]:
        kind = file_kind(part.media_type)
        if kind == "image":
            return self._image(ImagePart(part.data, part.media_type))
        if kind == "pdf":
            source = {"type": "base64", "media_type": "application/pdf", "data": as_base64(part.data)}
            return {"type": "document", "title": part.name, "source": source}
        text = part.data.decode("utf-8", "replace")
        if kind == "text" and text.strip():
            return {
                "type": "document",
                "title": part.name,
                "source": {"type": "text", "media_type": "text/plain", "data": text},
            }
        if kind == "text":
            return _text(f"[The file {part.name} is empty.]")
        self.note(
            f"The file {part.name} was left out: {self._provider} takes no files of type {media_type(part.media_type)}."
        )
        return _text(f"[The file {part.name} was left out here.]")


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _texts(text: str) -> Iterator[dict[str, Any]]:
    """A text block, unless it were blank."""
    if text.strip():
        yield _text(text)
