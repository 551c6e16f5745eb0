"""The HTTP client under the MCP SDK's Streamable HTTP, which makes of every failure an answer to its request.

The SDK lets an error of one request (a refused connection, a failed sign-in) take down the whole
connection, says nothing to an owner whose session is gone, and gives up the server's own stream after
two cut connections. All of it passes through `send`, so that is where it is put right.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2

from valechat.errors import PluginError, SignInNeeded, ValeChatError
from valechat.plugins.transports.base import Context
from valechat.plugins.transports.faults import FOREIGN, Fault, fault_of_error, fault_of_sign_in, fault_of_status
from valechat.plugins.transports.web import MOST_BYTES, End, client_options

__all__ = ["WebClient", "web_client"]

FAREWELL_SECONDS = 2.0
OPENING_SECONDS = 5.0
MOST_ERROR_BYTES = 64 * 1024
STREAM_TRIES = 6
SHORT_STREAM_SECONDS = 5.0
MOST_PAUSE_SECONDS = 60.0
MOST_STREAMS = 64
CONNECTION_CLOSED = -32000
"""The SDK's code for it."""


class WebClient(httpx2.AsyncClient):
    """Requests to one server, for one connection. See `web_client`.

    Attributes:
        end: When the connection or its session is gone.
        problem: The last thing that went wrong.
    """

    def __init__(self, definition: Any, log: Callable[[str, str, str], None], **options: Any) -> None:
        super().__init__(**options)
        self.end = End()
        self.problem: PluginError | None = None
        self._log = log
        self._url = definition.url
        self._auth_kind = str(definition.auth.type)
        self._had_stream = False
        self._pauses = _Pauses()
        self._sending: set[asyncio.Task[None]] = set()

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send it. A failure comes back as a response that holds a JSON-RPC error.

        Raises:
            httpx2.HTTPError: Only for a stream of the server's own, which is tried again.
        """
        if request.method == "DELETE":
            return await self._farewell(request, options)
        if self.end.error is not None:
            return _refusal(request, Fault(self.end.error, ends=True, undone=True))
        if request.method == "GET":
            return await self._listen(request, options)
        message = _message(request)
        if "id" not in message or "method" not in message:
            # The SDK sends nothing else until this is done, and a server that hangs would never let it be.
            task = asyncio.create_task(self._deliver(request, options))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
            if message.get("method") == "notifications/initialized":  # requests come after it
                await asyncio.wait([task], timeout=OPENING_SECONDS)
            return httpx2.Response(202, request=request)
        came = await self._ask(request, options)
        if isinstance(came, httpx2.Response):
            return came
        self._note(came)
        return _refusal(request, came)

    async def aclose(self) -> None:
        """Close the connections; what is still being sent is given up."""
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        await super().aclose()

    async def __aexit__(self, *exc: object) -> None:
        """As `aclose`."""
        await self.aclose()

    async def _deliver(self, request: httpx2.Request, options: dict[str, Any]) -> None:
        """Send what has no answer. What the server says to it has no consequence but that a session is lost."""
        came = await self._ask(request, options)
        if isinstance(came, httpx2.Response):
            await came.aclose()
        else:
            self._note(came)

    async def _ask(self, request: httpx2.Request, options: dict[str, Any]) -> httpx2.Response | Fault:
        """What came of a POST. An answer that is no stream is read here, where its size can be bounded."""
        wait = float(request.extensions.get("timeout", {}).get("read") or self.timeout.read or 0)
        try:
            response = await super().send(request, **options)
            if response.status_code >= 400:
                return await self._judged(response)
            if response.headers.get("content-type", "").lower().startswith("application/json"):
                return await _read(response, MOST_BYTES)
            return response
        except ValeChatError as error:
            return fault_of_sign_in(error)
        except FOREIGN as error:
            fault = fault_of_error(self._url, error, wait=wait)
            silent = isinstance(error, httpx2.TimeoutException)
            if not fault.ends and not silent and not await self._answers():
                fault = Fault(fault.error, ends=True)
        return fault

    async def _judged(self, response: httpx2.Response) -> httpx2.Response | Fault:
        """An error status: the server's own JSON-RPC error where that says all, else a fault."""
        whole = await _read(response, MOST_ERROR_BYTES)
        answer = _rpc_error(whole.content) if isinstance(whole, httpx2.Response) else None
        status, session = response.status_code, "mcp-session-id" in response.request.headers
        challenge = response.headers.get("www-authenticate", "")
        fault = fault_of_status(
            self._url, status, session=session, auth=self._auth_kind, answer=answer, challenge=challenge
        )
        if answer is not None and not fault.ends and status not in (401, 403):
            return whole
        return fault

    async def _listen(self, request: httpx2.Request, options: dict[str, Any]) -> httpx2.Response:
        """Open a stream of the server's own, or one to be taken up again after a cut."""
        request.extensions["timeout"] = {**request.extensions.get("timeout", {}), "read": None}
        await self._pauses.before_a_stream(request.headers.get("last-event-id", ""))
        for attempt in range(STREAM_TRIES):
            fault = None
            try:
                response = await super().send(request, **options)
            except ValeChatError as error:
                fault = fault_of_sign_in(error)
            except FOREIGN as error:
                fault = fault_of_error(self._url, error, wait=0)
            if fault is not None:
                self._note(fault)
                if fault.ends or isinstance(fault.error, SignInNeeded):
                    return httpx2.Response(503, request=request)
            elif response.status_code == 200:
                self._had_stream = True
                response.stream = _Cut(response.stream)
                return response
            elif response.status_code < 500 and response.status_code != 429:
                # Many servers have no stream and say 404 or 405. It only means a lost session where there was one.
                if response.status_code == 404 and self._had_stream:
                    self._note(fault_of_status(self._url, 404, session=True, auth=self._auth_kind, answer=None))
                return response
            else:
                await response.aclose()
            await asyncio.sleep(min(2.0**attempt, MOST_PAUSE_SECONDS))
        return httpx2.Response(503, request=request)

    async def _farewell(self, request: httpx2.Request, options: dict[str, Any]) -> httpx2.Response:
        """End the session at the server, if that is quickly done. Never a reason to sign in."""
        if self.end.error is None:
            try:
                async with asyncio.timeout(FAREWELL_SECONDS):
                    response = await super().send(request, **options)
                    await response.aclose()
            except (*FOREIGN, ValeChatError) as error:
                self._log("valechat", "debug", f"The session was not closed properly ({type(error).__name__}).")
        return httpx2.Response(204, request=request)

    async def _answers(self) -> bool:
        """Whether anything answers there at all, asked after a connection was cut."""
        probe = self.build_request("HEAD", self._url, timeout=3)
        try:
            response = await super().send(probe, stream=True, auth=None)
            await response.aclose()
        except FOREIGN as error:
            return not fault_of_error(self._url, error, wait=3).ends
        return True

    def _note(self, fault: Fault) -> None:
        self.problem = fault.error
        if fault.ends:
            self.end.come(fault.error)


