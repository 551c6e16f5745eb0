"""Images and files that go with a question."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Protocol

from valechat.errors import ConfigError, TooLarge
from valechat.messages import FilePart, ImagePart, Part

__all__ = ["Attachment", "Sizes", "attach"]

Attachment = str | PathLike[str] | bytes | Part
"""What can be attached to a question: a path, bytes, or a part that is ready."""

_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"%PDF-": "application/pdf",
}


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
        return ImagePart(part.data, part.media_type)
    return part


def _file(source: Attachment, most: int) -> Part:
    part = _read(source, most)
    if isinstance(part, FilePart) and part.media_type.startswith("image/"):
        return ImagePart(part.data, part.media_type)
    return part


def _read(source: Attachment, most: int) -> Part:
    if isinstance(source, bytes):
        data, name = source, "attachment"
    elif isinstance(source, str | PathLike):
        path = Path(source).expanduser()
        try:
            size = path.stat().st_size
            if size > most:
                raise _too_large(path.name, size, most)
            data, name = path.read_bytes(), path.name
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}.", fix="Check the path.") from error
    else:
        return source
    if len(data) > most:
        raise _too_large(name, len(data), most)
    return FilePart(data, _media_type(data, name), name)


def _too_large(name: str, size: int, most: int) -> TooLarge:
    return TooLarge(
        f"{name} is {size:,} bytes; the limit for an upload is {most:,}.",
        fix="Attach a smaller file, or raise `upload` under [sizes] in config.toml.",
    )


def _media_type(data: bytes, name: str) -> str:
    for signature, media_type in _SIGNATURES.items():
        if data.startswith(signature):
            return media_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    guessed = mimetypes.guess_type(name)[0]
    if guessed:
        return guessed
    return "application/octet-stream" if b"\0" in data[:1024] else "text/plain"
