"""HTTP as an adapter uses it: ask for JSON, or for a stream of events.

    service = HttpService("openai", "https://api.openai.com/v1", key=key_source, key_needed=True)
    async with service.stream_events("/chat/completions", body) as events:
        async for event in events:          # ServerEvent: name, data (bytes)
            value = events.decode(event)    # JSON, or StreamBroken
            if "error" in value:
                raise events.error(value)   # AuthenticationFailed, RateLimited, ServerFailed, …

Leaving the block by its end reads what little is left, so that the connection can be used again;
leaving it by an exception, a cancelled task or a closed generator closes the connection at once.
Every error is one of `valechat.errors`, and no message contains the key.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self, cast

import orjson

from valechat.errors import ConfigError, MissingKey, ProviderError, StreamBroken, TimedOut
from valechat.providers import _errors
from valechat.providers._deadline import Deadline
from valechat.providers._http import FOREIGN, Response, connect, foreign_error, open_response, read_body
from valechat.providers._limits import read_rate_limits
from valechat.providers._sse import (
    EventParser,
    EventTooLarge,
    JsonDocument,
    JsonLines,
    ServerEvent,
    ServerSentEvents,
)
from valechat.providers.base import KeySource, RateLimits

__all__ = ["Auth", "EventStream", "HttpService", "bearer"]

DRAIN_SECONDS = 1.0
ERROR_BODY_SECONDS = 10.0
MOST_ERROR_BYTES = 64 * 1024
MOST_JSON_BYTES = 32 * 1024 * 1024

UPLOAD_BYTES_PER_SECOND = 64 * 1024
"""What a slow line still moves: each of these adds a second to a request's timeout."""

Auth = Callable[[str], Mapping[str, str]]
"""The headers that carry a key."""


def bearer(key: str) -> Mapping[str, str]:
    """`Authorization: Bearer …` (RFC 6750)."""
    return {"Authorization": f"Bearer {key}"}


