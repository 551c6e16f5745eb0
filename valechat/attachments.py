"""Images and files that go with a question."""

from __future__ import annotations

import codecs
import mimetypes
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Protocol

from valechat.errors import ConfigError, TooLarge
from valechat.messages import FilePart, ImagePart, Part

__all__ = ["Attachment", "Sizes", "attach", "media_type_of", "read_bytes"]

Attachment = str | PathLike[str] | bytes | Part
"""What can be attached to a question: a path, bytes, or a part that is ready."""

_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"%PDF-": "application/pdf",
}

_TEXT_TYPES = frozenset({"application/json", "application/xml", "application/toml", "application/yaml"})


class Sizes(Protocol):
    """Size limits, in bytes."""

    @property
    def message(self) -> int:
        """A message's text."""
        ...

    @property
    def upload(self) -> int:
        """An image or file."""
        ...


def attach(
    text: str,
    images: Sequence[Attachment],
    files: Sequence[Attachment],
    sizes: Sizes,
) -> list[Part]:
    """Read what goes with a question, and check all sizes.

    Raises:
        TooLarge: The text or a file is over its limit.
        ConfigError: A file is not there, or is not what it is offered as.
    """
    length = len(text.encode("utf-8", "surrogatepass"))
    if length > sizes.message:
        raise TooLarge(
            f"The message is {length:,} bytes long; the limit is {sizes.message:,}.",
            fix="Shorten it, attach it as a file, or raise `message` under [sizes] in config.toml.",
        )
    return [
        *(_image(source, sizes.upload) for source in images),
        *(_file(source, sizes.upload) for source in files),
    ]


def _image(source: Attachment, most: int) -> Part:
    part = _read(source, most)
    if isinstance(part, FilePart):
        if not part.media_type.startswith("image/"):
            raise ConfigError(f"{part.name} is {part.media_type}, not an image.", fix="Pass it in `files=[…]`.")
        return ImagePart(part.data, part.media_type, part.name)
    return part


def _file(source: Attachment, most: int) -> Part:
    part = _read(source, most)
    if isinstance(part, FilePart) and part.media_type.startswith("image/"):
        return ImagePart(part.data, part.media_type, part.name)
    return part


def read_bytes(data: bytes, name: str, most: int) -> Part:
    """What was uploaded: an image or a file, told by its content.

    Raises:
        TooLarge: It has more than `most` bytes.
    """
    return _file(FilePart(data, media_type_of(data, name), name), most)


def _read(source: Attachment, most: int) -> Part:
    if isinstance(source, bytes):
        name = ""
        part: Part = FilePart(source, media_type_of(source, name), name)
    elif isinstance(source, str | PathLike):
        path = Path(source).expanduser()
        try:
            size = path.stat().st_size
            if size > most:
                raise _too_large(path.name, size, most)
            data = path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}.", fix="Check the path.") from error
        part = FilePart(data, media_type_of(data, path.name), path.name)
    else:
        part = source
    if isinstance(part, FilePart | ImagePart) and len(part.data) > most:
        raise _too_large(part.name or "The attachment", len(part.data), most)
    return part


def _too_large(name: str, size: int, most: int) -> TooLarge:
    return TooLarge(
        f"{name} is {size:,} bytes; the limit for an upload is {most:,}.",
        fix="Attach a smaller file, or raise `upload` under [sizes] in config.toml.",
    )


def media_type_of(data: bytes, name: str) -> str:
    """The media type of a file, by its content before its name.

    What reads as text is text whatever its name says, so that code and drawings (`.ts`, `.svg`) reach
    every model.
    """
    for signature, media_type in _SIGNATURES.items():
        if data.startswith(signature):
            return media_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    guessed = mimetypes.guess_type(name)[0]
    if not _is_text(data):
        return guessed or "application/octet-stream"
    return guessed if guessed is not None and (guessed.startswith("text/") or guessed in _TEXT_TYPES) else "text/plain"


def _is_text(data: bytes) -> bool:
    beginning = data[:8192]
    if b"\0" in beginning:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(beginning)
    except UnicodeDecodeError:
        return False
    return True
