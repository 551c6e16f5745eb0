r"""A server that sends exactly the bytes a test says, over real sockets.

async with FaultServer(stream(b"data: {}\n\n"), whole(b"{}", status=429)) as server:
    ... requests to server.url; the last script answers all further requests
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import orjson


@dataclass
class Received:
    """A request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Connection:
    """What a script has to send with."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, *pieces: bytes) -> None:
        """Each piece in a segment of its own, as far as the network has it."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            if len(pieces) > 1:
                await asyncio.sleep(0)

    async def left(self) -> None:
        """Until the client has closed its side."""
        with suppress(ConnectionError):
            while await self.reader.read(65536):
                pass

    def cut(self) -> None:
        """Reset the connection."""
        self.writer.transport.abort()


Script = Callable[[Connection], Awaitable[None]]


class FaultServer:
    """A scripted server on loopback. Each request takes the next script; the last one is repeated."""

    def __init__(self, *scripts: Script, port: int = 0) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.client_left = asyncio.Event()
        self.arrived = asyncio.Event()
        self._scripts = list(scripts)
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        # A connection that was accepted in this moment has no task yet; without one its socket would stay open.
        for _ in range(5):
            await asyncio.sleep(0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        connection = Connection(reader, writer)
        try:
            while (request := await _read_request(reader)) is not None:
                self.requests.append(request)
                self.arrived.set()
                script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
                await script(connection)
                if writer.is_closing():
                    break
            self.client_left.set()
        except (ConnectionError, asyncio.CancelledError):
            self.client_left.set()
            # Closing would wait for a client that takes no more, and the loop may end before.
            writer.transport.abort()
        finally:
            writer.close()
            try:
                await writer.wait_closed()
            except ConnectionError:
                pass
            except asyncio.CancelledError:
                writer.transport.abort()


async def _read_request(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body)


def head(status: int = 200, headers: Mapping[str, str] | None = None, *, version: str = "1.1") -> bytes:
    """A response's status line and headers."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    return f"HTTP/{version} {status} Scripted\r\n{lines}\r\n".encode()


def chunked(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data) if data else b""


EVENT_STREAM = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}


def stream(*pieces: bytes, headers: Mapping[str, str] | None = None) -> Script:
    """A whole event stream, a chunk for each piece."""

    async def script(connection: Connection) -> None:
        await connection.send(head(200, {**EVENT_STREAM, **(headers or {})}))
        await connection.send(*map(chunked, pieces))
        await connection.send(b"0\r\n\r\n")

    return script


def cut_stream(*pieces: bytes, reset: bool = False) -> Script:
    """An event stream whose connection ends without the body's end."""

    async def script(connection: Connection) -> None:
        await connection.send(head(200, EVENT_STREAM), *map(chunked, pieces))
        if reset:
            connection.cut()
        else:
            connection.writer.close()

    return script


def old_stream(*pieces: bytes) -> Script:
    """An event stream as HTTP/1.0 has it: the connection's end is the body's end."""

    async def script(connection: Connection) -> None:
        await connection.send(head(200, {"Content-Type": "text/event-stream"}, version="1.0"), *pieces)
        connection.writer.close()

    return script


def hanging(*pieces: bytes, begun: bool = True) -> Script:
    """Sends these and then nothing, until the client leaves."""

    async def script(connection: Connection) -> None:
        if begun:
            await connection.send(head(200, EVENT_STREAM), *map(chunked, pieces))
        await connection.left()
        connection.writer.close()

    return script


def dripping(piece: bytes, every: float) -> Script:
    """Sends the piece again and again, `every` seconds, until the client leaves."""

    async def script(connection: Connection) -> None:
        await connection.send(head(200, EVENT_STREAM))
        leaving = asyncio.ensure_future(connection.left())
        while not leaving.done():
            await connection.send(chunked(piece))
            await asyncio.wait({leaving}, timeout=every)
        connection.writer.close()

    return script


def whole(
    body: bytes = b"",
    *,
    status: int = 200,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Script:
    """A response with a body of known length."""

    async def script(connection: Connection) -> None:
        all_headers = {"Content-Type": content_type, "Content-Length": str(len(body)), **(headers or {})}
        await connection.send(head(status, all_headers) + body)

    return script


def zipped(*pieces: bytes) -> Script:
    """An event stream compressed as a whole."""
    packed = gzip.compress(b"".join(pieces))
    middle = len(packed) // 2
    return stream(packed[:middle], packed[middle:], headers={"Content-Encoding": "gzip"})
