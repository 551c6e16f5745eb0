"""What several wires need of a message's parts: kinds of files, data URLs, arguments that are objects."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Literal

import orjson

__all__ = ["FileKind", "argument_object", "as_base64", "data_url", "error_text", "file_kind", "media_type", "safe_id"]

FileKind = Literal["text", "image", "pdf", "other"]

_TEXT_TYPES = frozenset(
    {"application/json", "application/xml", "application/yaml", "application/toml", "application/sql"}
)


def media_type(given: str) -> str:
    """A media type without its parameters, in lower case."""
    return given.partition(";")[0].strip().lower()


def file_kind(given: str) -> FileKind:
    """How a file of that media type can be shown to a model."""
    kind = media_type(given)
    if kind.startswith("text/") or kind in _TEXT_TYPES:
        return "text"
    if kind.startswith("image/"):
        return "image"
    return "pdf" if kind == "application/pdf" else "other"


def as_base64(data: bytes) -> str:
    """Base64 without line breaks."""
    return base64.b64encode(data).decode("ascii")


def data_url(given: str, data: bytes) -> str:
    """A `data:` URL (RFC 2397)."""
    return f"data:{media_type(given)};base64,{as_base64(data)}"


def argument_object(arguments: str) -> Mapping[str, Any]:
    """A tool call's arguments as an object: servers refuse a whole conversation over a call that has none."""
    try:
        value = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        value = None
    if isinstance(value, dict):
        return value
    return {"invalid_arguments": arguments} if arguments.strip() else {}


def error_text(text: str, *, is_error: bool) -> str:
    """A tool's answer where the wire has no mark for a failed call."""
    return f"Error: {text}" if is_error and not text.lower().startswith("error") else text


def safe_id(call_id: str, prefix: str, *, most: int = 64) -> str:
    """A tool call's id in letters a server takes; another provider's may hold any."""
    if re.fullmatch(r"[a-zA-Z0-9_-]+", call_id) and len(call_id) <= most:
        return call_id
    return prefix + hashlib.sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
