"""Ollama's own API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from valechat.errors import ConfigError, ModelNotFound, ProviderError, StreamBroken, Unreachable
from valechat.providers._loading import patient
from valechat.providers._ollama_models import full_name, listed, model_info
from valechat.providers._ollama_reader import OllamaReader
from valechat.providers._ollama_request import WIRE, ollama_body
from valechat.providers._service import EventStream, HttpService
from valechat.providers._setup import Setup, settings_schema
from valechat.providers.base import Capabilities, Chunk, Health, ModelInfo, NoteChunk, RateLimits, Request
from valechat.wires.reading import mapping

__all__ = ["Ollama", "create"]

CHECK_SECONDS = 10.0
SHOW_SECONDS = 5.0
MOST_SHOWN_AT_ONCE = 4

_CLOUD = "ollama.com"


def create(setup: Setup) -> Ollama:
    """The adapter for a provider's settings. The address is the server's own, without `/v1` or `/api`."""
    base_url = setup.base_url.removesuffix("/v1").removesuffix("/api").rstrip("/")
    cloud = (urlsplit(base_url).hostname or "").endswith(_CLOUD)
    http = patient(replace(setup, base_url=base_url)).connect()
    return Ollama(http, local=setup.local and not cloud, models=setup.models)


class Ollama:
    """An Ollama server.

    Args:
        http: The server.
        local: Its models run on this machine and are free.
        models: Its models by name; empty to ask the server.
    """

    wire = WIRE

    def __init__(self, http: HttpService, *, local: bool = True, models: tuple[str, ...] = ()) -> None:
        self.name = http.provider
        self.local = local
        self._http = http
        self._models = models
        # What `/api/show` told, by digest: it never changes.
        self._shown: dict[str, Any] = {}
        self._capabilities: dict[str, Capabilities] = {}

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Send a request and yield what arrives; see `Provider.stream`."""
        body, notes = ollama_body(request, self.name, self.capabilities(request.model))
        for note in notes:
            yield NoteChunk(note)
        try:
            async with (
                self._http.stream_events("/api/chat", body, timeout=request.options.timeout, lines=True) as events,
                aclosing(self._read(events)) as chunks,
            ):
                async for chunk in chunks:
                    yield chunk
        except ModelNotFound as error:
            raise self._not_pulled(error, request.model) from None

    async def _read(self, events: EventStream) -> AsyncGenerator[Chunk, None]:
        reader = OllamaReader(self.name)
        async for event in events:
            value = events.decode(event)
            if isinstance(value, Mapping) and value.get("error"):
                status = value.get("status") or value.get("StatusCode")
                raise events.error({"error": {"message": value["error"], "code": status}})
            for chunk in reader.read(value):
                yield chunk
            if reader.ended:
                return
        raise StreamBroken(f"The answer of {self.name} ended before it was complete.", provider=self.name)

    async def models(self) -> list[ModelInfo]:
        """The models that are on the server and can chat, with what each can do."""
        if self._models:
            return [ModelInfo(name) for name in self._models]
        items = listed(await self._http.get_json("/api/tags"))
        gate = asyncio.Semaphore(MOST_SHOWN_AT_ONCE)
        shown = await asyncio.gather(*(self._show(item, gate) for item in items))
        found = [info for item, told in zip(items, shown, strict=True) if (info := model_info(item, told))]
        self._capabilities = {full_name(info.name): info.capabilities for info in found}
        return found

    async def _show(self, item: Mapping[str, Any], gate: asyncio.Semaphore) -> Any:
        """What the server tells of a model; None where it does not."""
        digest = item.get("digest")
        if isinstance(digest, str) and digest in self._shown:
            return self._shown[digest]
        try:
            async with gate:
                told = mapping(await self._http.post_json("/api/show", {"model": item["name"]}, timeout=SHOW_SECONDS))
        except ProviderError:
            return None
        kept = {name: told[name] for name in ("capabilities", "model_info") if name in told}
        if isinstance(digest, str) and digest:
            self._shown[digest] = kept
        return kept

    async def check(self) -> Health:
        """Whether the server runs and has a model."""
        try:
            models = listed(await self._http.get_json("/api/tags", timeout=CHECK_SECONDS))
        except Unreachable as error:
            return Health(ok=False, message=error.message, fix="Start it with `ollama serve`.")
        except (ProviderError, ConfigError) as error:
            return Health(ok=False, message=error.message, fix=error.fix)
        if not models:
            return Health(ok=True, message="Answers, but has no models.", fix="Run `ollama pull NAME`.")
        return Health(ok=True, message="Answers.")

    def capabilities(self, model: str) -> Capabilities:
        """What the server told of a model when its models were last listed."""
        return self._capabilities.get(full_name(model), Capabilities())

    def rate_limits(self) -> RateLimits | None:
        """What the server last said of its rate limits."""
        return self._http.rate_limits

    def config_schema(self) -> Mapping[str, Any]:
        """JSON Schema of the provider's settings."""
        return settings_schema(self._http.base_url)

    def _not_pulled(self, error: ModelNotFound, model: str) -> ModelNotFound:
        """The same error with what to do, where it is the model that is not there, and not the address."""
        fix = f"Run `ollama pull {model}`." if model in error.message else error.fix
        return ModelNotFound(
            error.message, provider=error.provider, status=error.status, retry_after=error.retry_after, fix=fix
        )