def web_client(definition: Any, context: Context, auth: Any) -> WebClient:
    """A client for the server of one plugin. To be used as a context.

    Raises:
        PluginError: A configured header cannot be sent.
    """
    return WebClient(definition, context.log, auth=auth, **client_options(definition))


class _Pauses:
    """Spaces out openings of a stream that a server ends at once, which the SDK repeats without end (python-sdk#3257).

    Streams are told apart by the event they go on from: one that brought events is none of those.
    """

    def __init__(self) -> None:
        self._streams: dict[str, tuple[float, int]] = {}

    async def before_a_stream(self, after: str) -> None:
        """Wait, longer each time, while the stream after that event does not last."""
        loop = asyncio.get_running_loop()
        opened, short = self._streams.pop(after, (float("-inf"), 0))
        short = short + 1 if loop.time() - opened < SHORT_STREAM_SECONDS + _pause(short) else 0
        await asyncio.sleep(_pause(short))
        self._streams[after] = (loop.time(), short)
        for old in [*self._streams][:-MOST_STREAMS]:
            del self._streams[old]


def _pause(short: int) -> float:
    return 0.0 if short < 3 else min(2.0 ** (short - 3), MOST_PAUSE_SECONDS)


class _Cut(httpx2.AsyncByteStream):
    """A stream whose cut is its end: the SDK counts cuts over all its life and gives up at the second."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._stream:
                yield piece
        except httpx2.TransportError:
            return

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _read(response: httpx2.Response, most: int) -> httpx2.Response | Fault:
    """The response with its body in memory."""
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in response.aiter_bytes():
            size += len(piece)
            if size > most:
                error = PluginError(f"The server's answer is larger than {most // 2**20} MB.", fix="Ask it for less.")
                return Fault(error)
            pieces.append(piece)
    finally:
        await response.aclose()
    kept = {name: response.headers[name] for name in ("content-type", "mcp-session-id") if name in response.headers}
    return httpx2.Response(response.status_code, headers=kept, content=b"".join(pieces), request=response.request)


def _message(request: httpx2.Request) -> dict[str, Any]:
    """The JSON-RPC message a request carries."""
    message: dict[str, Any] = json.loads(request.content)
    return message


def _rpc_error(body: bytes) -> dict[str, Any] | None:
    """The error object of a JSON-RPC answer, None where the body is none."""
    try:
        error = json.loads(body)["error"]
        return error if isinstance(error["code"], int) and isinstance(error["message"], str) else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _refusal(request: httpx2.Request, fault: Fault) -> httpx2.Response:
    """A response that says what went wrong in the protocol's own form, so that only this request fails."""
    error = {"code": CONNECTION_CLOSED, "message": str(fault.error), "data": {"undone": fault.undone}}
    return httpx2.Response(503, json={"jsonrpc": "2.0", "id": None, "error": error}, request=request)
