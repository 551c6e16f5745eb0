"""What an answer has besides its text: the sources a model named, and what it drew or spoke."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from valechat.attachments import media_type_of
from valechat.ledger.base import StoredMessage
from valechat.messages import FilePart, ImagePart, Part
from valechat.notebook.protocol import CitationShown, MessageShown, ToolFileShown
from valechat.reply import citations

__all__ = ["with_parts", "without_urls"]

DRAWN = 4_000_000
"""Bytes of the largest picture or sound that a panel gets: what image models draw has up to 2 MB."""

QUOTE = 400
"""Characters of a quote."""

_DRAWN_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_HEARD_TYPES = ("audio/mpeg", "audio/wav", "audio/x-wav", "audio/ogg", "audio/flac", "audio/mp4", "audio/webm")


def with_parts(answer: MessageShown, turn: Iterable[StoredMessage]) -> MessageShown:
    """The answer with its sources, pictures and sounds, where it has any."""
    messages = [stored.message for stored in turn]
    parts = [part for message in messages if message.role == "assistant" for part in message.parts]
    shown: MessageShown = {**answer}
    if cited := [
        CitationShown(url=source.url, title=source.title, quote=source.quote[:QUOTE]) for source in citations(messages)
    ]:
        shown["citations"] = cited
    if files := [_file(part) for part in parts if isinstance(part, ImagePart | FilePart)]:
        shown["files"] = files
    return shown


def without_urls(answer: MessageShown) -> MessageShown:
    """The same, its pictures and sounds by name and size alone."""
    files = answer.get("files")
    return {**answer, "files": [{**file, "url": None} for file in files]} if files else answer


def _file(part: ImagePart | FilePart) -> ToolFileShown:
    return ToolFileShown(
        name=part.name or _name(part), media_type=part.media_type, size=len(part.data), url=_url(part), path=""
    )


def _name(part: Part) -> str:
    kind = part.media_type.partition("/")[2].partition(";")[0] if isinstance(part, ImagePart) else ""
    return f"picture.{kind or 'bin'}"


def _url(part: ImagePart | FilePart) -> str | None:
    """The bytes for a panel: an image only when it is one by its own bytes, whatever it calls itself."""
    if len(part.data) > DRAWN:
        return None
    heard = part.media_type.partition(";")[0]
    kind = heard if heard in _HEARD_TYPES else media_type_of(part.data, "")
    if kind not in (*_DRAWN_TYPES, *_HEARD_TYPES):
        return None
    return f"data:{kind};base64,{base64.b64encode(part.data).decode('ascii')}"
