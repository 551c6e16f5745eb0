"""The pair of streams between a transport of ours and the MCP SDK."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import CONNECTION_CLOSED, ErrorData, JSONRPCError, jsonrpc_message_adapter
from pydantic import ValidationError

from valechat.plugins.transports.faults import Fault

__all__ = ["Streams", "answer_with", "open_streams", "parsed"]


@dataclass(frozen=True, slots=True)
class Streams:
    """Both directions, from both sides.

    Attributes:
        read: What the SDK reads.
        write: What the SDK writes to.
        sent: What it has written.
    """

    read: MemoryObjectReceiveStream[SessionMessage | Exception]
    write: MemoryObjectSendStream[SessionMessage]
    sent: MemoryObjectReceiveStream[SessionMessage]
    _inward: MemoryObjectSendStream[SessionMessage | Exception]

    async def deliver(self, message: SessionMessage | Exception) -> None:
        """Hand the SDK a message from the server. Dropped where nobody reads any more."""
        try:
            await self._inward.send(message)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return

    async def close(self) -> None:
        """Tell the SDK that nothing more comes: requests under way fail."""
        await self._inward.aclose()


@asynccontextmanager
async def open_streams() -> AsyncIterator[Streams]:
    """Streams that are closed, all of them, at the end."""
    inward, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write, sent = anyio.create_memory_object_stream[SessionMessage](0)
    async with inward, read, write, sent:
        yield Streams(read, write, sent, inward)


def parsed(text: str | bytes) -> SessionMessage | Exception:
    """The message a server sent, or the error to report where it is none."""
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(text, by_name=False))
    except ValidationError as error:
        return error


def answer_with(request: str | int, fault: Fault) -> SessionMessage:
    """The protocol's error for a request that could not be carried out."""
    data = {"undone": fault.undone}
    error = ErrorData(code=CONNECTION_CLOSED, message=str(fault.error), data=data)
    return SessionMessage(JSONRPCError(jsonrpc="2.0", id=request, error=error))
