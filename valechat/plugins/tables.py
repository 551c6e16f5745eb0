"""Lists as the notebook shows them: a line each, in columns. They may be awaited, though they are there already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from valechat.plugins.base import LogLine, PluginInfo, PluginTool, Ready
from valechat.plugins.resources import Prompt, Resource

__all__ = ["Logs", "Plugins", "Prompts", "Resources", "Tools"]

WIDEST = 80

T = TypeVar("T")


class _Table(list[T], Ready, Generic[T]):
    """A list whose `repr` is a table."""

    empty = ""

    def __repr__(self) -> str:
        if not self:
            return self.empty
        rows = [[_line(cell) for cell in self._row(item)] for item in self]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        )

    def _row(self, item: T) -> Sequence[str]:
        raise NotImplementedError


class Plugins(_Table[PluginInfo]):
    """Plugins."""

    empty = "There are no plugins yet."

    def _row(self, item: PluginInfo) -> Sequence[str]:
        tools = f"{len(item.tools)} tools" if item.state == "running" else ""
        said = f"{item.problem.message} {item.problem.fix}" if item.problem else item.description
        return item.id, item.state, item.transport, tools, said


class Tools(_Table[PluginTool]):
    """Tools."""

    empty = "There are no tools."

    def _row(self, item: PluginTool) -> Sequence[str]:
        offered = "" if item.offered else item.problem or "off"
        return item.plugin, item.name, f"{item.tokens} tokens", offered or item.description


class Resources(_Table[Resource]):
    """Resources."""

    empty = "There are no resources."

    def _row(self, item: Resource) -> Sequence[str]:
        return item.uri, item.title or item.name, item.media_type, item.description


class Prompts(_Table[Prompt]):
    """Prompts."""

    empty = "There are no prompts."

    def _row(self, item: Prompt) -> Sequence[str]:
        arguments = (one.name if one.required else f"[{one.name}]" for one in item.arguments)
        return item.name, ", ".join(arguments), item.title or item.description


class Logs(_Table[LogLine]):
    """Lines of a log."""

    empty = "The log is empty."

    def _row(self, item: LogLine) -> Sequence[str]:
        return f"{item.at.astimezone():%H:%M:%S}", item.source, item.level, item.text


def _line(text: str) -> str:
    """Text on one line, of a length that fits."""
    line = " ".join(text.split())
    return line if len(line) <= WIDEST else f"{line[: WIDEST - 1]}…"
