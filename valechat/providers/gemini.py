"""Google's Gemini API."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from valechat.errors import RequestRejected, StreamBroken, TimedOut
from valechat.providers._gemini_models import capabilities_of, listed_models
from valechat.providers._gemini_reader import GeminiReader
from valechat.providers._gemini_request import WIRE, gemini_body
from valechat.providers._health import health_of
from valechat.providers._service import EventStream, HttpService
from valechat.providers._setup import Setup, settings_schema
from valechat.providers.base import Capabilities, Chunk, Health, ModelInfo, NoteChunk, RateLimits, Request

__all__ = ["Gemini", "create", "x_goog_api_key"]

VERSION = "v1beta"

AFTER_STOP_SECONDS = 10.0
"""How long the stream's end may take after the reason why the answer ended, with which it is whole."""

CHECK_SECONDS = 10.0
MOST_PAGES = 20


def x_goog_api_key(key: str) -> Mapping[str, str]:
    """The header that carries the key."""
    return {"x-goog-api-key": key}


def create(setup: Setup) -> Gemini:
    """The adapter for a provider's settings. An address without a version gets `/v1beta`."""
    versioned = re.search(r"/v\d+[a-z0-9]*$", setup.base_url)
    at = setup if versioned else replace(setup, base_url=f"{setup.base_url}/{VERSION}")
    return Gemini(at.connect(auth=x_goog_api_key), local=setup.local, models=setup.models)


class Gemini:
    """A provider that speaks Gemini's `generateContent`.

    Args:
        http: Its server; its address ends in the API's version.
        local: Its models run on this machine and are free.
        models: Its models by name; empty to ask the server.
    """

    wire = WIRE

    def __init__(self, http: HttpService, *, local: bool = False, models: tuple[str, ...] = ()) -> None:
        self.name = http.provider
        self.local = local
        self._http = http
        self._models = models

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Send a request and yield what arrives; see `Provider.stream`.

        Where the server refuses a signature it gave before, the request is sent once more without them: it
        would otherwise refuse every further turn of the conversation.
        """
        body, notes = gemini_body(request, self.name)
        for note in notes:
            yield NoteChunk(note)
        begun = False
        try:
            async with aclosing(self._asked(request, body)) as chunks:
                async for chunk in chunks:
                    begun = True
                    yield chunk
        except RequestRejected as error:
            bare, _ = gemini_body(request, self.name, keep_signatures=False)
            if begun or "signature" not in error.message.lower() or bare == body:
                raise
        else:
            return
        yield NoteChunk("The server refused the model's earlier reasoning; the request was sent without it.")
        async with aclosing(self._asked(request, bare)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _asked(self, request: Request, body: Mapping[str, Any]) -> AsyncGenerator[Chunk, None]:
        model = request.model if "/" in request.model else f"models/{request.model}"
        path = f"/{quote(model, safe='/')}:streamGenerateContent?alt=sse"
        async with (
            self._http.stream_events(path, body, timeout=request.options.timeout) as events,
            aclosing(self._read(events, GeminiReader(self.name, request.model))) as chunks,
        ):
            async for chunk in chunks:
                yield chunk

    async def _read(self, events: EventStream, reader: GeminiReader) -> AsyncGenerator[Chunk, None]:
        try:
            async for event in events:
                for value in _values(events.decode(event)):
                    if isinstance(value, Mapping) and value.get("error"):
                        raise events.error(value)
                    for chunk in reader.read(value):
                        yield chunk
                if reader.stopped:
                    events.timeout = min(events.timeout, AFTER_STOP_SECONDS)
            if not reader.stopped:
                raise StreamBroken(f"The answer of {self.name} ended before it was complete.", provider=self.name)
        except (StreamBroken, TimedOut):
            if not reader.stopped:
                for chunk in reader.latest_usage():
                    yield chunk
                raise
        for chunk in reader.finish():
            yield chunk

    async def models(self) -> list[ModelInfo]:
        """The models the server offers for chat, all pages of its list."""
        if self._models:
            return [ModelInfo(name, capabilities=self.capabilities(name)) for name in self._models]
        items: list[Any] = []
        path = "/models?pageSize=1000"
        for _ in range(MOST_PAGES):
            page = await self._http.get_json(path)
            if not isinstance(page, Mapping):
                break
            items.extend(page.get("models") or ())
            token = page.get("nextPageToken")
            if not isinstance(token, str) or not token:
                break
            path = f"/models?pageSize=1000&pageToken={quote(token, safe='')}"
        return listed_models(items)

    async def check(self) -> Health:
        """Whether the server can be used now."""
        return await health_of(self._http.get_json("/models?pageSize=1", timeout=CHECK_SECONDS))

    def capabilities(self, model: str) -> Capabilities:
        """What is known of a model by its name."""
        return capabilities_of(model)

    def rate_limits(self) -> RateLimits | None:
        """What the server last said of its rate limits."""
        return self._http.rate_limits

    def config_schema(self) -> Mapping[str, Any]:
        """JSON Schema of the provider's settings."""
        return settings_schema(self._http.base_url.removesuffix(f"/{VERSION}"))


def _values(value: Any) -> Iterator[Any]:
    """One value, or those of a list: how a server answers that passes over `alt=sse`."""
    if isinstance(value, list):
        yield from value
    else:
        yield value
