"""Anthropic's Messages API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

from valechat.errors import RequestRejected, StreamBroken, TimedOut
from valechat.providers._anthropic_models import capabilities_of, listed_models
from valechat.providers._anthropic_reader import AnthropicReader
from valechat.providers._anthropic_request import WIRE, AnthropicBody, anthropic_body
from valechat.providers._batch_anthropic import AnthropicBatches
from valechat.providers._health import health_of
from valechat.providers._service import EventStream, HttpService
from valechat.providers._setup import Setup, settings_schema
from valechat.providers.base import Capabilities, Chunk, Health, ModelInfo, NoteChunk, RateLimits, Request

__all__ = ["Anthropic", "create"]

VERSION = "2023-06-01"
"""`anthropic-version`. Later ones refuse `temperature` for every model."""

BETAS = "anthropic-beta"

AFTER_STOP_SECONDS = 10.0
"""How long the stream's end may take after the stop reason, with which the answer is whole."""

CHECK_SECONDS = 10.0
MOST_PAGES = 20


def create(setup: Setup) -> Anthropic:
    """The adapter for a provider's settings."""
    betas = next(((name, value) for name, value in setup.headers.items() if name.lower() == BETAS), (BETAS, ""))
    return Anthropic(
        setup.connect(auth=_x_api_key, headers={"anthropic-version": VERSION}),
        local=setup.local,
        official=setup.built_in == "anthropic",
        models=setup.models,
        betas=betas,
    )


class Anthropic:
    """A provider that speaks Anthropic's Messages.

    Args:
        http: Its server; its address ends in `/v1`.
        local: Its models run on this machine and are free.
        official: It is Anthropic itself.
        models: Its models by name; empty to ask the server.
        betas: The header for betas as the user wrote it: its name and value.
    """

    wire = WIRE

    def __init__(
        self,
        http: HttpService,
        *,
        local: bool = False,
        official: bool = False,
        models: tuple[str, ...] = (),
        betas: tuple[str, str] = (BETAS, ""),
    ) -> None:
        self.name = http.provider
        self.local = local
        self._http = http
        self._official = official
        self._models = models
        self._betas = betas

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Send a request and yield what arrives; see `Provider.stream`.

        Where the server refuses the model's own earlier reasoning, the request is sent once more without
        it: it would otherwise refuse every further turn of the conversation.
        """
        made = anthropic_body(request, self.name, official=self._official)
        for note in made.notes:
            yield NoteChunk(note)
        begun = False
        try:
            async with aclosing(self._asked(made, request.options.timeout)) as chunks:
                async for chunk in chunks:
                    begun = True
                    yield chunk
        except RequestRejected as error:
            bare = anthropic_body(request, self.name, official=self._official, keep_reasoning=False)
            if begun or "thinking" not in error.message.lower() or bare.body == made.body:
                raise
        else:
            return
        yield NoteChunk("The server refused the model's earlier reasoning; the request was sent without it.")
        async with aclosing(self._asked(bare, request.options.timeout)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _asked(self, made: AnthropicBody, timeout: float | None) -> AsyncGenerator[Chunk, None]:
        name, own = self._betas
        headers = {name: ",".join(filter(None, (own, *made.betas)))} if made.betas else {}
        async with (
            self._http.stream_events("/messages", made.body, headers=headers, timeout=timeout) as events,
            aclosing(self._read(events, AnthropicReader(self.name))) as chunks,
        ):
            async for chunk in chunks:
                yield chunk

    async def _read(self, events: EventStream, reader: AnthropicReader) -> AsyncGenerator[Chunk, None]:
        try:
            async for event in events:
                value = events.decode(event)
                if isinstance(value, Mapping) and (value.get("type") == "error" or value.get("error")):
                    raise events.error(value)
                for chunk in reader.read(value):
                    yield chunk
                if reader.ended:
                    break
                if reader.stopped:
                    events.timeout = min(events.timeout, AFTER_STOP_SECONDS)
        except (StreamBroken, TimedOut):
            # The stop reason comes with the last usage, after all content.
            if not reader.stopped:
                raise
        if not reader.stopped:
            raise StreamBroken(f"The answer of {self.name} ended before it was complete.", provider=self.name)
        for chunk in reader.finish():
            yield chunk

    @property
    def batches(self) -> AnthropicBatches:
        """Its batch API."""
        return AnthropicBatches(self._http, official=self._official)

    async def models(self) -> list[ModelInfo]:
        """The models the server offers, all pages of its list."""
        if self._models:
            return [ModelInfo(name, capabilities=self.capabilities(name)) for name in self._models]
        items: list[Any] = []
        path = "/models?limit=1000"
        for _ in range(MOST_PAGES):
            page = await self._http.get_json(path)
            if not isinstance(page, Mapping):
                break
            items.extend(page.get("data") or ())
            last = page.get("last_id")
            if not page.get("has_more") or not isinstance(last, str):
                break
            path = f"/models?limit=1000&after_id={quote(last, safe='')}"
        return listed_models(items)

    async def check(self) -> Health:
        """Whether the server can be used now."""
        return await health_of(self._http.get_json("/models?limit=1", timeout=CHECK_SECONDS))

    def capabilities(self, model: str) -> Capabilities:
        """What is known of a model by its name."""
        return capabilities_of(model) if "claude" in model.lower() else Capabilities()

    def rate_limits(self) -> RateLimits | None:
        """What the server last said of its rate limits."""
        return self._http.rate_limits

    def config_schema(self) -> Mapping[str, Any]:
        """JSON Schema of the provider's settings."""
        return settings_schema(self._http.base_url.removesuffix("/v1"))


def _x_api_key(key: str) -> Mapping[str, str]:
    """The header that carries the key."""
    return {"x-api-key": key}
