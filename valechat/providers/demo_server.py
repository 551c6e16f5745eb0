"""The demonstration's server: Chat Completions over HTTP/1.1 on loopback.

The protocol is h11's; this file joins it to sockets and answers three requests: the model list, a
streamed and a whole completion. Only who knows the random token is answered, so other users of the
machine are not.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

import h11

from valechat.providers.demo_answer import MODEL, completion, completion_chunks

__all__ = ["DemoServer"]

MOST_BODY_BYTES = 64 * 1024 * 1024
TOKENS_PER_SECOND = 60.0

_Headers = list[tuple[str, str]]


class DemoServer:
    """One server on a random port of this machine. Start it and close it on the same event loop."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(24)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    @property
    def base_url(self) -> str:
        """Where it listens, up to `/v1`.

        Raises:
            RuntimeError: It is not started.
        """
        if self._server is None:
            raise RuntimeError("The demonstration's server is not started.")
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def close(self) -> None:
        """Stop listening and cut what is being answered."""
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        try:
            await _Exchange(self.token, reader, writer).run()
        except (ConnectionError, h11.ProtocolError, asyncio.CancelledError):
            # The client went away, does not speak HTTP, or the server is closing: nobody is left to tell.
            pass
        finally:
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()


class _Exchange:
    """The requests of one connection."""

    def __init__(self, token: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._token = token
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER)

    async def run(self) -> None:
        while True:
            request = await self._next()
            if not isinstance(request, h11.Request):
                return
            await self._answer(request, await self._body())
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                return
            self._http.start_next_cycle()

    async def _next(self) -> Any:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self._http.they_are_waiting_for_100_continue:
                await self._write(h11.InformationalResponse(status_code=100, headers=[]))
            self._http.receive_data(await self._reader.read(65536))

    async def _body(self) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while isinstance(event := await self._next(), h11.Data):
            size += len(event.data)
            if size > MOST_BODY_BYTES:
                raise ConnectionAbortedError("body too large")
            pieces.append(bytes(event.data))
        return b"".join(pieces)

    async def _answer(self, request: h11.Request, body: bytes) -> None:
        path = request.target.decode("ascii").partition("?")[0]
        route = (request.method.decode("ascii"), path)
        if not self._allowed(request):
            await self._refuse(401, "invalid_api_key", "This demonstration answers only the ValeChat that started it.")
        elif route == ("GET", "/v1/models"):
            await self._json(200, {"object": "list", "data": [MODEL]})
        elif route == ("POST", "/v1/chat/completions"):
            await self._complete(body)
        else:
            await self._refuse(404, "not_found", f"There is no {' '.join(route)} here.")

    def _allowed(self, request: h11.Request) -> bool:
        sent = next((value for name, value in request.headers if name == b"authorization"), b"")
        return secrets.compare_digest(sent, f"Bearer {self._token}".encode())

    async def _complete(self, body: bytes) -> None:
        try:
            asked = json.loads(body)
            messages_are_right = all(isinstance(message, dict) for message in asked["messages"])
        except (ValueError, TypeError, KeyError):
            messages_are_right = False
        if not messages_are_right:
            await self._refuse(400, "invalid_request_error", "The body is no Chat Completions request.")
        elif asked.get("model") != MODEL["id"]:
            await self._refuse(404, "model_not_found", f"The demonstration has one model, `{MODEL['id']}`.")
        elif asked.get("stream"):
            await self._stream(asked)
        else:
            await self._json(200, completion(asked))

    async def _stream(self, asked: Mapping[str, Any]) -> None:
        await self._write(
            h11.Response(
                status_code=200, headers=[("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked")]
            )
        )
        async for chunk in _paced(asked):
            data = "[DONE]" if chunk is None else json.dumps(chunk, ensure_ascii=False, separators=(",", ":"))
            await self._write(h11.Data(data=f"data: {data}\n\n".encode()))
        await self._write(h11.EndOfMessage())

    async def _refuse(self, status: int, code: str, message: str) -> None:
        await self._json(status, {"error": {"message": message, "type": code, "code": code, "param": None}})

    async def _json(self, status: int, value: Any) -> None:
        content = json.dumps(value, ensure_ascii=False).encode()
        headers: _Headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
        await self._write(h11.Response(status_code=status, headers=headers))
        await self._write(h11.Data(data=content))
        await self._write(h11.EndOfMessage())

    async def _write(self, event: Any) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()


async def _paced(asked: Mapping[str, Any]) -> AsyncIterator[dict[str, Any] | None]:
    """The stream's events, None for its end, at the speed asked for."""
    speed = _speed(asked)
    begun = time.monotonic()
    for i, chunk in enumerate(completion_chunks(asked)):
        if speed > 0:
            await asyncio.sleep(max(0.0, begun + i / speed - time.monotonic()))
        yield chunk
    yield None


def _speed(asked: Mapping[str, Any]) -> float:
    """Tokens a second, 0 for no pause: the request's `demo_tokens_per_second`, else `VALECHAT_DEMO_SPEED`, else 60."""
    for value in (asked.get("demo_tokens_per_second"), os.environ.get("VALECHAT_DEMO_SPEED")):
        with suppress(TypeError, ValueError):
            if value is not None:
                return max(0.0, float(value))
    return TOKENS_PER_SECOND
