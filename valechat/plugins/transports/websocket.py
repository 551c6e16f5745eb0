"""WebSocket: one JSON-RPC message a frame, under the subprotocol `mcp`.

MCP does not specify it, but several servers have it.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import anyio
from mcp_types import JSONRPCRequest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, SecurityError
from websockets.typing import Subprotocol

from valechat.errors import PluginError
from valechat.plugins.hidden import Hidden
from valechat.plugins.transports.base import Context, Link
from valechat.plugins.transports.faults import FOREIGN, Fault, fault_of_error, fault_of_status, shown
from valechat.plugins.transports.messages import Streams, answer_with, open_streams, parsed
from valechat.plugins.transports.web import CONNECT_SECONDS, MOST_BYTES, End, authorised, headers_of, unwrapped
from valechat.providers._tls import shared_context
from valechat.providers._url import is_loopback

__all__ = ["websocket"]

PING_SECONDS = 20.0
CLOSE_SECONDS = 2.0


@asynccontextmanager
async def websocket(definition: Any, context: Context) -> AsyncIterator[Link]:
    """A connection to a server's WebSocket.

    Raises:
        PluginError: The server cannot be reached or refuses; or a header cannot be sent, or the sign-in
            failed.
    """
    auth = await authorised(context)
    connection = await _connected(definition, auth)
    end = End()
    try:
        async with unwrapped(), open_streams() as streams, anyio.create_task_group() as tasks:
            tasks.start_soon(_read, definition.url, connection, streams, end)
            tasks.start_soon(_write, definition.url, connection, streams, end)
            yield Link(streams.read, streams.write, ended=end.wait, problem=lambda: end.error)
            tasks.cancel_scope.cancel()
    finally:
        if end.error is not None:
            connection.transport.abort()
        else:
            await connection.close()


class _Connect(connect):
    """Follows no redirect: only `Authorization` would be taken off on the way to another server."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """The refusal as it is."""
        return exc


async def _connected(definition: Any, auth: Any) -> ClientConnection:
    """The open connection; signs in once more where the server does not take the token."""
    headers = headers_of(definition)
    opened = await _opened(definition, headers.merged(await auth.headers() if auth is not None else {}))
    if isinstance(opened, InvalidStatus) and opened.response.status_code == 401 and auth is not None:
        challenge = opened.response.headers.get("WWW-Authenticate", "")
        opened = await _opened(definition, headers.merged(await auth.headers(challenge=challenge)))
    if isinstance(opened, ClientConnection):
        return opened
    raise _refused(definition, opened)


async def _opened(definition: Any, headers: Hidden[str]) -> ClientConnection | Exception:
    parts = urlsplit(definition.url)
    own = is_loopback(parts.hostname or "")
    try:
        return await _Connect(
            definition.url,
            subprotocols=[Subprotocol("mcp")],
            additional_headers=headers,
            ssl=shared_context() if parts.scheme == "wss" else None,
            proxy=None if own else True,
            open_timeout=min(float(definition.timeout), CONNECT_SECONDS),
            close_timeout=CLOSE_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            max_size=MOST_BYTES,
        )
    except (*FOREIGN, InvalidHandshake, SecurityError) as error:
        return error


def _refused(definition: Any, error: Exception) -> PluginError:
    place = shown(definition.url)
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        if status < 400:
            return PluginError(f"{place} does not speak WebSocket ({status}).", fix=_OTHER)
        return fault_of_status(definition.url, status, session=False, auth=definition.auth.type, answer=None).error
    if isinstance(error, TimeoutError):
        return PluginError(f"{place} did not open a WebSocket in time.", fix=_OTHER)
    if isinstance(error, InvalidHandshake | SecurityError):
        return PluginError(f"{place} does not speak WebSocket as expected.", fix=_OTHER)
    return fault_of_error(definition.url, error, wait=CONNECT_SECONDS).error


_OTHER = 'Check the address and the plugin\'s "transport".'


async def _read(url: str, connection: ClientConnection, streams: Streams, end: End) -> None:
    with contextlib.suppress(ConnectionClosed):  # `_farewell` says why
        async for text in connection:
            await streams.deliver(parsed(text))
    end.come(_farewell(url, connection))
    await streams.close()


async def _write(url: str, connection: ClientConnection, streams: Streams, end: End) -> None:
    async for message in streams.sent:
        text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
        try:
            await connection.send(text)
        except ConnectionClosed:
            problem = _farewell(url, connection)
            end.come(problem)
            if isinstance(message.message, JSONRPCRequest):
                await streams.deliver(answer_with(message.message.id, Fault(problem, ends=True)))


_CODES = {
    1000: "ended the connection",
    1001: "is being shut down or restarted",
    1002: "complained about how it was spoken to",
    1003: "does not take such messages",
    1006: "was cut off",
    1007: "complained about how it was spoken to",
    1008: "refused to go on",
    1009: "does not take messages of that size",
    1011: "failed",
    1012: "is being restarted",
    1013: "is overloaded",
}
"""What the close codes of RFC 6455, section 7.4 (and its registry) mean, as what the server did."""


def _farewell(url: str, connection: ClientConnection) -> PluginError:
    """Why the connection ended: what we found first, else what the server said."""
    place, protocol = shown(url), connection.protocol
    received, sent = protocol.close_rcvd, protocol.close_sent
    ours = sent.code if sent is not None and not protocol.close_rcvd_then_sent else None
    if ours == 1009:
        return PluginError(f"A message of {place} is larger than {MOST_BYTES // 2**20} MB.", fix="Ask it for less.")
    if ours == 1011:
        return PluginError(f"{place} did not answer a ping for {PING_SECONDS:g} s.", fix=_ANEW)
    code, reason = (received.code, received.reason) if received is not None else (1006, "")
    said = f": {reason[:120]}" if reason else ""
    return PluginError(f"{place} {_CODES.get(code, 'ended the connection')} ({code}){said}.", fix=_ANEW)


_ANEW = "It is connected anew by itself."
