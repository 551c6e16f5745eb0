"""Ways to reach an MCP server: a process's pipes, HTTP, server-sent events, WebSocket, third parties' own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from valechat.errors import ConfigError
from valechat.plugins.transports.base import Context, Link

__all__ = ["open_transport", "transport_names"]

BUILT_IN = ("stdio", "http", "sse", "websocket")
"""Each is a function of its own name in a module of that name, imported when first used."""

GROUP = "valechat.transports"
"""The entry points by which other packages bring transports."""


def transport_names() -> list[str]:
    """The transports a definition may name, the built-in ones first."""
    return [*BUILT_IN, *sorted({found.name for found in entry_points(group=GROUP)} - set(BUILT_IN))]


@asynccontextmanager
async def open_transport(definition: Any, context: Context) -> AsyncIterator[Link]:
    """The connection to a definition's server, held open until the context is left.

    Args:
        definition: A local server or a cloud service, its variables resolved.
        context: What a transport is given besides.

    Raises:
        ConfigError: There is no such transport, or its package cannot be loaded; or, as InvalidPlugin, the
            definition cannot be used.
        PluginError: The server cannot be started or reached.
    """
    async with _transport(definition.transport)(definition, context) as opened:
        yield opened if isinstance(opened, Link) else _linked(definition.transport, opened)


def _transport(name: str) -> Callable[[Any, Context], Any]:
    if name in BUILT_IN:
        found: Callable[[Any, Context], Any] = getattr(import_module(f"{__name__}.{name}"), name)
        return found
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            return _loaded(entry)
    raise ConfigError(
        f"There is no transport named {name}.",
        fix=f"Use one of {', '.join(transport_names())}, or install the package that brings it.",
    )


def _loaded(entry: EntryPoint) -> Callable[[Any, Context], Any]:
    package = entry.dist.name if entry.dist else entry.module
    try:
        found = entry.load()
    except Exception as error:  # a foreign package's import can raise anything
        raise ConfigError(
            f"The transport {entry.name} could not be loaded from the package {package}:"
            f" {type(error).__name__}: {error}",
            fix=f"Reinstall or update {package}.",
        ) from error
    if not callable(found):
        raise ConfigError(
            f"The transport {entry.name} of the package {package} is no function.", fix=f"Update {package}."
        )
    transport: Callable[[Any, Context], Any] = found
    return transport


def _linked(name: str, opened: Any) -> Link:
    """A third party's pair of streams, as a link."""
    try:
        read, write = opened
    except (TypeError, ValueError):
        raise ConfigError(
            f"The transport {name} gave neither a link nor a pair of streams.", fix="Update the package it is from."
        ) from None
    return Link(read=read, write=write)
