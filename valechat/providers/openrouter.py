"""OpenRouter: Chat Completions in front of many providers, with the cost of each request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from valechat.errors import ModelNotFound, StreamBroken, TimedOut
from valechat.providers._health import health_of
from valechat.providers._openrouter_reader import OpenRouterReader, error_in, with_exact_cost
from valechat.providers._openrouter_reasoning import WIRE
from valechat.providers._openrouter_request import openrouter_body
from valechat.providers._service import EventStream, HttpService
from valechat.providers._setup import Setup, settings_schema
from valechat.providers.base import Capabilities, Chunk, Health, ModelInfo, NoteChunk, RateLimits, Request
from valechat.wires.reading import mapping

__all__ = ["OpenRouter", "create"]

AFTER_STOP_SECONDS = 10.0
"""How long usage may take after the stop reason."""

CHECK_SECONDS = 10.0


def create(setup: Setup) -> OpenRouter:
    """The adapter for a provider's settings.

    An app shows itself to OpenRouter by `HTTP-Referer` and `X-Title` under `headers`; none is sent unasked.
    """
    return OpenRouter(setup.connect(), local=setup.local, models=setup.models)


class OpenRouter:
    """OpenRouter, or a gateway that speaks like it.

    Args:
        http: Its server.
        local: Its models run on this machine and are free.
        models: Its models by name; empty to ask the server.
    """

    wire = WIRE

    def __init__(self, http: HttpService, *, local: bool = False, models: tuple[str, ...] = ()) -> None:
        self.name = http.provider
        self.local = local
        self._http = http
        self._models = models
        self._capabilities: dict[str, Capabilities] = {}

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Send a request and yield what arrives; see `Provider.stream`."""
        body, notes = openrouter_body(request, self.name, self.capabilities(request.model))
        for note in notes:
            yield NoteChunk(note)
        reader = OpenRouterReader(self.name, request.model)
        async with (
            self._http.stream_events("/chat/completions", body, timeout=request.options.timeout) as events,
            aclosing(self._read(events, reader)) as chunks,
        ):
            async for chunk in chunks:
                yield chunk

    async def _read(self, events: EventStream, reader: OpenRouterReader) -> AsyncGenerator[Chunk, None]:
        try:
            async for event in events:
                if event.data == b"[DONE]":
                    break
                value = with_exact_cost(events.decode(event), event.data)
                error = error_in(value)
                for chunk in reader.read(value):
                    yield chunk
                if error is not None:
                    # What was used until then may stand beside the error, and is billed.
                    for chunk in reader.latest_usage():
                        yield chunk
                    raise events.error(error)
                if reader.stopped:
                    events.timeout = min(events.timeout, AFTER_STOP_SECONDS)
            else:
                if not reader.stopped:
                    raise StreamBroken(f"The answer of {self.name} ended in the middle.", provider=self.name)
        except (StreamBroken, TimedOut):
            if not reader.stopped:
                for chunk in reader.latest_usage():
                    yield chunk
                raise
        for chunk in reader.finish():
            yield chunk

    async def models(self) -> list[ModelInfo]:
        """The models that answer in words, by name."""
        if self._models:
            return [ModelInfo(name) for name in self._models]
        listed = mapping(await self._http.get_json("/models")).get("data")
        items = [item for item in (listed if isinstance(listed, list) else ()) if _writes(item)]
        models = sorted(map(_model, items), key=lambda model: model.name)
        self._capabilities = {model.name: model.capabilities for model in models}
        return models

    async def check(self) -> Health:
        """Whether the key works and the server can be used now; its model list is open to everybody."""
        return await health_of(self._check_key())

    async def _check_key(self) -> None:
        try:
            await self._http.get_json("/key", timeout=CHECK_SECONDS)
        except ModelNotFound:
            # A gateway that speaks like OpenRouter has no such address.
            await self._http.get_json("/models", timeout=CHECK_SECONDS)

    def capabilities(self, model: str) -> Capabilities:
        """What the server told of a model when its models were last listed."""
        return self._capabilities.get(model, Capabilities())

    def rate_limits(self) -> RateLimits | None:
        """What the server last said of its rate limits."""
        return self._http.rate_limits

    def config_schema(self) -> Mapping[str, Any]:
        """JSON Schema of the provider's settings."""
        return settings_schema(self._http.base_url)


def _writes(item: Any) -> bool:
    outputs = mapping(item, "architecture").get("output_modalities")
    return isinstance(mapping(item).get("id"), str) and (not isinstance(outputs, list) or "text" in outputs)


def _model(item: Mapping[str, Any]) -> ModelInfo:
    inputs = mapping(item, "architecture").get("input_modalities")
    options = item.get("supported_parameters")
    return ModelInfo(
        name=item["id"],
        title=str(item.get("name") or ""),
        context_tokens=_count(item.get("context_length")),
        max_output_tokens=_count(mapping(item, "top_provider").get("max_completion_tokens")),
        capabilities=Capabilities(
            tools=_has(options, "tools"),
            images=_has(inputs, "image"),
            files=_has(inputs, "file"),
            reasoning=_has(options, "reasoning"),
            schema=_has(options, "structured_outputs"),
        ),
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _has(names: Any, name: str) -> bool | None:
    return name in names if isinstance(names, list) else None
