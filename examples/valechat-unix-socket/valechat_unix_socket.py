"""A transport: MCP servers behind a Unix domain socket, one JSON message a line.

{"id": "shared", "url": "unix:///run/mcp/shared.sock", "transport": "unix"}
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCMessage, jsonrpc_message_adapter
from pydantic import ValidationError

from valechat.extending import Context, Link, PluginError

__all__ = ["unix"]

MOST_BYTES = 64 * 1024 * 1024


@asynccontextmanager
async def unix(definition: Any, context: Context) -> AsyncIterator[Link]:
    """The connection, held open until the context is left, by the task that entered it."""
    path = definition.url.removeprefix("unix://")
    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=MOST_BYTES)
    except OSError as error:
        raise PluginError(f"Nothing answers at {path}: {error.strerror}.", fix="Start the server.") from None
    to_client, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write, from_client = anyio.create_memory_object_stream[SessionMessage](0)
    ended = asyncio.Event()

    async def receive() -> None:
        async with to_client:
            while line := await reader.readline():
                try:
                    await to_client.send(SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False)))
                except ValidationError:
                    context.log("valechat", "warning", "The server sent a line that is no message.")
        ended.set()

    async def send() -> None:
        async with from_client:
            async for item in from_client:
                message: JSONRPCMessage = item.message
                writer.write(message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
                await writer.drain()

    async def over() -> str:
        await ended.wait()
        return "The server closed the connection."

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(receive)
        tasks.start_soon(send)
        try:
            yield Link(read, write, ended=over)
        finally:
            tasks.cancel_scope.cancel()
            writer.close()
