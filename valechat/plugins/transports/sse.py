"""HTTP with server-sent events, the transport of MCP 2024-11-05, for servers that have no newer one.

One stream brings everything from the server; its first event names the address that requests are posted
to. The SDK's own client for it leaves a request whose post failed waiting for ever, and takes no message
over 1 MB.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any
from urllib.parse import urljoin, urlsplit

import anyio
import httpx2
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCRequest

from valechat.errors import PluginError, ValeChatError
from valechat.plugins.transports.base import Context, Link
from valechat.plugins.transports.faults import FOREIGN, Fault, fault_of_error, fault_of_sign_in, fault_of_status, shown
from valechat.plugins.transports.messages import Streams, answer_with, open_streams, parsed
from valechat.plugins.transports.web import MOST_BYTES, End, authorised, client_options, unwrapped

__all__ = ["sse"]


@asynccontextmanager
async def sse(definition: Any, context: Context) -> AsyncIterator[Link]:
    """A connection to a server's stream of events.

    Raises:
        PluginError: The server cannot be reached, refuses, or sends no address to post to; or a header
            cannot be sent, or the sign-in failed.
    """
    auth = await authorised(context)
    async with (
        unwrapped(),
        httpx2.AsyncClient(auth=auth, **client_options(definition)) as client,
        aclosing(_Connection(definition, client)) as connection,
        open_streams() as streams,
        anyio.create_task_group() as tasks,
    ):
        await connection.open()
        tasks.start_soon(connection.read, streams)
        tasks.start_soon(connection.write, streams, tasks)
        yield Link(streams.read, streams.write, ended=connection.end.wait, problem=lambda: connection.problem)
        tasks.cancel_scope.cancel()


class _Connection:
    """The stream of one server, and the address to post to."""

    def __init__(self, definition: Any, client: httpx2.AsyncClient) -> None:
        self.end = End()
        self.problem: PluginError | None = None
        self._url: str = definition.url
        self._auth: str = definition.auth.type
        self._patience = float(definition.timeout)
        self._client = client
        self._post_to = ""
        self._response: httpx2.Response | None = None
        self._events: AsyncIterator[httpx2.ServerSentEvent] | None = None

    async def open(self) -> None:
        """Open the stream and wait for the address."""
        request = self._client.build_request("GET", self._url, headers={"Accept": "text/event-stream"})
        request.extensions["timeout"] = {**request.extensions["timeout"], "read": None}
        try:
            async with asyncio.timeout(self._patience):
                self._response = await self._client.send(request, stream=True)
                self._check(self._response)
                self._events = aiter(httpx2.EventSource(self._response, max_event_size=MOST_BYTES))
                async for event in self._events:
                    if event.event == "endpoint":
                        self._post_to = self._same_server(event.data)
                        return
            problem = PluginError(f"{shown(self._url)} ended its stream at once.", fix=_OTHER)
        except TimeoutError:
            problem = PluginError(f"{shown(self._url)} did not begin within {self._patience:g} s.", fix=_OTHER)
        except httpx2.SSEError:
            problem = PluginError(f"{shown(self._url)} answers, but not with a stream of events.", fix=_OTHER)
        except FOREIGN as error:
            problem = fault_of_error(self._url, error, wait=self._patience).error
        raise problem

    async def read(self, streams: Streams) -> None:
        """Hand on what the server sends until it ends."""
        assert self._events is not None  # noqa: S101 - `open` comes first
        reason = PluginError(f"{shown(self._url)} ended its stream.", fix="It is connected anew by itself.")
        try:
            async for event in self._events:
                if event.event == "message" and event.data:
                    await streams.deliver(parsed(event.data))
        except httpx2.SSEError:
            reason = PluginError(f"A message of {shown(self._url)} is larger than {MOST_BYTES // 2**20} MB.")
        except FOREIGN as error:
            reason = fault_of_error(self._url, error, wait=0).error
        self._note(Fault(reason, ends=True))
        await streams.close()

    async def write(self, streams: Streams, tasks: anyio.abc.TaskGroup) -> None:
        """Post what the client sends. A server may answer a post late, so requests do not wait for each other."""
        async for message in streams.sent:
            if isinstance(message.message, JSONRPCRequest):
                tasks.start_soon(self._post, streams, message)
            else:
                await self._post(streams, message)

    async def aclose(self) -> None:
        """Close the stream."""
        if self._response is not None:
            await self._response.aclose()

    async def _post(self, streams: Streams, message: SessionMessage) -> None:
        body = message.message.model_dump(by_alias=True, mode="json", exclude_unset=True)
        fault: Fault | None = None
        try:
            response = await self._client.post(self._post_to, json=body)
            if response.status_code >= 400:
                fault = fault_of_status(self._post_to, response.status_code, session=True, auth=self._auth, answer=None)
            elif response.status_code >= 300:
                fault = Fault(_redirected(response), undone=True)
        except ValeChatError as error:
            fault = fault_of_sign_in(error)
        except FOREIGN as error:
            fault = fault_of_error(self._url, error, wait=self._client.timeout.read or 0)
        if fault is not None:
            self._note(fault)
            if isinstance(message.message, JSONRPCRequest):
                await streams.deliver(answer_with(message.message.id, fault))

    def _check(self, response: httpx2.Response) -> None:
        if 300 <= response.status_code < 400:
            raise _redirected(response)
        if response.status_code >= 400:
            raise fault_of_status(self._url, response.status_code, session=False, auth=self._auth, answer=None).error

    def _same_server(self, address: str) -> str:
        """The address to post to, which a server must not put elsewhere: credentials go there."""
        found = urljoin(self._url, address)
        if urlsplit(found)[:2] != urlsplit(self._url)[:2]:
            raise PluginError(
                f"{shown(self._url)} wants requests to be sent to another server, {shown(found)}.",
                fix="That is not allowed; ask whoever runs the server.",
            )
        return found

    def _note(self, fault: Fault) -> None:
        self.problem = fault.error
        if fault.ends:
            self.end.come(fault.error)


_OTHER = 'Check the address; for a newer server, set "transport": "http".'


def _redirected(response: httpx2.Response) -> PluginError:
    target = shown(str(response.next_request.url)) if response.next_request is not None else "nowhere"
    return PluginError(
        f"{shown(str(response.request.url))} redirects to {target}, which is not followed.",
        fix="Use that address, if it is the right one.",
    )
