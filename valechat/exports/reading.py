"""Conversations read back from JSON of `valechat.exports.plainjson`.

A file may come from anybody. Every value is checked; ids are made anew, so that nothing in the ledger is
replaced; costs are not taken over, because nothing was spent here. Left out is what a reader of the
conversation would not see but a provider would get: items and signatures of its own.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError

from valechat.conversations import as_tags, as_title, renewed
from valechat.errors import ConfigError, TooLarge
from valechat.exports.plainjson import VERSION
from valechat.ledger.base import Conversation, Ledger, StoredMessage
from valechat.messages import (
    CitationPart,
    FilePart,
    ImagePart,
    Message,
    Part,
    RefusalPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)

__all__ = ["MOST", "read", "read_file", "take_in"]

MOST = 200_000_000
"""Bytes of a file that is read."""

_WRONG = "An export of ValeChat is needed: `valechat export --json`, or JSON of the panel's conversations."

_KINDS: Mapping[str, TypeAdapter[Any]] = {
    "text": TypeAdapter(TextPart),
    "thinking": TypeAdapter(ThinkingPart),
    "refusal": TypeAdapter(RefusalPart),
    "citation": TypeAdapter(CitationPart),
    "image": TypeAdapter(ImagePart),
    "file": TypeAdapter(FilePart),
    "tool_call": TypeAdapter(ToolCallPart),
    "tool_result": TypeAdapter(ToolResultPart),
}
_HIDDEN = ("wire", "opaque", "whole")
"""Keys of a part that no reader sees: for the provider that made it, or for this machine."""

_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "text": {"text": ""},
    "thinking": {"text": ""},
    "refusal": {"text": ""},
    "tool_call": {"id": "", "name": "", "arguments": ""},
    "tool_result": {"call_id": "", "name": "", "text": ""},
    "file": {"data": "", "name": ""},
    "image": {"data": ""},
}
"""What the stored form leaves out because it is empty."""

_Text = Annotated[str, Field(max_length=200)]


class _Message(BaseModel):
    id: _Text
    parent_id: _Text | None = None
    role: Literal["user", "assistant", "tool"]
    ts: AwareDatetime
    model: _Text | None = None
    status: Literal["complete", "cancelled", "failed", "limit"] = "complete"
    pinned: bool = False
    parts: list[dict[str, Any]]


class _Conversation(BaseModel):
    title: str = ""
    created_at: AwareDatetime
    model: _Text = ""
    tags: list[str] = []
    leaf: str | None = None
    messages: list[_Message]


class _Document(BaseModel):
    format: Literal["valechat conversations"]
    version: int
    conversations: Annotated[list[_Conversation], Field(min_length=1)]


Found = tuple[Conversation, list[StoredMessage]]


def read(data: bytes | bytearray | memoryview, *, most: int = MOST) -> list[Found]:
    """The conversations of a document, under ids of their own.

    Raises:
        TooLarge: It has more than `most` bytes.
        ConfigError: It is no such document, or a part of it cannot be right; says which.
    """
    if len(data) > most:
        raise TooLarge(f"The file is {len(data):,} bytes; the limit is {most:,}.", fix="`%valechat import` takes more.")
    try:
        document = _Document.model_validate(orjson.loads(data))
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"This is no JSON: {error}.", fix=_WRONG) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise _wrong(first["loc"], first["msg"]) from error
    if document.version > VERSION:
        raise ConfigError(
            f"The file was written by a newer ValeChat (version {document.version}, this one reads {VERSION}).",
            fix="Upgrade with `pip install --upgrade valechat`.",
        )
    return [_found(one, ("conversations", number)) for number, one in enumerate(document.conversations)]


def read_file(path: Path) -> list[Found]:
    """The conversations of a file.

    Raises:
        TooLarge: It has more than `MOST` bytes.
        ConfigError: It cannot be read, or is no such document.
    """
    try:
        size = path.stat().st_size
        if size > MOST:
            raise TooLarge(f"{path.name} is {size:,} bytes; the limit is {MOST:,}.", fix="Export fewer conversations.")
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", fix="Check the path.") from error
    return read(data)


def take_in(ledger: Ledger, conversations: Sequence[Found]) -> list[Conversation]:
    """Store conversations that were read; their heads. Blocking."""
    for head, messages in conversations:
        ledger.add_conversation(head, messages)
    heads = (ledger.conversation(head.id) for head, _ in conversations)
    return [head for head in heads if head is not None]


def _found(given: _Conversation, at: tuple[str | int, ...]) -> Found:
    known: set[str] = set()
    messages: list[StoredMessage] = []
    for number, message in enumerate(given.messages):
        here = (*at, "messages", number)
        if message.id in known:
            raise _wrong((*here, "id"), "another message has this id")
        if message.parent_id is not None and message.parent_id not in known:
            raise _wrong((*here, "parent_id"), "no message before this one has this id")
        known.add(message.id)
        parts = [_part(part, (*here, "parts", place)) for place, part in enumerate(message.parts)]
        messages.append(
            StoredMessage(
                id=message.id,
                conversation_id="",
                parent_id=message.parent_id,
                message=Message(message.role, tuple(part for part in parts if part is not None)),
                ts=message.ts,
                model=message.model,
                status=message.status,
                pinned=message.pinned,
            )
        )
    now = datetime.now(UTC)
    head = Conversation(
        id="",
        title=as_title(given.title),
        created_at=min(given.created_at, now),
        updated_at=now,
        model=given.model,
        leaf=given.leaf,
        tags=as_tags(given.tags),
    )
    return renewed(head, messages)


def _part(given: Mapping[str, Any], at: tuple[str | int, ...]) -> Part | None:
    """A part, or None for one of a kind that only its provider understands."""
    kind = given.get("kind")
    adapter = _KINDS.get(kind) if isinstance(kind, str) else None
    if adapter is None or not isinstance(kind, str):
        return None
    values = {**_DEFAULTS.get(kind, {}), **{key: value for key, value in given.items() if key not in _HIDDEN}}
    values.pop("kind")
    if kind in ("image", "file"):
        values["data"] = _bytes(values["data"], (*at, "data"))
    if kind == "tool_result" and isinstance(values.get("images"), list):
        images = [_part({**image, "kind": "image"}, at) for image in values["images"] if isinstance(image, dict)]
        values["images"] = tuple(images)
    try:
        part: Part = adapter.validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise _wrong((*at, *first["loc"]), first["msg"]) from error
    return part


def _bytes(text: object, at: tuple[str | int, ...]) -> bytes:
    try:
        if not isinstance(text, str):
            raise binascii.Error("no text")
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _wrong(at, "it is not Base64") from error


def _wrong(at: Sequence[str | int], why: str) -> ConfigError:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at).lstrip(".")
    what = f"{place}: " if place else ""
    return ConfigError(f"This is no export that can be read. {what}{why[:1].lower() + why[1:]}.", fix=_WRONG)
