"""OpenAI's Responses API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from typing import Any

from valechat.errors import RequestRejected, StreamBroken
from valechat.providers._batch_openai import OpenAIBatches
from valechat.providers._chat_models import chat_models
from valechat.providers._chat_request import Dialect
from valechat.providers._health import health_of
from valechat.providers._openai_names import reasons, sees
from valechat.providers._responses_reader import ResponsesReader
from valechat.providers._responses_request import WIRE, responses_body
from valechat.providers._service import EventStream, HttpService
from valechat.providers._setup import Setup, settings_schema
from valechat.providers.base import Capabilities, Chunk, Health, ModelInfo, NoteChunk, RateLimits, Request

__all__ = ["OpenAIResponses", "create"]

CHECK_SECONDS = 10.0

_LEFT_OUT = {
    "summary": "OpenAI summarises reasoning for verified organisations only; the answer comes without a summary.",
    "reasoning": "The server could not read the model's earlier reasoning; the request was sent without it.",
}


def create(setup: Setup) -> OpenAIResponses:
    """The adapter for a provider's settings."""
    return OpenAIResponses(setup.connect(), local=setup.local, official=setup.built_in == "openai", models=setup.models)


class OpenAIResponses:
    """A provider that speaks Responses.

    Args:
        http: Its server.
        local: Its models run on this machine and are free.
        official: It is OpenAI itself, whose models' abilities are known.
        models: Its models by name; empty to ask the server.
    """

    wire = WIRE

    def __init__(
        self, http: HttpService, *, local: bool = False, official: bool = False, models: tuple[str, ...] = ()
    ) -> None:
        self.name = http.provider
        self.local = local
        self._http = http
        self._official = official
        self._models = models
        self._without: frozenset[str] = frozenset()

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Send a request and yield what arrives; see `Provider.stream`.

        A request that the server refuses for what it can do without is sent once more without it.
        """
        without = set(self._without)
        body, notes = self._body(request, without)
        for note in notes:
            yield NoteChunk(note)
        while True:
            begun = False
            try:
                async with aclosing(self._asked(body, request.options.timeout)) as chunks:
                    async for chunk in chunks:
                        begun = True
                        yield chunk
            except RequestRejected as error:
                refused = _dispensable(error)
                if begun or refused is None or refused in without:
                    raise
                without.add(refused)
                refused_body, (body, _) = body, self._body(request, without)
                if body == refused_body:
                    raise
                if refused == "summary":
                    self._without = frozenset({refused})
                yield NoteChunk(_LEFT_OUT[refused])
            else:
                return

    def _body(self, request: Request, without: Collection[str]) -> tuple[dict[str, Any], list[str]]:
        capabilities = self.capabilities(request.model)
        return responses_body(request, self.name, capabilities, official=self._official, without=without)

    async def _asked(self, body: Mapping[str, Any], timeout: float | None) -> AsyncGenerator[Chunk, None]:
        async with (
            self._http.stream_events("/responses", body, timeout=timeout) as events,
            aclosing(self._read(events, ResponsesReader(self.name))) as chunks,
        ):
            async for chunk in chunks:
                yield chunk

    async def _read(self, events: EventStream, reader: ResponsesReader) -> AsyncGenerator[Chunk, None]:
        async for event in events:
            if event.data.strip() == b"[DONE]":
                break
            value = events.decode(event)
            if isinstance(value, Mapping) and (value.get("type") == "error" or _refused(value)):
                raise events.error(value)
            for chunk in reader.read(value):
                yield chunk
            if reader.failed is not None:
                raise events.error(reader.failed)
            if reader.ended:
                break
        if not reader.ended:
            raise StreamBroken(f"The answer of {self.name} ended before it was complete.", provider=self.name)
        for chunk in reader.finish():
            yield chunk

    @property
    def batches(self) -> OpenAIBatches:
        """Its batch API, which takes Chat Completions as well."""
        return OpenAIBatches(self._http, Dialect(completion_tokens=self._official, files=True), self.capabilities)

    async def models(self) -> list[ModelInfo]:
        """The models the server offers for chat."""
        if self._models:
            return [ModelInfo(name) for name in self._models]
        return chat_models(await self._http.get_json("/models"))

    async def check(self) -> Health:
        """Whether the server can be used now."""
        return await health_of(self._http.get_json("/models", timeout=CHECK_SECONDS))

    def capabilities(self, model: str) -> Capabilities:
        """What is known of a model without asking: OpenAI's own only."""
        if not self._official:
            return Capabilities()
        return Capabilities(
            tools=True, images=sees(model), files=sees(model), reasoning=reasons(model, official=True), schema=True
        )

    def rate_limits(self) -> RateLimits | None:
        """What the server last said of its rate limits."""
        return self._http.rate_limits

    def config_schema(self) -> Mapping[str, Any]:
        """JSON Schema of the provider's settings."""
        return settings_schema(self._http.base_url, apis=("responses", "chat"))


def _dispensable(error: RequestRejected) -> str | None:
    """What a refused request can do without: only its words say, the code is `unsupported_value` for much else."""
    words = error.message.lower()
    if "reasoning summar" in words or "reasoning.summary" in words:
        return "summary"
    return "reasoning" if "encrypted content" in words else None


def _refused(value: Mapping[str, Any]) -> bool:
    """Whether it is an error in the form of a refusal's body. A response has a field `error` as well."""
    return bool(value.get("error")) and value.get("object") != "response" and "response" not in value
