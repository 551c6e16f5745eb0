"""A server's answer as models get it, and what is kept of it for the user.

Models get text and images of a bounded size, with a line in the place of what they cannot get. Whatever
is cut or left out is kept whole in files of the user's own. All of it is somebody else's words: it is
passed on, never read for anything.
"""

from __future__ import annotations

import contextlib
import json
import mimetypes
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from valechat.ids import new_id
from valechat.messages import ImagePart, ToolCallPart, ToolResultPart
from valechat.plugins.base import Answer, Content
from valechat.plugins.images import shown_as, unfit

__all__ = ["ResultStore", "part_of", "shortened", "size_of"]

MOST_IMAGES = 20
_TEXT = "result.txt"
_VALUE = "result.json"


class ResultStore:
    """Answers of tools that models got only in part, each in a folder of its own. Blocks; from any thread.

    Args:
        folder: Where they are kept. It need not exist yet.
        most_bytes: All together; the oldest go first.
        most_results: How many.
        most_age: How long each; None for as long as there is room.
    """

    def __init__(
        self,
        folder: Path,
        *,
        most_bytes: int = 500_000_000,
        most_results: int = 1_000,
        most_age: timedelta | None = None,
    ) -> None:
        self.folder = folder
        self._most_bytes = most_bytes
        self._most_results = most_results
        self._most_age = most_age

    def keep(self, files: Mapping[str, bytes]) -> str:
        """Keep the files of one answer; the name they are found by, which sorts by time.

        Raises:
            OSError: The folder cannot be written, or the disk is full.
        """
        whole = new_id()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        half = self.folder / f".{whole}"
        half.mkdir(mode=0o700)
        try:
            for name, data in files.items():
                (half / name).write_bytes(data)
            half.rename(self.folder / whole)
        except BaseException:
            shutil.rmtree(half, ignore_errors=True)
            raise
        self._make_room(whole)
        return whole

    def files(self, whole: str) -> list[Path]:
        """The files of an answer, by `ToolResultPart.whole`; none when it is not kept any more."""
        if not re.fullmatch(r"[0-9a-f]{32}", whole):
            return []
        folder = self.folder / whole
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def text(self, whole: str) -> str | None:
        """The whole text of an answer; None when it is not kept, or was short enough not to be."""
        found = next((file for file in self.files(whole) if file.name == _TEXT), None)
        return None if found is None else found.read_text("utf-8")

    def prune(self) -> int:
        """Delete what is older than it may be; how many answers that were."""
        if self._most_age is None or not self.folder.is_dir():
            return 0
        oldest = f"{int((time.time() - self._most_age.total_seconds()) * 1000):012x}"  # an id begins with its time
        old = [entry for entry in self.folder.iterdir() if entry.name.lstrip(".") < oldest]
        for entry in old:
            shutil.rmtree(entry, ignore_errors=True)  # another kernel may be deleting it in the same moment
        return len(old)

    def _make_room(self, newest: str) -> None:
        self.prune()
        others = sorted((entry for entry in self.folder.iterdir() if entry.name != newest), reverse=True)
        room = self._most_bytes - _size(self.folder / newest)
        for number, entry in enumerate(others, 1):
            room -= _size(entry)
            if room < 0 or number >= self._most_results:
                # Another kernel may be deleting it in the same moment.
                shutil.rmtree(entry, ignore_errors=True)


def part_of(call: ToolCallPart, answer: Answer, store: ResultStore, most: int) -> ToolResultPart:
    """The answer as models get it, at most `most` bytes of text. Blocks: it may write files."""
    pieces: list[str | _Left] = []
    images: list[ImagePart] = []
    for number, found in enumerate(answer.content, 1):
        content = _read(found)
        if content.kind == "image" and not answer.is_error and len(images) < MOST_IMAGES and not unfit(content.data):
            images.append(ImagePart(content.data, shown_as(content.data), content.name))
        elif content.data:
            pieces.append(_Left(number, content))
        elif said := _said(content):
            pieces.append(said)
    value = answer.structured
    told = _json(value) if value is not None else ""
    if value is not None and not _repeats(answer, value):
        pieces.append(told)
    files = {left.file: left.content.data for left in pieces if isinstance(left, _Left)}
    long = sum(len(piece.encode("utf-8", "replace")) for piece in pieces if isinstance(piece, str)) > most
    if long:
        files[_TEXT] = _clean("\n".join(piece for piece in pieces if isinstance(piece, str))).encode()
        if value is not None:
            files[_VALUE] = _clean(told).encode()
    whole = _kept(store, files)
    text = _clean("\n".join(piece if isinstance(piece, str) else piece.line(whole) for piece in pieces))
    return ToolResultPart(
        call.id,
        call.name,
        shortened(text, most, kept=bool(whole)) or _silent(answer, images),
        is_error=answer.is_error,
        images=tuple(images),
        structured=json.loads(_clean(told)) if told and len(told) <= most else None,
        whole=whole,
    )


