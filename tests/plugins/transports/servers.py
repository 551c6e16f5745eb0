"""An unruly server through the transport under test, and a session over it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp import ClientSession
from mcp.types import TextContent

from tests.plugins.support import MARKER
from tests.plugins.unruly import command
from valechat.paths import user_paths
from valechat.plugins.config import LocalServer, parse
from valechat.plugins.transports.base import Context, Link
from valechat.plugins.transports.stdio import stdio

__all__ = ["Log", "Opened", "opened", "unruly"]


@dataclass
class Log:
    """What the transport logged."""

    lines: list[tuple[str, str, str]] = field(default_factory=list)

    def __call__(self, source: str, level: str, text: str) -> None:
        self.lines.append((source, level, text))

    def of(self, source: str) -> list[str]:
        return [text for said_by, _, text in self.lines if said_by == source]

    @property
    def context(self) -> Context:
        return Context(paths=user_paths(), log=self)


@dataclass
class Opened:
    """A server that has been greeted."""

    link: Link
    session: ClientSession
    log: Log

    async def call(self, tool: str, **arguments: Any) -> str:
        answer = await self.session.call_tool(tool, arguments)
        [content] = answer.content
        assert isinstance(content, TextContent)
        return content.text

    async def ended(self) -> str:
        assert self.link.ended is not None
        return await self.link.ended()


def unruly(*options: str, marker: str = "", **fields: Any) -> LocalServer:
    """The definition of an unruly server."""
    program, *arguments = command(*options)
    env = {MARKER: marker} if marker else {}
    found = parse({"id": "unruly", "command": program, "args": arguments, **fields, "env": env | fields.get("env", {})})
    assert isinstance(found, LocalServer)
    return found


@asynccontextmanager
async def opened(*options: str, log: Log | None = None, marker: str = "", **limits: Any) -> AsyncIterator[Opened]:
    """A greeted server; `limits` are the transport's."""
    log = log or Log()
    async with (
        stdio(unruly(*options, marker=marker), log.context, **limits) as link,
        ClientSession(link.read, link.write) as session,
    ):
        await session.initialize()
        yield Opened(link, session, log)


def folder() -> Path:
    """Where these files are."""
    return Path(__file__).parent
