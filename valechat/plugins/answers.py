"""From MCP's content blocks to ValeChat's values."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import mcp_types as types

from valechat.messages import FilePart, ImagePart, Message, Part, TextPart
from valechat.plugins.base import Answer, Content

__all__ = ["answer", "content", "message", "resource_content"]


def answer(result: types.CallToolResult) -> Answer:
    """A tool's answer."""
    return Answer(
        content=tuple(content(block) for block in result.content),
        structured=result.structured_content,
        is_error=result.is_error,
    )


def content(block: types.ContentBlock) -> Content:
    """A piece of a tool's answer or a prompt."""
    match block:
        case types.TextContent():
            return Content("text", text=block.text)
        case types.ImageContent():
            return Content("image", data=_bytes(block.data), media_type=block.mime_type)
        case types.AudioContent():
            return Content("audio", data=_bytes(block.data), media_type=block.mime_type)
        case types.EmbeddedResource():
            return resource_content(block.resource)
        case types.ResourceLink():
            return Content(
                "link",
                text=block.description or "",
                uri=block.uri,
                name=block.title or block.name,
                media_type=block.mime_type or "",
            )


def resource_content(found: types.TextResourceContents | types.BlobResourceContents) -> Content:
    """A resource's content: `text` for text, `data` otherwise."""
    media_type = found.mime_type or ""
    if isinstance(found, types.TextResourceContents):
        return Content("resource", text=found.text, uri=found.uri, media_type=media_type)
    return Content("resource", data=_bytes(found.blob), uri=found.uri, media_type=media_type)


def message(prompt: types.PromptMessage) -> Message:
    """A message of a prompt."""
    return Message(role=prompt.role, parts=(_part(content(prompt.content)),))


def _part(piece: Content) -> Part:
    if piece.kind == "image" and piece.data:
        return ImagePart(data=piece.data, media_type=piece.media_type)
    if piece.data:
        return FilePart(
            data=piece.data,
            media_type=piece.media_type or "application/octet-stream",
            name=piece.name or piece.uri.rpartition("/")[2] or piece.kind,
        )
    if piece.kind == "resource":
        return TextPart(f"{piece.uri}\n\n{piece.text}")
    if piece.kind == "link":
        return TextPart(" ".join(filter(None, (piece.name, piece.uri, piece.text))))
    return TextPart(piece.text)


def _bytes(text: Any) -> bytes:
    """The bytes of base64 text; as much of it as can be read, because a server's slip must not lose the rest."""
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        return b""
