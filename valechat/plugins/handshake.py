"""Agreeing on a version of the protocol with a server.

Up to 2025-11-25 that is `initialize`; since 2026-07-28 `server/discover`, after which each request says its
version. A server that ignores unknown methods costs ten seconds where `server/discover` is tried first.
"""

from __future__ import annotations

import mcp_types as types
from mcp import MCPError
from mcp.client import ClientSession
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, LATEST_HANDSHAKE_VERSION, MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from valechat.plugins.failures import Incompatible

__all__ = ["capabilities", "client_info", "shake_hands"]


def client_info() -> types.Implementation:
    """What servers are told of us."""
    from valechat import __version__

    return types.Implementation(name="valechat", title="ValeChat", version=__version__)


def capabilities(*, sampling: bool, roots: bool) -> types.ClientCapabilities:
    """What a server may ask of us."""
    return types.ClientCapabilities(
        sampling=types.SamplingCapability(tools=types.SamplingToolsCapability()) if sampling else None,
        elicitation=types.ElicitationCapability(
            form=types.FormElicitationCapability(), url=types.UrlElicitationCapability()
        ),
        roots=types.RootsCapability(list_changed=False) if roots else None,
    )


async def shake_hands(session: ClientSession, protocol: str, ours: types.ClientCapabilities) -> None:
    """Agree on a version.

    Args:
        session: An entered session that has said nothing yet.
        protocol: `legacy`, `auto` or a version.
        ours: What the server may ask of us.

    Raises:
        Incompatible: There is no common version.
        MCPError: The server refused.
    """
    if protocol == "auto":
        await _either(session, ours)
    elif protocol in MODERN_PROTOCOL_VERSIONS:
        await _discover(session, protocol)
    elif protocol == "legacy":
        await _older_first(session, ours)
    elif protocol in HANDSHAKE_PROTOCOL_VERSIONS:
        await _initialise(session, protocol, ours)
    else:
        known = ", ".join((*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS))
        raise Incompatible(
            f"MCP has no version {protocol!r} that is known here.",
            fix=f"Set its `protocol` to auto, legacy or one of {known}.",
        )


async def _older_first(session: ClientSession, ours: types.ClientCapabilities) -> None:
    """The handshake, and only where the server says that it knows none, the newest."""
    try:
        await _initialise(session, LATEST_HANDSHAKE_VERSION, ours)
    except MCPError as error:
        offered = _offered(error)
        if error.code != types.METHOD_NOT_FOUND and not offered:
            raise
        try:
            await session.discover()
        except (MCPError, RuntimeError, ValidationError):
            raise (_nothing_in_common(offered) if offered else error) from error


async def _either(session: ClientSession, ours: types.ClientCapabilities) -> None:
    """The newest if the server has it, the handshake otherwise.

    Everything but a clear word of the server's that it speaks only other new versions is taken to mean that
    it is an older one.
    """
    try:
        await session.discover()
    except MCPError as error:
        offered = _offered(error)
        if offered and not any(version in HANDSHAKE_PROTOCOL_VERSIONS for version in offered):
            raise _nothing_in_common(offered) from error
    except (RuntimeError, ValidationError):
        pass  # it answered, but names no version that is known here, or nothing readable
    else:
        return
    try:
        await _initialise(session, LATEST_HANDSHAKE_VERSION, ours)
    except MCPError as error:
        # A slow server may have taken the first question after all, and now holds us to the new version.
        offered = _offered(error)
        if any(version in MODERN_PROTOCOL_VERSIONS for version in offered):
            await session.discover()
        elif offered:
            raise _nothing_in_common(offered) from error
        else:
            raise


async def _discover(session: ClientSession, version: str) -> None:
    try:
        await session.discover()
    except MCPError as error:
        if offered := _offered(error):
            raise _nothing_in_common(offered) from error
        raise Incompatible(
            f"The server does not speak MCP {version}: {error.message.rstrip('.')}.",
            fix="Set its `protocol` to auto or legacy.",
        ) from error
    except RuntimeError as error:
        raise Incompatible(f"The server does not speak MCP {version}.", fix="Set its `protocol` to auto.") from error


async def _initialise(session: ClientSession, version: str, ours: types.ClientCapabilities) -> None:
    params = types.InitializeRequestParams(protocol_version=version, capabilities=ours, client_info=client_info())
    result = await session.send_request(types.InitializeRequest(params=params), types.InitializeResult)
    if result.protocol_version not in HANDSHAKE_PROTOCOL_VERSIONS:
        raise _nothing_in_common([result.protocol_version])
    session.adopt(result)
    await session.send_notification(types.InitializedNotification())


def _offered(error: MCPError) -> list[str]:
    """The versions a server named when it refused ours."""
    if error.code != types.UNSUPPORTED_PROTOCOL_VERSION:
        return []
    try:
        return types.UnsupportedProtocolVersionErrorData.model_validate(error.data).supported
    except ValidationError:
        return []


def _nothing_in_common(offered: list[str]) -> Incompatible:
    ours = ", ".join((*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS))
    return Incompatible(
        f"The server speaks MCP {', '.join(offered)[:100]}; known here are {ours}.",
        fix="Update the server, or ValeChat.",
    )
