"""Why a connection ended."""

from __future__ import annotations

import asyncio
import contextlib

import mcp_types as types
from mcp import MCPError

from valechat.errors import PluginError
from valechat.plugins.failures import Incompatible
from valechat.plugins.transports.base import Link
from valechat.plugins.wire import Wire

__all__ = ["CUT_SECONDS", "END_SECONDS", "GONE", "UNREACHED", "cut_off", "reason", "why_no_handshake"]

END_SECONDS = 3.0
"""How long whoever was cut off waits to be told why."""
CUT_SECONDS = 0.3
"""How much later than its calls a connection itself may notice its end."""
GONE = "The server closed the connection."
UNREACHED = (types.CONNECTION_CLOSED, types.REQUEST_TIMEOUT)
"""Codes of errors that the SDK makes itself, without the server."""


async def reason(link: Link) -> str:
    """Why a connection ended, once that is known."""
    if link.ended is not None:
        return await link.ended()
    problem = link.problem() if link.problem else None
    return problem.message if problem else GONE


async def cut_off(wire: Wire, error: MCPError) -> bool:
    """Whether the connection is gone, or will be in a moment, rather than that the server gave that answer."""
    if error.code == types.CONNECTION_CLOSED and not wire.ended.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CUT_SECONDS):
                await wire.ended.wait()
    return wire.ended.is_set()


async def why_no_handshake(link: Link, wire: Wire, title: str, error: MCPError) -> PluginError:
    """Why a handshake failed."""
    problem = link.problem() if link.problem else None
    if problem is not None:
        return problem
    if await cut_off(wire, error):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                return PluginError(await reason(link))
    said = error.message.rstrip(".")
    return Incompatible(f"{title} refused the handshake: {said}.", fix="Is it an MCP server? Its log may say more.")
