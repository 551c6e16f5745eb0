"""A slow way to a Jupyter server, as from home to a JupyterHub: every byte arrives later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from urllib.parse import urlsplit

from tests.browser.support.server import JupyterServer

__all__ = ["SlowLink", "slow_link"]


class SlowLink:
    """A server as it is seen through the link.

    Attributes:
        server: The same server under the link's address.
        delay: Seconds that each byte takes, one way.
    """

    def __init__(self, server: JupyterServer, port: int) -> None:
        self.server = replace(server, url=server.url.replace(f":{urlsplit(server.url).port}/", f":{port}/"))
        self.delay = 0.0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes, in order, each piece when its time has come."""
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def take() -> None:
            with suppress(ConnectionError):
                while data := await reader.read(65_536):
                    under_way.put_nowait((loop.time() + self.delay, data))
            under_way.put_nowait((loop.time() + self.delay, b""))

        async def deliver() -> None:
            with suppress(ConnectionError):
                while True:
                    due, data = await under_way.get()
                    await asyncio.sleep(due - loop.time())
                    if not data:
                        break
                    writer.write(data)
                    await writer.drain()
            writer.close()

        await asyncio.gather(take(), deliver())


@asynccontextmanager
async def slow_link(server: JupyterServer) -> AsyncIterator[SlowLink]:
    """A link to a server, fast until its `delay` is set."""
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", urlsplit(server.url).port)
            await asyncio.gather(link.carry(reader, back), link.carry(there, writer))
        except asyncio.CancelledError:
            back.transport.abort()
        finally:
            connections.discard(task)
            writer.transport.abort()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    link = SlowLink(server, listening.sockets[0].getsockname()[1])
    try:
        yield link
    finally:
        listening.close()
        left = [*connections]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await listening.wait_closed()
