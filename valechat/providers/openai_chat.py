"""OpenAI's Chat Completions, and every server that speaks it."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from valechat.errors import StreamBroken, TimedOut
from valechat.providers._batch_openai import OpenAIBatches
from valechat.providers._chat_models import chat_models
from valechat.providers._chat_reader import ChatReader
from valechat.providers._chat_request import WIRE, Dialect, chat_body
from valechat.providers._health import health_of
from valechat.providers._service import HttpService
from valechat.providers._setup import Setup, settings_schema
from valechat.providers.base import Capabilities, Chunk, Health, ModelInfo, NoteChunk, RateLimits, Request

__all__ = ["OpenAIChat", "create"]

AFTER_STOP_SECONDS = 10.0
"""How long usage may take after the stop reason: some servers keep the connection open without saying more."""

CHECK_SECONDS = 10.0

_DIALECTS: dict[str, Dialect] = {
    "openai": Dialect(completion_tokens=True, files=True),
    "deepseek": Dialect(json_schema=False, replay_reasoning=True),
    "mistral": Dialect(nine_character_ids=True, seed="random_seed", stream_options=False),
}
"""By the provider's built-in name; all others speak the default."""

_OPENAI_SEES = re.compile(r"gpt-4o|gpt-4\.|gpt-4-turbo|gpt-[5-9]|o[1-9](?!-mini)|o4-mini|chatgpt")
_OPENAI_REASONS = re.compile(r"o\d|gpt-[5-9](?!.*chat)")


def create(setup: Setup) -> OpenAIChat:
    """The adapter for a provider's settings."""
    return OpenAIChat(
        setup.connect(),
        local=setup.local,
        official=setup.built_in == "openai",
        dialect=_DIALECTS.get(setup.built_in, Dialect()),
        models=setup.models,
    )


class OpenAIChat:
    """A provider that speaks Chat Completions.

    Args:
        http: Its server.
        local: Its models run on this machine and are free.
        official: It is OpenAI itself, whose models' abilities are known.
        dialect: How it differs from OpenAI.
        models: Its models by name; empty to ask the server.
    """

    wire = WIRE

    def __init__(
        self,
        http: HttpService,
        *,
        local: bool = False,
        official: bool = False,
        dialect: Dialect | None = None,
        models: tuple[str, ...] = (),
    ) -> None:
        self.name = http.provider
        self.local = local
        self._http = http
        self._official = official
        self._dialect = dialect or Dialect()
        self._models = models

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Send a request and yield what arrives; see `Provider.stream`."""
        body, notes = chat_body(request, self.name, self._dialect, self.capabilities(request.model))
        for note in notes:
            yield NoteChunk(note)
        reader = ChatReader(self.name, keep_reasoning=self._dialect.replay_reasoning)
        async with self._http.stream_events("/chat/completions", body, timeout=request.options.timeout) as events:
            try:
                async for event in events:
                    if event.data == b"[DONE]":
                        break
                    value = events.decode(event)
                    if _is_error(value):
                        raise events.error(value)
                    for chunk in reader.read(value):
                        yield chunk
                    if reader.stopped:
                        events.timeout = min(events.timeout, AFTER_STOP_SECONDS)
                else:
                    if not reader.stopped:
                        raise StreamBroken(f"The answer of {self.name} ended in the middle.", provider=self.name)
            except (StreamBroken, TimedOut):
                # What came after the stop reason could only have been usage: the answer itself is whole.
                if not reader.stopped:
                    for chunk in reader.latest_usage():
                        yield chunk
                    raise
            for chunk in reader.finish():
                yield chunk

    @property
    def batches(self) -> OpenAIBatches:
        """Its batch API."""
        return OpenAIBatches(self._http, self._dialect, self.capabilities)

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
        sees = bool(_OPENAI_SEES.match(model))
        return Capabilities(
            tools=True, images=sees, files=sees, reasoning=bool(_OPENAI_REASONS.match(model)), schema=True
        )

    def rate_limits(self) -> RateLimits | None:
        """What the server last said of its rate limits."""
        return self._http.rate_limits

    def config_schema(self) -> Mapping[str, Any]:
        """JSON Schema of the provider's settings."""
        return settings_schema(self._http.base_url)


def _is_error(value: Any) -> bool:
    """Whether a value of the stream is an error: `{"error": …}`, vLLM's `{"object": "error", …}`, or a list of such."""
    if isinstance(value, dict):
        return bool(value.get("error")) or value.get("object") == "error"
    return isinstance(value, list)
