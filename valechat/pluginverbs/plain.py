"""What verbs give, as text and as JSON."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from valechat.plugins.base import Content

__all__ = ["as_json", "in_words"]


def in_words(piece: Content) -> str:
    """A piece of an answer as text; of bytes, what they are."""
    if piece.text or piece.kind == "text":
        return piece.text
    about = " ".join(part for part in (piece.name, piece.uri) if part)
    if piece.kind == "link":
        return about
    size = f"{len(piece.data):,} bytes"
    return f"[{', '.join(part for part in (piece.media_type or piece.kind, size, about) if part)}]"


def as_json(value: Any) -> Any:
    """A verb's value with what JSON has."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(one) for one in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | None) else str(value)