class HttpService:
    """The HTTP side of one provider.

    Args:
        provider: Its name, for messages.
        base_url: Where paths are added; no trailing slash.
        key: Asked at each request, so that a changed key is used at once.
        key_needed: Whether a request without a key is an error.
        auth: The headers that carry the key.
        headers: Sent with each request.
        timeout: Seconds within which the answer must begin and each complete event must arrive.
            Single bytes and comments do not count.
        most_seconds: Seconds a whole answer may take.
    """

    def __init__(
        self,
        provider: str,
        base_url: str,
        *,
        key: KeySource | None = None,
        key_needed: bool = False,
        auth: Auth = bearer,
        headers: Mapping[str, str] | None = None,
        timeout: float = 60.0,
        most_seconds: float = 3600.0,
    ) -> None:
        self.provider = provider
        self.base_url = base_url
        self.timeout = timeout
        self.most_seconds = most_seconds
        self.rate_limits: RateLimits | None = None
        self._key = key
        self._key_needed = key_needed
        self._auth = auth
        self._headers = dict(headers or {})

    def stream_events(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        lines: bool = False,
    ) -> EventStream:
        """POST a JSON body and stream the answer: server-sent events, or JSON `lines`.

        Entering the stream sends the request.
        """
        return EventStream(self, path, body, dict(headers or {}), timeout or self.timeout, lines=lines)

    async def get_json(self, path: str, *, timeout: float | None = None) -> Any:
        """GET a JSON value.

        Raises:
            ProviderError: No answer, a refusal, or not JSON.
            MissingKey: No key was found and one is needed.
        """
        return await self._json("GET", path, None, timeout or self.timeout)

    async def post_json(self, path: str, body: Mapping[str, Any], *, timeout: float | None = None) -> Any:
        """POST a JSON body and read the JSON answer. Raises as `get_json`."""
        return await self._json("POST", path, body, timeout or self.timeout)

    async def warm_up(self) -> None:
        """Make the client and open a connection, so that the first request need not wait for them.

        Sends no key. A server that cannot be reached is left for the request to report.
        """
        await connect(self.base_url)

    async def _json(self, method: str, path: str, body: Mapping[str, Any] | None, timeout: float) -> Any:
        sent = await self.send(method, path, body, {}, timeout)
        try:
            async with asyncio.timeout(timeout):
                data = await read_body(sent.response, MOST_JSON_BYTES)
        except TimeoutError:
            raise self.silent(timeout) from None
        except FOREIGN as error:
            raise foreign_error(self.provider, self.base_url, error, answering=True) from None
        finally:
            await sent.response.aclose()
        return sent.decode(ServerEvent(data))

    async def send(
        self, method: str, path: str, body: Mapping[str, Any] | bytes | None, headers: Mapping[str, str], timeout: float
    ) -> _Sent:
        """Send a request, with a JSON body or with bytes; the response has begun, its body is not read.

        Raises as `get_json`.
        """
        key = await self._checked_key()
        content = body if body is None or isinstance(body, bytes) else self._written(body)
        allowed = timeout + len(content or b"") / UPLOAD_BYTES_PER_SECOND
        try:
            async with asyncio.timeout(allowed):
                response = await open_response(
                    method, self.base_url, path, content=content, headers=self._all_headers(headers, key, content)
                )
        except TimeoutError:
            raise self.silent(timeout) from None
        except FOREIGN as error:
            raise foreign_error(self.provider, self.base_url, error, answering=False) from None
        self.rate_limits = read_rate_limits(response.headers) or self.rate_limits
        sent = _Sent(self, response, key)
        if not response.is_success:
            raise await sent.refusal()
        return sent

    def _all_headers(self, headers: Mapping[str, str], key: _Key, content: bytes | None) -> dict[str, str]:
        typed = {} if content is None else {"Content-Type": "application/json"}
        return {**typed, **self._headers, **headers, **(self._auth(key.value) if key.value else {})}

    def _written(self, body: Mapping[str, Any]) -> bytes:
        try:
            return orjson.dumps(body)
        except TypeError:
            # orjson takes neither half a surrogate pair nor integers above 64 bits; the standard library does.
            pass
        try:
            return json.dumps(body).encode("ascii")
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"The request to {self.provider} cannot be written as JSON: {error}.",
                fix="Check the options that are passed through to the provider.",
            ) from None

    async def _checked_key(self) -> _Key:
        key = _Key((await self._key() if self._key else None) or "")
        if not key.value and self._key_needed:
            raise MissingKey(
                f"No API key for {self.provider} was found.",
                provider=self.provider,
                fix=f"Store one with `valechat keys set {self.provider}`.",
            )
        if not (key.value.isascii() and key.value.isprintable()):
            raise ConfigError(
                f"The API key for {self.provider} contains a line break or a character no key has.",
                fix=f"Store it again with `valechat keys set {self.provider}`.",
            )
        return key

    def silent(self, seconds: float) -> TimedOut:
        """The error for a server that kept silent."""
        return TimedOut(
            f"{self.provider} sent nothing complete for {seconds:g} s.",
            provider=self.provider,
            fix="Try again, or allow more time with `timeout`.",
        )


