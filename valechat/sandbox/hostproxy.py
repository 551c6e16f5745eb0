"""The way out for a server that may reach some hosts: a small HTTP proxy that opens connections to those alone.

The server itself has no network; inside its confinement `relay.py` carries what it says to the proxy's
socket file. So a program that knows nothing of proxies reaches nothing, rather than everything. Names are
looked up here, and an address of this machine or its network is refused unless the list names it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["allows", "host_proxy"]

MOST_HEAD_BYTES = 64 * 1024
CONNECT_SECONDS = 20.0
PIECE = 64 * 1024

Address = tuple[str, int]


@asynccontextmanager
async def host_proxy(socket_file: Path, hosts: Iterable[str], refused: Callable[[str], None]) -> AsyncIterator[None]:
    """Serve on a socket file while the context is open.

    Args:
        socket_file: Where to listen; only its owner can connect.
        hosts: Names, `*.example.com` for all names below one, addresses; each with `:port` for one port alone.
        refused: Told each host that was asked for and is not on the list, once.
    """
    allowed = tuple(hosts)
    told: set[str] = set()

    def refuse(host: str) -> None:
        if host not in told and len(told) < 100:
            told.add(host)
            refused(host)

    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            connections.add(task)
            task.add_done_callback(connections.discard)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
                await _serve(reader, writer, allowed, refuse)
        finally:
            await _closed(writer)

    server = await asyncio.start_unix_server(serve, socket_file, limit=MOST_HEAD_BYTES)
    await asyncio.to_thread(socket_file.chmod, 0o600)
    try:
        yield
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


def allows(hosts: Iterable[str], host: str, port: int) -> bool:
    """Whether the list names a host, whose name is compared without regard to case or a final dot."""
    name = host.rstrip(".").lower()
    for entry in hosts:
        listed, only = _listed(entry)
        if only is not None and only != port:
            continue
        if listed == name or (listed.startswith("*.") and name.endswith(listed[1:])):
            return True
    return False


def _listed(entry: str) -> tuple[str, int | None]:
    text = entry.strip().rstrip(".").lower()
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(text.strip("[]"))), None
    name, colon, port = text.rpartition(":")
    return (name.strip("[]"), int(port)) if colon and port.isdigit() else (text, None)


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, allowed: tuple[str, ...], refuse: Callable[[str], None]
) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, _, rest = head.partition(b"\r\n")
    words = first.decode("latin-1").split(" ")
    target = _target(words)
    if target is None:
        await _answer(writer, "400 Bad Request", "This is a proxy: CONNECT host:port, or a whole http:// address.")
        return
    host, port = target
    if not allows(allowed, host, port):
        refuse(f"{host}:{port}")
        await _answer(writer, "403 Forbidden", f"{host}:{port} is not among the hosts this server may reach.")
        return
    address = await _looked_up(host, port, allowed)
    if address is None:
        await _answer(writer, "502 Bad Gateway", f"{host} was not found, or leads into the local network.")
        return
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            far_reader, far_writer = await asyncio.open_connection(*address)
    except (OSError, TimeoutError):
        await _answer(writer, "504 Gateway Timeout", f"{host}:{port} does not answer.")
        return
    if words[0] == "CONNECT":
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    else:
        far_writer.write(_forwarded(words, rest))
    await _both_ways(reader, writer, far_reader, far_writer)


def _target(words: list[str]) -> Address | None:
    if len(words) != 3:
        return None
    with contextlib.suppress(ValueError):
        if words[0] == "CONNECT":
            parts = urlsplit(f"//{words[1]}")
            return (parts.hostname, parts.port) if parts.hostname and parts.port else None
        parts = urlsplit(words[1])
        if parts.scheme == "http" and parts.hostname:
            return parts.hostname, parts.port or 80
    return None


def _forwarded(words: list[str], rest: bytes) -> bytes:
    """A request as its server expects it. One request a connection: another could name another host."""
    parts = urlsplit(words[1])
    path = parts._replace(scheme="", netloc="").geturl() or "/"
    kept = [
        line for line in rest.split(b"\r\n") if not line.lower().startswith((b"proxy-", b"connection:", b"keep-alive:"))
    ]
    return f"{words[0]} {path} {words[2]}\r\nConnection: close\r\n".encode("latin-1") + b"\r\n".join(kept)


async def _looked_up(host: str, port: int, allowed: tuple[str, ...]) -> Address | None:
    """Where a name leads. A name on the list must not lead into this machine or its network (DNS rebinding)."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    literal = _is_address(host) or host.lower() == "localhost"
    for *_, sockaddr in found:
        address = str(sockaddr[0])
        if literal or ipaddress.ip_address(address.partition("%")[0]).is_global or allows(allowed, address, port):
            return address, port
    return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _answer(writer: asyncio.StreamWriter, status: str, text: str) -> None:
    body = f"{text}\n".encode()
    writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
    await writer.drain()


async def _both_ways(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    far_reader: asyncio.StreamReader,
    far_writer: asyncio.StreamWriter,
) -> None:
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_carry(reader, far_writer))
            tasks.create_task(_carry(far_reader, writer))
    except* OSError:
        pass
    finally:
        await _closed(far_writer)


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(PIECE):
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
