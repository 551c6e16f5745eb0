"""Connections: the only module that knows httpx.

One client for each server and event loop, made when first used: HTTP/1.1, kept alive, one TLS context
for the process. Redirects are never followed, so that a key goes nowhere else. Everything httpx, TLS
or the socket raises (`FOREIGN`) becomes one of our errors in `foreign_error`, and nowhere else.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import httpx

from valechat.errors import ProviderError, RequestRejected, StreamBroken, TimedOut, Unreachable
from valechat.providers._tls import idle_context, shared_context
from valechat.providers._url import is_loopback

__all__ = ["FOREIGN", "Response", "close_clients", "connect", "foreign_error", "open_response", "read_body"]

CONNECT_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 60.0

FOREIGN = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict, OSError, UnicodeError)
"""What a request can raise that is not ours. TimeoutError is among it, as an OSError."""

Response = httpx.Response


async def open_response(
    method: str, base_url: str, path: str, *, content: bytes | None, headers: Mapping[str, str]
) -> Response:
    """Send a request and wait for the response's headers. Raises what is in `FOREIGN`."""
    client = await _client_for(base_url)
    request = client.build_request(method, base_url + path, content=content, headers=headers)
    return await client.send(request, stream=True)


async def connect(base_url: str) -> None:
    """Open a connection and leave it for the first request. A server that cannot be reached is left for it too."""
    client = await _client_for(base_url)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await client.head(base_url)
    except FOREIGN:
        return


async def read_body(response: Response, most_bytes: int) -> bytes:
    """The body, or its first `most_bytes`. Raises what is in `FOREIGN`."""
    pieces: list[bytes] = []
    size = 0
    async for piece in response.aiter_bytes():
        pieces.append(piece)
        size += len(piece)
        if size >= most_bytes:
            break
    return b"".join(pieces)[:most_bytes]


_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, httpx.AsyncClient]] = WeakKeyDictionary()
_clients_lock = threading.Lock()


async def _client_for(url: str) -> httpx.AsyncClient:
    """The client for a URL's server on the running loop."""
    parts = urlsplit(url)
    origin, own = f"{parts.scheme}://{parts.netloc}", is_loopback(parts.hostname or "")
    plain = parts.scheme == "http" and own
    context = idle_context() if plain else await asyncio.to_thread(shared_context)
    with _clients_lock:
        clients = _clients.setdefault(asyncio.get_running_loop(), {})
        if origin not in clients:
            clients[origin] = httpx.AsyncClient(
                verify=context,
                timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
                limits=httpx.Limits(max_connections=None, keepalive_expiry=KEEP_ALIVE_SECONDS),
                headers={"User-Agent": f"valechat/{version('valechat')}"},
                trust_env=not own,
            )
        return clients[origin]


async def close_clients() -> None:
    """Close the running loop's connections. Call before the loop is closed."""
    with _clients_lock:
        clients = _clients.pop(asyncio.get_running_loop(), {})
    for client in clients.values():
        await client.aclose()


def foreign_error(provider: str, url: str, error: BaseException, *, answering: bool) -> ProviderError:
    """Our error for one of `FOREIGN`. `answering` says whether the response had begun."""
    server = urlsplit(url).netloc
    fix = f"Check the network and `base_url` in [providers.{provider}]."
    if is_loopback(urlsplit(url).hostname or ""):
        fix = "Is the server running?"
    if isinstance(error, httpx.ConnectTimeout):
        return Unreachable(
            f"{provider} could not be reached: no connection to {server} within {CONNECT_SECONDS:g} s.",
            provider=provider,
            fix=fix,
        )
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return TimedOut(f"{provider} was silent for too long.", provider=provider)
    if isinstance(error, httpx.ProxyError):
        return Unreachable(f"{provider} could not be reached: the proxy refused.", provider=provider, fix=fix)
    if isinstance(error, httpx.LocalProtocolError):
        return RequestRejected(
            f"The request to {provider} could not be written as HTTP.",
            provider=provider,
            fix=f"Check `headers` in [providers.{provider}].",
        )
    if isinstance(error, httpx.DecodingError):
        return StreamBroken(f"The answer of {provider} could not be unpacked.", provider=provider)
    if answering:
        return StreamBroken(f"The connection to {provider} was cut in the middle of the answer.", provider=provider)
    unreachable = Unreachable(f"{provider} could not be reached: {_reason(error, server)}.", provider=provider, fix=fix)
    unreachable.connected = not isinstance(error, httpx.ConnectError | httpx.InvalidURL | httpx.UnsupportedProtocol)
    return unreachable


def _reason(error: BaseException, server: str) -> str:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate of {server} could not be verified ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return f"{server} does not speak TLS as expected"
        if isinstance(cause, socket.gaierror):
            return f"no address is known for {server}"
        if isinstance(cause, ConnectionRefusedError):
            return f"nothing answers at {server}"
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError | ConnectionError):
        return f"{server} closed the connection without an answer, or answered something else than HTTP"
    return f"no connection to {server} ({type(error).__name__})"


def _causes(error: BaseException | None, depth: int = 0) -> Iterator[BaseException]:
    if error is None or depth > 8:
        return
    yield error
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _causes(inner, depth + 1)
    yield from _causes(error.__cause__ or error.__context__, depth + 1)
