"""A conversation as the `contents` of a Gemini call.

Rules of the wire (API reference "Content" and "Part"; guides "Function calling" and "Thought signatures"):
a call's results follow at once, one each; calls and results are matched by id where the server gave one and
by order where it gave none; a signature returns on the part it came on, to the model that made it. The
reader keeps a part's own fields in `opaque`; a signed text is followed by an `OpaquePart` of kind
`signature` that says how many of the characters before it are signed.
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
from valechat.providers._gemini_models import Traits
from valechat.providers._parts import argument_object, as_base64, file_kind, media_type

__all__ = ["MADE_ID", "SIGNATURE", "WIRE", "ContentWriter"]

WIRE = "gemini.generate"

MADE_ID = "valechat_call_"
"""How the id begins of a call whose server gave it none; such an id is never sent."""

SIGNATURE = "signature"

UNSIGNED = "skip_thought_signature_validator"
"""What the guide "Thought signatures" names for a call that this model did not make itself."""

_IMAGES = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")
_SAME_TYPE = {"image/jpg": "image/jpeg", "audio/x-wav": "audio/wav", "audio/x-flac": "audio/flac"}


class ContentWriter:
    """Converts messages and gathers notes, each once.

    Args:
        provider: Who is asked.
        model: The model that is asked; what another one signed is left out.
        traits: How it differs.
        keep_signatures: Return what the model signed.
    """

    def __init__(self, provider: str, model: str, traits: Traits, *, keep_signatures: bool = True) -> None:
        self.notes: list[str] = []
        self._origin = {"provider": provider, "model": model}
        self._provider = provider
        self._traits = traits
        self._keep = keep_signatures

    def note(self, text: str) -> None:
        """Note something for the user."""
        if text not in self.notes:
            self.notes.append(text)

    def convert(self, messages: Sequence[Message]) -> tuple[str, list[dict[str, Any]]]:
        """The text of system messages, and the others as the wire takes them."""
        system: list[str] = []
        contents: list[dict[str, Any]] = []
        before = ""
        for message in messages:
            if message.role == "system":
                system.append(message.text)
                continue
            for role, parts in self._contents(message):
                if not parts:
                    continue
                # A turn of results holds nothing else; other neighbours of one role become one turn.
                if role == before != "tool":
                    contents[-1]["parts"].extend(parts)
                else:
                    contents.append({"role": "model" if role == "assistant" else "user", "parts": parts})
                before = role
        return "\n\n".join(filter(None, system)), contents

    def _contents(self, message: Message) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        if message.role == "assistant":
            yield "assistant", self._assistant(message)
            return
        results = [part for part in message.parts if isinstance(part, ToolResultPart)]
        yield "tool", [self._result(part) for part in results]
        shown: list[dict[str, Any]] = []
        if not self._traits.result_images:
            for part in results:
                if part.images:
                    shown.append(_text(f"Images from the tool {part.name}:"))
                    shown.extend(self._media(image.data, image.media_type, "An image") for image in part.images)
        yield "user", [*shown, *(block for part in message.parts for block in self._user(part))]

    def _user(self, part: Part) -> Iterator[dict[str, Any]]:
        if isinstance(part, TextPart):
            if part.text.strip():
                yield _text(part.text)
        elif isinstance(part, ImagePart):
            yield self._media(part.data, part.media_type, "An image")
        elif isinstance(part, FilePart):
            yield self._file(part)
        elif isinstance(part, OpaquePart) and not part.wire:
            self.note("A part of the conversation that this version does not know was left out.")

    def _assistant(self, message: Message) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = []
        for part in message.parts:
            if isinstance(part, TextPart | RefusalPart):
                if part.text:
                    blocks.append(_text(part.text))
            elif isinstance(part, OpaquePart) and part.data.get("kind") == SIGNATURE:
                if self._own(part.wire, part.data) is not None:
                    _sign(blocks, part.data)
            elif (block := self._answered(part)) is not None:
                blocks.append(block)
        calls = [block for block in blocks if "functionCall" in block]
        if calls and self._traits.signs_calls and "thoughtSignature" not in calls[0]:
            calls[0]["thoughtSignature"] = UNSIGNED
        signed_or_said = (b for b in blocks if set(b) != {"text"} or b["text"].strip())
        return list(signed_or_said)

    def _answered(self, part: Part) -> dict[str, Any] | None:
        """A part of an answer other than text, where it can return."""
        if isinstance(part, ThinkingPart):
            own = self._own(part.wire, part.opaque)
            return None if own is None else {"text": part.text, "thought": True, **own}
        if isinstance(part, ToolCallPart):
            return self._call(part)
        if isinstance(part, OpaquePart) and part.wire:
            return self._own(part.wire, part.data)
        if isinstance(part, ImagePart):
            return self._media(part.data, part.media_type, "An image")
        if isinstance(part, FilePart):
            return self._file(part)
        return None

    def _call(self, part: ToolCallPart) -> dict[str, Any]:
        own = self._own(part.wire, part.opaque) or {}
        call = {**own.pop("functionCall", {}), "name": part.name, "args": dict(argument_object(part.arguments))}
        if not part.id.startswith(MADE_ID):
            call["id"] = part.id
        return {"functionCall": call, **own}

    def _own(self, wire: str, kept: Mapping[str, Any]) -> dict[str, Any] | None:
        """What was kept of a part, if it came from this model."""
        if wire != WIRE or not self._keep or any(kept.get(name) != value for name, value in self._origin.items()):
            return None
        return {name: value for name, value in kept.items() if name not in self._origin}

    def _result(self, part: ToolResultPart) -> dict[str, Any]:
        result: dict[str, Any] = {"name": part.name, "response": {"error" if part.is_error else "output": part.text}}
        if not part.call_id.startswith(MADE_ID):
            result["id"] = part.call_id
        if part.images and self._traits.result_images:
            media = (self._media(image.data, image.media_type, "An image") for image in part.images)
            result["parts"] = [block for block in media if "inlineData" in block]
        return {"functionResponse": result}

    def _file(self, part: FilePart) -> dict[str, Any]:
        if file_kind(part.media_type) == "text":
            return _text(f"File {part.name}:\n\n{part.data.decode('utf-8', 'replace')}")
        return self._media(part.data, part.media_type, f"The file {part.name}")

    def _media(self, data: bytes, given: str, what: str) -> dict[str, Any]:
        kind = _SAME_TYPE.get(media_type(given), media_type(given))
        if kind in _IMAGES or kind == "application/pdf" or kind.startswith(("audio/", "video/")):
            return {"inlineData": {"mimeType": kind, "data": as_base64(data)}}
        self.note(f"{what} was left out: {self._provider} takes nothing of type {kind}.")
        return _text(f"[{what} was left out here.]")


def _sign(blocks: list[dict[str, Any]], kept: Mapping[str, Any]) -> None:
    """Put a signature back on the part it came on."""
    signature, length = kept.get("thoughtSignature"), kept.get("characters", 0)
    last = blocks[-1] if blocks else {}
    if kept.get("on") == "media" and set(last) == {"inlineData"}:
        last["thoughtSignature"] = signature
        return
    text = last["text"] if set(last) == {"text"} else ""
    if not 0 < length <= len(text):
        blocks.append({"text": "", "thoughtSignature": signature})
        return
    if length < len(text):
        last["text"] = text[:-length]
    else:
        blocks.pop()
    blocks.append({"text": text[-length:], "thoughtSignature": signature})


def _text(text: str) -> dict[str, Any]:
    return {"text": text}
