"""A small MCP server that speaks one version of the protocol and refuses every other, as that version has it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.plugins.httpserver import Thread, free_port

__all__ = ["speaking"]

TOOL = {"name": "version", "inputSchema": {"type": "object"}}


class OneVersion:
    """Up to 2025-11-25 by handshake, 2024-11-05 over server-sent events; from 2026-07-28 on by request."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.headers: list[str | None] = []
        self._events: asyncio.Queue[str] = asyncio.Queue()

    def app(self) -> Starlette:
        if self.version == "2024-11-05":
            return Starlette(
                routes=[Route("/mcp", self.stream), Route("/messages", self.post_to_stream, methods=["POST"])]
            )
        return Starlette(routes=[Route("/mcp", self.post, methods=["POST"])])

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """The answer's `result` or `error`."""
        modern = self.version >= "2026"
        method = message["method"]
        if method == "initialize" and not modern:
            return {"result": self._about() | {"protocolVersion": self.version}}
        if method == "server/discover" and modern:
            about = {"supportedVersions": [self.version], "resultType": "complete", "ttlMs": 0, "cacheScope": "public"}
            return {"result": self._about() | about}
        more = {"resultType": "complete", "ttlMs": 0, "cacheScope": "public"} if modern else {}
        if method == "tools/list":
            return {"result": {"tools": [TOOL]} | more}
        if method == "tools/call":
            return {"result": {"content": [{"type": "text", "text": self.version}]} | more}
        return {"error": {"code": -32601, "message": f"no {method} here"}}

    def _about(self) -> dict[str, Any]:
        return {"capabilities": {"tools": {}}, "serverInfo": {"name": "one", "version": "1"}}

    async def post(self, request: Request) -> Response:
        message = await request.json()
        said = request.headers.get("mcp-protocol-version")
        self.headers.append(said)
        unknown = {"code": -32022, "message": "unsupported", "data": {"supported": [self.version], "requested": said}}
        if self.version >= "2026":
            if said != self.version:
                return JSONResponse({"jsonrpc": "2.0", "id": message.get("id"), "error": unknown}, 400)
        elif message["method"] != "initialize" and said not in (self.version, None):
            return Response("Unsupported protocol version", 400)
        if "id" not in message:
            return Response(status_code=202)
        return JSONResponse({"jsonrpc": "2.0", "id": message["id"], **self.answer(message)})

    async def stream(self, request: Request) -> Response:
        async def events() -> Any:
            yield "event: endpoint\ndata: /messages?session=1\n\n"
            while True:
                yield f"event: message\ndata: {await self._events.get()}\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    async def post_to_stream(self, request: Request) -> Response:
        message = await request.json()
        if "id" in message:
            await self._events.put(json.dumps({"jsonrpc": "2.0", "id": message["id"], **self.answer(message)}))
        return Response("Accepted", 202)


@contextmanager
def speaking(version: str) -> Iterator[tuple[OneVersion, str]]:
    """The running server and its address."""
    server, port = OneVersion(version), free_port()
    thread = Thread(server.app(), port)
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{port}/mcp"
    finally:
        thread.stop()
