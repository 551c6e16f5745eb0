"""What the transports over the network share: which address is allowed, which headers go along, how one ends."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from valechat.errors import PluginError, ValeChatError
from valechat.plugins.transports.base import Context
from valechat.providers._url import is_loopback

__all__ = ["CONNECT_SECONDS", "MOST_BYTES", "End", "authorised", "checked_url", "headers_of", "keep_alive", "unwrapped"]

CONNECT_SECONDS = 10.0
MOST_BYTES = 64 * 1024 * 1024
"""The largest message a server may send."""

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
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


def checked_url(definition: Any, schemes: tuple[str, str]) -> str:
    """The server's address, if requests with credentials may go there.

    Args:
        definition: The plugin's.
        schemes: The encrypted scheme and the plain one.

    Raises:
        PluginError: It is no URL, or not encrypted and not on this machine (nor `allow_insecure`).
    """
    url = str(definition.url).strip()
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise PluginError(f"The address of {definition.id} is not a URL: {error}.", fix="Correct its `url`.") from None
    if parts.scheme not in schemes or not host:
        raise PluginError(
            f"The address of {definition.id} must begin with {schemes[0]}:// and name a server.",
            fix="Correct its `url`.",
        )
    if parts.username is not None or parts.password is not None:
        raise PluginError(
            f"The address of {definition.id} contains a user name or password.",
            fix="Take it out of `url` and use `auth` or `headers`.",
        )
    if parts.scheme == schemes[1] and not is_loopback(host) and not getattr(definition, "allow_insecure", False):
        raise PluginError(
            f"The address of {definition.id} is not encrypted ({schemes[1]}://{host}), so everything could be read.",
            fix=f'Use {schemes[0]}, or set "allow_insecure": true if you trust the network.',
        )
    return url


def headers_of(definition: Any) -> dict[str, str]:
    """The headers of every request: the configured ones, and the bearer token.

    Raises:
        PluginError: One cannot be a header, or is the protocol's own.
    """
    headers = dict(definition.headers or {})
    auth = definition.auth
    if auth is not None and auth.type == "bearer":
        if not auth.token:
            raise PluginError(f"{definition.id} has no bearer token.", fix="Set `token` in its `auth`.")
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        headers["Authorization"] = f"Bearer {auth.token}"
    for name, value in headers.items():
        wrong = not _HEADER.fullmatch(name) or any(ord(character) < 32 or ord(character) > 126 for character in value)
        if wrong or name.lower() in _OWN:
            raise PluginError(
                f"{definition.id}: {name[:40]!r} cannot be sent as a header.",
                fix="Header names are plain words, values printable ASCII, and the protocol's own are not to be set.",
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


def keep_alive() -> list[tuple[int, int, int]]:
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
