"""Tool calls as the panel's cards: what was called, whose tool it is, and what it answered."""

from __future__ import annotations

import base64
import mimetypes
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from valechat.attachments import media_type_of
from valechat.ledger.base import StoredMessage
from valechat.messages import ImagePart, ToolCallPart, ToolResultPart
from valechat.notebook.protocol import ColumnShown, TableShown, ToolFileShown, ToolShown
from valechat.plugins.names import public_name
from valechat.plugins.results import ResultStore
from valechat.services import services
from valechat.tablehead import TableHead, bounded

__all__ = [
    "Origins",
    "answered_tool",
    "origins",
    "size_of",
    "tool_shown",
    "tools_shown",
    "whole_result",
    "without_files",
]

CLIP = 20_000
"""Characters of a tool's arguments or result that a panel gets at once."""

DRAWN = 1_000_000
"""Bytes of the largest image or sound that a panel gets."""

_DRAWN_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_HEARD_TYPES = ("audio/mpeg", "audio/wav", "audio/x-wav", "audio/ogg", "audio/flac", "audio/mp4", "audio/webm")
_MADE_OF_TEXT = ("result.txt", "result.json")

Origins = Mapping[str, tuple[str, str]]
"""The plugin and the tool's own name there, by the name models know."""


def origins() -> Origins:
    """The tools of the plugins that run in this process. On the engine's loop."""
    tools = services().plugins.tools()
    often = Counter(tool.public_name for tool in tools)
    apart = {public_name(tool.plugin, tool.name, told_apart=True): (tool.plugin, tool.name) for tool in tools}
    return {**apart, **{tool.public_name: (tool.plugin, tool.name) for tool in tools if often[tool.public_name] == 1}}


def tools_shown(turn: Sequence[StoredMessage], known: Origins) -> list[ToolShown]:
    """All calls of a stored turn."""
    parts = [part for stored in turn for part in stored.message.parts]
    results = {part.call_id: part for part in parts if isinstance(part, ToolResultPart)}
    return [tool_shown(part, results.get(part.id), known) for part in parts if isinstance(part, ToolCallPart)]


def tool_shown(call: ToolCallPart, result: ToolResultPart | None, known: Origins) -> ToolShown:
    """A tool call as a card."""
    tool = ToolShown(id=call.id, name=call.name, arguments=_clipped(call.arguments), result=None, is_error=False)
    if call.name in known:
        tool["plugin"], tool["tool"] = known[call.name]
    return tool if result is None else answered_tool(tool, result)


def answered_tool(tool: ToolShown, result: ToolResultPart) -> ToolShown:
    """A card with the tool's result."""
    card: ToolShown = {**tool, "result": result.text[:CLIP], "is_error": result.is_error}
    card.pop("progress", None)
    if files := [*map(_image, result.images), *_kept(result.whole)]:
        card["files"] = files
    if result.table is not None:
        card["table"] = _table(result.table)
    if len(result.text) > CLIP or _cut(result.whole):
        card["whole"] = True
    return card


def whole_result(turn: Iterable[StoredMessage], call_id: str) -> str:
    """All text of a call's result, also what models did not get; empty when there is none. Blocks."""
    for stored in turn:
        for part in stored.message.parts:
            if isinstance(part, ToolResultPart) and part.call_id == call_id:
                kept = _store().text(part.whole) if part.whole else None
                return part.text if kept is None else kept
    return ""


def without_files(tool: ToolShown) -> ToolShown:
    """The same, its files by name and size alone."""
    return {**tool, "files": [{**file, "url": None} for file in tool["files"]]} if "files" in tool else tool


def size_of(tool: ToolShown) -> int:
    """The characters of a card, its files' bytes included."""
    columns = tool["table"]["columns"] if "table" in tool else []
    return (
        len(tool["arguments"])
        + len(tool["result"] or "")
        + sum(len(file["url"] or "") for file in tool.get("files", []))
        + sum(len(cell) for column in columns for cell in column["cells"])
    )


def _table(head: TableHead) -> TableShown:
    found = bounded(head)
    columns = [
        ColumnShown(
            name=column.name,
            type=column.type,
            number=column.number,
            label=column.label,
            cells=list(column.cells),
            missing=list(column.missing),
        )
        for column in found.columns
    ]
    return TableShown(kind=found.kind, rows=found.rows, width=found.width, columns=columns)


def _clipped(text: str) -> str:
    rest = len(text) - CLIP
    return text if rest <= 0 else f"{text[:CLIP]}\n… {rest:,} more characters, which are kept in the conversation"


def _store() -> ResultStore:
    return ResultStore(services().paths.tool_results)


def _cut(whole: str) -> bool:
    return bool(whole) and any(file.name in _MADE_OF_TEXT for file in _store().files(whole))


def _image(part: ImagePart) -> ToolFileShown:
    return ToolFileShown(
        name=part.name,
        media_type=part.media_type,
        size=len(part.data),
        url=_url(part.data, _DRAWN_TYPES, part.media_type),
        path="",
    )


def _kept(whole: str) -> list[ToolFileShown]:
    """The files of an answer that models did not get."""
    return [_file(file) for file in _store().files(whole) if file.name not in _MADE_OF_TEXT] if whole else []


def _file(file: Path) -> ToolFileShown:
    media_type = mimetypes.guess_type(file.name)[0] or ""
    size = file.stat().st_size
    seen = media_type in (*_DRAWN_TYPES, *_HEARD_TYPES) and size <= DRAWN
    url = _url(file.read_bytes(), (*_DRAWN_TYPES, *_HEARD_TYPES), media_type) if seen else None
    return ToolFileShown(name=file.name, media_type=media_type, size=size, url=url, path=str(file))


def _url(data: bytes, allowed: Sequence[str], media_type: str) -> str | None:
    """The bytes for a panel: an image only when it is one by its own bytes, whatever it calls itself."""
    if len(data) > DRAWN:
        return None
    kind = media_type if media_type in _HEARD_TYPES else media_type_of(data, "")
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}" if kind in allowed else None