class EventStream:
    """One streamed answer, used as `async with … as events: async for event in events`.

    `timeout` may be changed while reading, e.g. lowered once all that matters has arrived.

    Raises:
        ProviderError: On entering, a refusal; while reading, `StreamBroken` or `TimedOut`.
        MissingKey: On entering.
    """

    def __init__(
        self,
        service: HttpService,
        path: str,
        body: Mapping[str, Any],
        headers: Mapping[str, str],
        timeout: float,
        *,
        lines: bool,
    ) -> None:
        self.timeout = timeout
        self._service = service
        self._post = (path, body, headers)
        self._parser: EventParser = JsonLines() if lines else ServerSentEvents()
        self._events = self._read()
        self._begun = self._ended = False

    async def __aenter__(self) -> Self:
        self._overdue_at = asyncio.get_running_loop().time() + self._service.most_seconds
        self._deadline = Deadline()
        self._sent = await self._service.send("POST", *self._post, self.timeout)
        self._bytes = cast(AsyncGenerator[bytes, None], self._sent.response.aiter_bytes())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None and not self._ended:
                await self._drain()
        finally:
            self._deadline.close()
            await self._events.aclose()
            await self._bytes.aclose()
            await self._sent.response.aclose()

    def __aiter__(self) -> AsyncIterator[ServerEvent]:
        return self._events

    def __anext__(self) -> Awaitable[ServerEvent]:
        return anext(self._events)

    def decode(self, event: ServerEvent) -> Any:
        """The JSON value of an event.

        Raises:
            StreamBroken: It is not JSON, or the end of the stream cut it.
        """
        return self._sent.decode(event)

    def error(self, value: Any) -> ProviderError:
        """The error that an error value inside the stream means."""
        return _errors.stream_error(self._service.provider, value, key=self._sent.key.value)

    async def _read(self) -> AsyncGenerator[ServerEvent, None]:
        """The events as they are complete, until the answer ends."""
        clock = asyncio.get_running_loop().time
        silent_at = clock() + self.timeout
        while not self._ended:
            try:
                data = await self._deadline.wait(anext(self._bytes, None), min(silent_at, self._overdue_at))
                if data is None:
                    self._ended = True
                    events = self._parser.finish()
                else:
                    events = self._parser.feed(data) if self._begun else self._begin(data)
            except TimeoutError:
                raise self._late() from None
            except EventTooLarge as error:
                raise self._broken(f"sent more than can be taken in: {error}") from None
            except FOREIGN as error:
                raise foreign_error(self._service.provider, self._service.base_url, error, answering=True) from None
            for event in events:
                yield event
            if events:
                # The reader's own time does not count, and it may have changed `timeout`.
                silent_at = clock() + self.timeout

    def _begin(self, data: bytes) -> list[ServerEvent]:
        """Some servers answer 200 with one JSON value, e.g. an error, or with a web page, under any content type."""
        first = data.lstrip()[:1]
        self._begun = bool(first)
        if first == b"<":
            page = _errors.said(data)
            raise self._broken(f"answered with {page}", fix="Check the provider's `base_url`.")
        if first in (b"{", b"[") and isinstance(self._parser, ServerSentEvents):
            self._parser = JsonDocument()
        return self._parser.feed(data)

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                async for _ in self._bytes:
                    pass
        except FOREIGN:
            return

    def _late(self) -> TimedOut:
        if asyncio.get_running_loop().time() < self._overdue_at:
            return self._service.silent(self.timeout)
        return TimedOut(
            f"The answer of {self._service.provider} took longer than {self._service.most_seconds:g} s in all.",
            provider=self._service.provider,
        )

    def _broken(self, what: str, *, fix: str = "") -> StreamBroken:
        return StreamBroken(f"{self._service.provider} {what}", provider=self._service.provider, fix=fix)


class _Key:
    """A key that does not show itself: tracebacks print the values of local names."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value.strip()

    def __repr__(self) -> str:
        return "[key]"


class _Sent:
    """A response whose body is not yet read, and the key it was asked with."""

    def __init__(self, service: HttpService, response: Response, key: _Key) -> None:
        self.service = service
        self.response = response
        self.key = key

    async def refusal(self) -> ProviderError:
        """Read what the server says of its refusal, as far as it does say it."""
        body = b""
        try:
            async with asyncio.timeout(ERROR_BODY_SECONDS):
                body = await read_body(self.response, MOST_ERROR_BYTES)
        except FOREIGN:
            body = b""
        finally:
            await self.response.aclose()
        return _errors.status_error(
            self.service.provider, self.response.status_code, self.response.headers, body, key=self.key.value
        )

    def decode(self, event: ServerEvent) -> Any:
        try:
            return orjson.loads(event.data)
        except orjson.JSONDecodeError:
            name = self.service.provider
            if event.cut:
                raise StreamBroken(f"The answer of {name} broke off in the middle of a line.", provider=name) from None
            start = _errors.scrubbed(_errors.said(event.data[:200]), self.key.value)
            raise StreamBroken(f"A part of {name}'s answer is not JSON: {start}", provider=name) from None
