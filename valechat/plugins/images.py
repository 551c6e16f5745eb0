"""Whether an image from a server can be shown to models.

Providers refuse the whole conversation over one image that they cannot read, at every later turn too.
The bounds are the narrowest of theirs: Anthropic's "Vision" guide takes four formats, 5 MB as base64 and
8,000 pixels a side.
"""

from __future__ import annotations

import struct

from valechat.attachments import media_type_of

__all__ = ["MOST_BYTES", "MOST_PIXELS", "shown_as", "unfit"]

MOST_BYTES = 3_750_000
MOST_PIXELS = 8_000
_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")


def shown_as(data: bytes) -> str:
    """The image's media type by its content, whatever its server calls it; empty when models take none such."""
    media_type = media_type_of(data, "")
    return media_type if media_type in _TYPES else ""


def unfit(data: bytes) -> str:
    """Why models are not shown the image; empty when they can be."""
    media_type = shown_as(data)
    if not media_type:
        return "in a format that models do not take"
    if len(data) > MOST_BYTES:
        return "too large for models"
    if max(_pixels(data, media_type)) > MOST_PIXELS:
        return f"over {MOST_PIXELS:,} pixels on a side"
    return ""


def _pixels(data: bytes, media_type: str) -> tuple[int, int]:
    """Width and height as the file's head says; zeros where it does not say."""
    if media_type == "image/png" and len(data) >= 24:
        return struct.unpack(">II", data[16:24])
    if media_type == "image/gif" and len(data) >= 10:
        return struct.unpack("<HH", data[6:10])
    if media_type == "image/jpeg":
        return _jpeg_pixels(data)
    return 0, 0


def _jpeg_pixels(data: bytes) -> tuple[int, int]:
    """From the first frame header (ITU T.81, B.2.2)."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return 0, 0
