"""A server's lists, page by page and bounded, and its tools as they are offered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import mcp_types as types

from valechat.plugins import schemas
from valechat.plugins.base import PluginTool
from valechat.plugins.names import public_name
from valechat.plugins.resources import Prompt, PromptArgument, Resource, Template
from valechat.plugins.wire import REFUSED

__all__ = ["MOST_ENTRIES", "Listed", "Refused", "offered_tools", "pages", "prompt", "resource", "template"]

MOST_PAGES = 200
MOST_ENTRIES = 5_000


class _Page(Protocol):
    next_cursor: str | None
    meta: Any


P = TypeVar("P", bound=_Page)


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry that could not be taken, and why."""

    entry: Any
    reason: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A whole list. `note` says what was left out of it; empty when nothing was."""

    entries: list[Any]
    refused: list[Refused]
    note: str = ""


async def pages(
    fetch: Callable[[types.PaginatedRequestParams | None], Awaitable[P]], entries: Callable[[P], Iterable[Any]]
) -> Listed:
    """All pages of a list. A server whose pages do not end is left after so many."""
    found: list[Any] = []
    refused: list[Refused] = []
    cursors: set[str] = set()
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await fetch(None if cursor is None else types.PaginatedRequestParams(cursor=cursor))
        found.extend(entries(page))
        meta = page.meta if isinstance(page.meta, Mapping) else {}
        refused.extend(Refused(bad["entry"], bad["reason"]) for bad in meta.get(REFUSED, ()))
        cursor = page.next_cursor
        if cursor is None:
            return Listed(found, refused)
        if cursor in cursors:
            return Listed(found, refused, "The server goes round in circles when it lists; each page was taken once.")
        if len(found) >= MOST_ENTRIES:
            break
        cursors.add(cursor)
    return Listed(found[:MOST_ENTRIES], refused, f"The server lists without end; {len(found):,} entries were taken.")


def offered_tools(plugin: str, listed: Listed) -> tuple[PluginTool, ...]:
    """The tools of a list, the bad ones with their problem. Blocks for a moment."""
    taken: dict[str, PluginTool] = {}
    for tool in listed.entries:
        taken.setdefault(tool.name, _tool(plugin, tool))
    for bad in listed.refused:
        name = bad.entry.get("name") if isinstance(bad.entry, Mapping) else None
        if isinstance(name, str) and name and name not in taken:
            taken[name] = _crooked(plugin, name, bad.entry, bad.reason)
    return tuple(taken.values())


def _tool(plugin: str, tool: types.Tool) -> PluginTool:
    hints = tool.annotations or types.ToolAnnotations()
    title = tool.title or hints.title or ""
    description = tool.description or ""
    read_only = bool(hints.read_only_hint)
    destructive = not read_only and hints.destructive_hint is not False
    problem = schemas.problem(tool.input_schema)
    name = public_name(plugin, tool.name)
    return PluginTool(
        plugin=plugin,
        name=tool.name,
        public_name=name,
        title=title,
        description=description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        read_only=read_only,
        destructive=destructive,
        problem=problem,
        tokens=0 if problem else schemas.tokens(name, description, schemas.offered_schema(tool.input_schema)),
        fingerprint=schemas.fingerprint(
            description,
            tool.input_schema,
            tool.output_schema,
            title=title,
            read_only=read_only,
            destructive=destructive,
        ),
    )


def _crooked(plugin: str, name: str, entry: Mapping[str, Any], reason: str) -> PluginTool:
    schema, description = entry.get("inputSchema"), entry.get("description")
    said = description if isinstance(description, str) else ""
    return PluginTool(
        plugin=plugin,
        name=name,
        public_name=public_name(plugin, name),
        title="",
        description=said,
        input_schema=schema if isinstance(schema, Mapping) else {},
        problem=schemas.problem(schema) or f"The server describes it wrongly: {reason}.",
        fingerprint=schemas.fingerprint(said, schema),
    )


def resource(plugin: str, found: types.Resource) -> Resource:
    """A resource as a value."""
    return Resource(
        plugin,
        uri=found.uri,
        name=found.name,
        title=found.title or "",
        description=found.description or "",
        media_type=found.mime_type or "",
        size=found.size,
    )


def template(plugin: str, found: types.ResourceTemplate) -> Template:
    """A template as a value."""
    return Template(
        plugin,
        uri=found.uri_template,
        name=found.name,
        title=found.title or "",
        description=found.description or "",
        media_type=found.mime_type or "",
    )


def prompt(plugin: str, found: types.Prompt) -> Prompt:
    """A prompt as a value."""
    return Prompt(
        plugin,
        name=found.name,
        title=found.title or "",
        description=found.description or "",
        arguments=tuple(
            PromptArgument(one.name, one.title or "", one.description or "", bool(one.required))
            for one in found.arguments or ()
        ),
    )
