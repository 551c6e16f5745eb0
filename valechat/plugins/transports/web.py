"""What the transports over the network share: which headers go along, how one ends."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx2

from valechat.errors import PluginError, ValeChatError
from valechat.plugins.hidden import Hidden
from valechat.plugins.transports.base import Context
from valechat.providers._tls import idle_context, shared_context
from valechat.providers._url import is_loopback

__all__ = ["CONNECT_SECONDS", "MOST_BYTES", "End", "authorised", "client_options", "headers_of", "unwrapped"]

CONNECT_SECONDS = 10.0
MOST_BYTES = 64 * 1024 * 1024
"""The largest message a server may send."""

_OWN = {"accept", "content-length", "content-type", "host", "last-event-id", "mcp-protocol-version", "mcp-session-id"}


class End:
    """How a connection ends: the first reason that is given stays."""

    def __init__(self) -> None:
        self.error: PluginError | None = None
        self._happened = asyncio.Event()

    def come(self, error: PluginError) -> None:
        """The connection is of no more use."""
        if self.error is None:
            self.error = error
            self._happened.set()

    async def wait(self) -> str:
        """Wait for the end; why it came, in a sentence."""
        await self._happened.wait()
        return self.error.message if self.error is not None else ""


def headers_of(definition: Any) -> Hidden[str]:
    """The headers of every request: the configured ones, and the bearer token.

    Raises:
        PluginError: One cannot be a header, or is the protocol's own.
    """
    headers = Hidden(definition.headers)
    if definition.auth.type == "bearer":
        for name in [name for name in headers if name.lower() == "authorization"]:
            del headers[name]
        headers["Authorization"] = f"Bearer {definition.auth.token}"
    for name in headers:
        if name.lower() in _OWN or not headers[name].isascii() or not headers[name].isprintable():
            raise PluginError(
                f"{definition.id}: the header {name} cannot be sent.",
                fix="Its value must be printable ASCII, and the protocol's own headers are not to be set.",
            )
    return headers


async def authorised(context: Context) -> Any:
    """The plugin's sign-in, ready to be used; None when it needs none.

    Signs in now where that is needed, so that it does not count as the server's own slowness later.

    Raises:
        PluginError: The sign-in failed.
    """
    auth = context.authorise() if context.authorise is not None else None
    if auth is not None and hasattr(auth, "prepare"):
        await auth.prepare()
    return auth


def client_options(definition: Any) -> Hidden[Any]:
    """How to make an `httpx2.AsyncClient` for a plugin's server: all but its authentication.

    Raises:
        PluginError: A configured header cannot be sent.
    """
    parts = urlsplit(definition.url)
    own = is_loopback(parts.hostname or "")
    tls = idle_context() if parts.scheme in ("http", "ws") and own else shared_context()
    limits = httpx2.Limits(max_connections=200, max_keepalive_connections=20, keepalive_expiry=60.0)
    direct = own or not getproxies()
    # Between two pieces of an answer; a call has its own, shorter time, but may leave its request behind.
    read = max(float(definition.timeout), float(definition.call_timeout), 270.0) + 30.0
    return Hidden(
        headers=headers_of(definition),
        timeout=httpx2.Timeout(30.0, connect=CONNECT_SECONDS, read=read),
        transport=_transport(tls, limits) if direct else None,
        verify=tls,
        limits=limits,
    )


def _transport(tls: ssl.SSLContext, limits: httpx2.Limits) -> httpx2.AsyncHTTPTransport:
    return httpx2.AsyncHTTPTransport(verify=tls, limits=limits, socket_options=_keep_alive())


def _keep_alive() -> list[tuple[int, int, int]]:
    """Socket options that find out within a minute or so that the other side has vanished."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPALIVE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):  # which of them there are depends on the system
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    return options


@asynccontextmanager
async def unwrapped() -> AsyncIterator[None]:
    """Raise what a task group gathered as what it is: our own error if there is one, else the first."""
    try:
        yield
    except BaseExceptionGroup as group:
        leaves = list(_leaves(group))
        error = next((leaf for leaf in leaves if isinstance(leaf, ValeChatError)), leaves[0])
    else:
        return
    raise error


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    for inner in error.exceptions:
        yield from _leaves(inner)
