"""A real MCP server on loopback, over Streamable HTTP, SSE and WebSocket, that fails when it is told to.

It runs in a thread with a loop of its own. What it does wrong is set by attributes of `WebServer`.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCMessage, jsonrpc_message_adapter
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

__all__ = ["Events", "Thread", "WebServer", "free_port", "serving", "talk", "tools"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Thread:
    """An ASGI application on a port of loopback, in a thread."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        # A server's own pings would hide that ours work.
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=port,
            log_level="critical",
            ws_max_size=2**26,
            ws_ping_interval=None,
            ws="websockets-sansio",
            timeout_graceful_shutdown=0,
        )
        self.port = port
        self._server = uvicorn.Server(config)
        self._up = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    async def _run(self) -> None:
        self.loop = asyncio.get_running_loop()
        startup = self._server.startup

        async def started(sockets: list[socket.socket] | None = None) -> None:
            await startup(sockets)
            self._up.set()

        self._server.startup = started  # type: ignore[method-assign] # uvicorn has no other way to say that it listens
        await self._server.serve()

    def start(self) -> None:
        self._thread.start()
        assert self._up.wait(20)

    def stop(self) -> None:
        self._server.force_exit = self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()


class Events(EventStore):
    """All events of a server, so that a cut stream can be taken up again."""

    def __init__(self) -> None:
        self._events: list[tuple[str, JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: str, message: JSONRPCMessage | None) -> str:
        self._events.append((stream_id, message))
        return str(len(self._events))

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        start = int(last_event_id)
        stream = self._events[start - 1][0]
        for number, (of, message) in enumerate(self._events[start:], start=start + 1):
            if of == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


def tools(released: threading.Event) -> MCPServer:
    """The server's tools; `wait` answers when `released` is set."""
    server = MCPServer("web", log_level="CRITICAL")

    @server.tool()
    async def echo(text: str) -> str:
        return text

    @server.tool()
    async def big(megabytes: int) -> str:
        return "x" * (megabytes * 2**20)

    @server.tool()
    async def steps(count: int, ctx: Context) -> str:
        for step in range(count):
            await ctx.report_progress(step + 1, count, f"step {step + 1}")
        return "done"

    @server.tool()
    async def wait(ctx: Context) -> str:
        await ctx.report_progress(0, 1, "waiting")
        while not released.is_set():
            await asyncio.sleep(0.01)
        return "at last"

    return server


async def talk(server: MCPServer, connection: WebSocket, close_code: Callable[[], int | None] = lambda: None) -> None:
    """Serve one WebSocket; `close_code` says whether to end it at the first message."""
    await connection.accept("mcp" if "mcp" in connection.scope["subprotocols"] else None)
    inward, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write, outward = anyio.create_memory_object_stream[SessionMessage](0)

    async def receive() -> None:
        async with inward:
            try:
                while True:
                    text = await connection.receive_text()
                    if (code := close_code()) is not None:
                        return await connection.close(code, "told to")
                    await inward.send(SessionMessage(jsonrpc_message_adapter.validate_json(text, by_name=False)))
            except WebSocketDisconnect:
                return None

    async def send() -> None:
        async for message in outward:
            await connection.send_text(message.message.model_dump_json(by_alias=True, exclude_unset=True))

    low = server._lowlevel_server
    async with inward, read, write, outward, anyio.create_task_group() as tasks:
        tasks.start_soon(receive)
        tasks.start_soon(send)
        await low.run(read, write, low.create_initialization_options())
        tasks.cancel_scope.cancel()


class WebServer:
    """The server. Addresses: `url` (Streamable HTTP), `sse`, `websocket`.

    Attributes:
        status: Answer every POST so, instead of serving it.
        hang: Answer no POST.
        cut: Cut a POST's stream after so many events; once.
        close_code: End every WebSocket with it, once the first message has come.
        streaming: Set when a stream of the server's own has begun.
        requests: What was asked: method, path, headers.
    """

    def __init__(self, *, json: bool = False, resumable: bool = False, push: bool = True) -> None:
        self.port = free_port()
        self.status: int | None = None
        self.hang = False
        self.cut: int | None = None
        self.close_code: int | None = None
        self.released = threading.Event()
        self.streaming = threading.Event()
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self._options: dict[str, Any] = {"json_response": json}
        if resumable:
            self._options |= {"event_store": Events(), "retry_interval": 50}
        self._push = push
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    @property
    def sse(self) -> str:
        return f"http://127.0.0.1:{self.port}/sse"

    @property
    def websocket(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    def start(self) -> None:
        server = tools(self.released)
        streamable = server.streamable_http_app(**self._options)
        legacy = server.sse_app()

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            async with server.session_manager.run():
                yield

        async def websocket(connection: WebSocket) -> None:
            await talk(server, connection, lambda: self.close_code)

        routes = [WebSocketRoute("/ws", websocket), *streamable.routes, *legacy.routes]
        self._thread = Thread(self._unruly(Starlette(routes=routes, lifespan=lifespan)), self.port)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._thread.stop()
            self._thread = None

    def restart(self) -> None:
        """Come back on the same port, without any memory of sessions."""
        self.stop()
        self.start()

    def methods(self) -> list[str]:
        """The HTTP methods of the requests so far."""
        return [method for method, _, _ in self.requests]

    def _unruly(self, app: ASGIApp) -> ASGIApp:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                return await app(scope, receive, send)
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            self.requests.append((scope.get("method", "WS"), scope["path"], headers))
            if scope["type"] == "websocket":
                if self.status is not None:
                    await send({"type": "websocket.http.response.start", "status": self.status, "headers": []})
                    return await send({"type": "websocket.http.response.body", "body": b""})
                return await app(scope, receive, send)
            if scope["method"] == "GET" and scope["path"] == "/mcp" and not self._push:
                return await JSONResponse({"error": "no stream here"}, 405)(scope, receive, send)
            if scope["method"] != "POST":
                return await app(scope, receive, self._telling(send))
            while self.hang:
                await asyncio.sleep(0.01)
            if self.status is not None:
                return await JSONResponse({"detail": "told to"}, self.status)(scope, receive, send)
            return await app(scope, receive, self._cutting(send))

        return serve

    def _telling(self, send: Send) -> Send:
        async def told(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start" and message["status"] == 200:
                self.streaming.set()

        return told

    def _cutting(self, send: Send) -> Send:
        events, limit = 0, self.cut  # of requests from now on: not of one whose answer is still being sent

        async def cut_off(message: Message) -> None:
            nonlocal events
            await send(message)
            if message["type"] == "http.response.body":
                events += message.get("body", b"").count(b"data:")
                if limit is not None and events >= limit:
                    self.cut = None
                    raise ConnectionAbortedError

        return cut_off


@contextmanager
def serving(**options: Any) -> Iterator[WebServer]:
    """A running server, stopped at the end."""
    server = WebServer(**options)
    server.start()
    try:
        yield server
    finally:
        server.hang = False
        server.released.set()
        server.stop()
