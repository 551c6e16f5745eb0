"""What is said in a conversation, as frozen values.

A message is a role and its parts. Identity, time and cost belong to the ledger, not to the
value. `to_json` and `from_json` are the stored form (plain JSON types, bytes as base64);
a part of a kind this version does not know is kept as `OpaquePart`, so nothing is lost when an
older ValeChat reads a newer ledger.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, cast

from valechat import tablehead

__all__ = [
    "CitationPart",
    "FilePart",
    "ImagePart",
    "Message",
    "OpaquePart",
    "Part",
    "RefusalPart",
    "Role",
    "TextPart",
    "ThinkingPart",
    "ToolCallPart",
    "ToolResultPart",
    "from_json",
    "to_json",
]

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text, Markdown by convention."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingPart:
    """A model's reasoning.

    `wire` names the wire format that produced it; `opaque` holds what that wire needs back
    unchanged (Anthropic's `signature`, an encrypted reasoning item, Gemini's
    `thoughtSignature`). Another wire drops the part.
    """

    text: str
    wire: str = ""
    opaque: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RefusalPart:
    """The model's own words of refusal, where the wire marks them as such."""

    text: str


@dataclass(frozen=True, slots=True)
class CitationPart:
    """A source the model named for what it said just before."""

    url: str
    title: str = ""
    quote: str = ""


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image, as bytes with its media type (`image/png`). `name` is its file's, where it had one."""

    data: bytes
    media_type: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class FilePart:
    """A document, as bytes with its media type (`application/pdf`, `text/csv`)."""

    data: bytes
    media_type: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A tool the model wants called.

    `arguments` is the JSON text as the model wrote it, valid or not. `opaque` as in
    `ThinkingPart`.
    """

    id: str
    name: str
    arguments: str
    wire: str = ""
    opaque: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolResultPart:
    """What a tool answered, for the call with that id.

    `text` and `images` are what models get. `structured` is the answer as a value, for the notebook,
    where the tool gave one that is not too large. `whole` names what was kept of an answer that models
    got only in part (`plugins.results.ResultStore`); empty when they got all of it. `table` is the beginning of a table
    that the tool gave, for the user's eyes. `value` is what a function of the
    notebook returned, the very object; it is never stored.
    """

    call_id: str
    name: str
    text: str
    is_error: bool = False
    images: tuple[ImagePart, ...] = ()
    structured: Any = None
    whole: str = ""
    table: tablehead.TableHead | None = None
    value: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OpaquePart:
    """A part this version does not know, kept as it was stored.

    A wire's own items that must return unchanged (`wire` set) are kept the same way.
    """

    data: Mapping[str, Any]
    wire: str = ""


Part = (
    TextPart
    | ThinkingPart
    | RefusalPart
    | CitationPart
    | ImagePart
    | FilePart
    | ToolCallPart
    | ToolResultPart
    | OpaquePart
)

_KINDS: dict[str, type[Any]] = {
    "text": TextPart,
    "thinking": ThinkingPart,
    "refusal": RefusalPart,
    "citation": CitationPart,
    "image": ImagePart,
    "file": FilePart,
    "tool_call": ToolCallPart,
    "tool_result": ToolResultPart,
}
_NAMES = {part: kind for kind, part in _KINDS.items()}


@dataclass(frozen=True, slots=True)
class Message:
    """One message: a role and its parts, in order."""

    role: Role
    parts: tuple[Part, ...]

    @classmethod
    def user(cls, text: str, *attachments: Part) -> Message:
        """A user's message: its text, then what is attached."""
        return cls("user", (TextPart(text), *attachments))

    @property
    def text(self) -> str:
        """All text of the message, reasoning and tool traffic left out."""
        return "".join(p.text for p in self.parts if isinstance(p, TextPart | RefusalPart))

    @property
    def thinking(self) -> str:
        """All reasoning text of the message."""
        return "".join(p.text for p in self.parts if isinstance(p, ThinkingPart))

    @property
    def tool_calls(self) -> tuple[ToolCallPart, ...]:
        """The tool calls of the message, in order."""
        return tuple(p for p in self.parts if isinstance(p, ToolCallPart))


def to_json(message: Message) -> dict[str, Any]:
    """The stored form of a message: `{"role": …, "parts": [{"kind": …}, …]}`."""
    return {"role": message.role, "parts": [_part_to_json(p) for p in message.parts]}


def from_json(data: Mapping[str, Any]) -> Message:
    """The message of a stored form. Unknown kinds of part become `OpaquePart`."""
    parts = tuple(_part_from_json(p) for p in data["parts"])
    return Message(cast(Role, data["role"]), parts)


def _part_to_json(part: Part) -> dict[str, Any]:
    if isinstance(part, OpaquePart):
        return {**part.data} if not part.wire else {"kind": "opaque", "wire": part.wire, "data": {**part.data}}
    stored: dict[str, Any] = {"kind": _NAMES[type(part)]}
    for f in fields(part):
        value = getattr(part, f.name)
        if f.name == "value":
            continue
        if isinstance(value, bytes):
            value = base64.b64encode(value).decode("ascii")
        elif f.name == "images":
            value = [_part_to_json(image) for image in value]
        elif isinstance(value, tablehead.TableHead):
            value = tablehead.to_json(value)
        if value is None if f.name in ("structured", "table") else value in ("", {}, [], False):
            continue
        stored[f.name] = value
    return stored


def _part_from_json(data: Mapping[str, Any]) -> Part:
    if data.get("kind") == "opaque":
        return OpaquePart(data["data"], data["wire"])
    kind = _KINDS.get(data.get("kind", ""))
    if kind is None:
        return OpaquePart(data)
    values: dict[str, Any] = {}
    for f in fields(kind):
        value = None if f.name == "value" else data.get(f.name)
        if value is None:
            if f.name in ("text", "arguments", "name", "id", "call_id", "url", "media_type"):
                values[f.name] = ""
            continue
        if f.name == "data":
            value = base64.b64decode(value)
        elif f.name == "images":
            value = tuple(_part_from_json(image) for image in value)
        elif f.name == "table":
            value = tablehead.from_json(value)
        values[f.name] = value
    return cast(Part, kind(**values))