def shortened(text: str, most: int, *, kept: bool) -> str:
    """The text's beginning and end, at most `most` bytes of UTF-8 together, and a sentence where it was cut."""
    data = text.encode()
    if len(data) <= most:
        return text
    head = _to_a_line(data[: most * 2 // 3].decode("utf-8", "ignore"))
    tail = _from_a_line(data[-max(most // 3, 1) :].decode("utf-8", "ignore"))
    left = len(data) - len(head.encode()) - len(tail.encode())
    where = "The user has all of it" if kept else "It could not be kept"
    return (
        f"{head}\n\n[{left:,} of {len(data):,} bytes were left out here. {where}."
        f" For the missing part, call the tool again and ask for less.]\n\n{tail}"
    )


def size_of(answer: Answer) -> int:
    """The bytes of an answer: all its text, data and value."""
    told = 0 if answer.structured is None else len(_json(answer.structured).encode("utf-8", "replace"))
    return told + sum(len(one.text.encode("utf-8", "replace")) + len(one.data) for one in answer.content)


class _Left:
    """What models do not get: its place in the answer, and the line they get instead."""

    def __init__(self, number: int, content: Content) -> None:
        media_type = (shown_as(content.data) if content.kind == "image" else "") or content.media_type
        self.content = content
        self.file = f"{number}{mimetypes.guess_extension(media_type.partition(';')[0].strip()) or '.bin'}"
        self._what = f"{content.kind.capitalize()} {_line(content.name or content.uri)}".rstrip()
        self._kind = f"{_line(media_type) or 'unknown type'}, {len(content.data):,} bytes"

    def line(self, whole: str) -> str:
        why = f", {unfit(self.content.data)}" if self.content.kind == "image" and unfit(self.content.data) else ""
        where = f"the user has it as tool_results/{whole}/{self.file}" if whole else "it could not be kept"
        return f"[{self._what} ({self._kind}{why}): not shown to you; {where}.]"


def _read(content: Content) -> Content:
    """A resource of text that was sent as bytes, as the text it is."""
    if content.kind != "resource" or not content.media_type.startswith(("text/", "application/json")):
        return content
    try:
        return replace(content, text=content.text or content.data.decode(), data=b"")
    except UnicodeDecodeError:
        return content


def _said(content: Content) -> str:
    if content.kind == "link":
        return (
            f"[Link {_line(content.name)} <{_line(content.uri)}>{_typed(content)} {_line(content.text)}".rstrip() + "]"
        )
    if content.kind == "resource":
        return f"[Resource {_line(content.uri)}{_typed(content)}]\n{content.text}"
    return content.text


def _typed(content: Content) -> str:
    return f" ({_line(content.media_type)})" if content.media_type else ""


def _line(text: str) -> str:
    """A server's words on one line, not too long."""
    flat = " ".join(text.split())
    return flat if len(flat) <= 200 else f"{flat[:199]}…"


def _repeats(answer: Answer, value: Any) -> bool:
    """Whether the text says what the value says.

    Servers send a value as text too, for older clients (MCP 2025-06-18, "Structured Content"). The SDKs
    wrap a plain value as `{"result": value}`, and write each item of a list as a text of its own.
    """
    texts = [content.text for content in answer.content if content.kind == "text"]
    if not texts:
        return False
    wrapped = value["result"] if isinstance(value, dict) and set(value) == {"result"} else value
    parsed = [_parsed(text) for text in texts]
    said = [texts, parsed, *([texts[0], parsed[0]] if len(texts) == 1 else ["\n".join(texts)])]
    return any(one == candidate for one in (value, wrapped) for candidate in said)


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        # A number or text that orjson does not write, such as an integer over 64 bits.
        return json.dumps(value, ensure_ascii=False, default=str)


def _silent(answer: Answer, images: list[ImagePart]) -> str:
    if answer.is_error:
        return "The tool failed without saying why."
    return "" if images else "The tool ended without saying anything."


def _kept(store: ResultStore, files: Mapping[str, bytes]) -> str:
    if not files:
        return ""
    try:
        return store.keep(files)
    except OSError:
        # A full disk must not take the answer away; the text says that the rest is not kept.
        return ""


def _clean(text: str) -> str:
    """Text that can be encoded: a lone surrogate, which JSON allows, is no character."""
    return text.encode("utf-8", "replace").decode()


def _to_a_line(text: str) -> str:
    at = text.rfind("\n")
    return text[:at] if at > len(text) * 0.9 else text


def _from_a_line(text: str) -> str:
    at = text.find("\n")
    return text[at + 1 :] if 0 <= at < len(text) * 0.1 else text


def _size(folder: Path) -> int:
    """The bytes of the files in it; none if it was deleted meanwhile."""
    total = 0
    for file in folder.glob("*"):
        with contextlib.suppress(FileNotFoundError):
            total += file.stat().st_size
    return total
