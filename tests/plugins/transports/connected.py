"""A client of the SDK's over one of our transports, as the plugin manager has it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from mcp.client import Client

from valechat.paths import user_paths
from valechat.plugins.config import CloudService, parse
from valechat.plugins.transports.base import Context, Link, Transport

__all__ = ["Connected", "connected", "context_of", "service"]


@dataclass
class Connected:
    client: Client
    link: Link
    log: list[tuple[str, str, str]] = field(default_factory=list)

    async def text(self, tool: str, arguments: dict[str, Any] | None = None, **options: Any) -> str:
        result = await self.client.call_tool(tool, arguments or {}, **options)
        return "".join(getattr(piece, "text", "") for piece in result.content)

    async def ended(self) -> str:
        assert self.link.ended is not None
        return await self.link.ended()

    def problem(self) -> str:
        assert self.link.problem is not None
        return str(self.link.problem())


def service(url: str, **options: Any) -> CloudService:
    """A definition, as the file would give it."""
    definition = parse({"id": "web", "url": url, **options})
    assert isinstance(definition, CloudService)
    return definition


def context_of(log: list[tuple[str, str, str]] | None = None, authorise: Any = None) -> Context:
    lines = [] if log is None else log
    return Context(user_paths(), lambda *line: lines.append(line), authorise)


@asynccontextmanager
async def connected(
    transport: Transport, definition: CloudService, *, mode: str = "legacy", authorise: Any = None, **options: Any
) -> AsyncIterator[Connected]:
    log: list[tuple[str, str, str]] = []

    @asynccontextmanager
    async def streams(link: Link) -> AsyncIterator[tuple[Any, Any]]:
        yield link.read, link.write

    async with transport(definition, context_of(log, authorise)) as link:
        pair: AbstractAsyncContextManager[Any] = streams(link)
        async with Client(pair, mode=mode, **options) as client:
            yield Connected(client, link, log)
