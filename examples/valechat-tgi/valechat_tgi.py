"""A provider: servers of Hugging Face's text-generation-inference, by their own API.

    [providers.lab]
    kind = "tgi"
    base_url = "http://127.0.0.1:8080"

https://huggingface.co/docs/text-generation-inference/basic_tutorials/consuming_tgi
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from valechat.extending import (
    Capabilities,
    Chunk,
    Health,
    HttpService,
    ModelInfo,
    NoteChunk,
    ProviderError,
    RateLimits,
    Request,
    Setup,
    StopChunk,
    StreamBroken,
    TextChunk,
    UsageChunk,
    settings_schema,
)

__all__ = ["Tgi", "create"]

REASONS = {"length": "max_tokens", "eos_token": "end", "stop_sequence": "stop_sequence"}


def create(setup: Setup) -> Tgi:
    """What the entry point names: from settings to a provider."""
    return Tgi(setup.connect(), local=setup.local)


class Tgi:
    """One server. It keeps nothing of a stream, so any number may run at once."""

    wire = "openai.chat"
    """How its `UsageChunk`s are read: the counts below are named as Chat Completions names them."""

    def __init__(self, http: HttpService, *, local: bool) -> None:
        self.name = http.provider
        self.local = local
        self._http = http

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Send a request and yield what arrives."""
        if request.tools:
            yield NoteChunk("This server takes no tools; they were left out.")
        options = request.options
        parameters = {"max_new_tokens": options.max_tokens, "temperature": options.temperature, "seed": options.seed}
        body = {
            "inputs": _prompt(request),
            "parameters": {name: value for name, value in parameters.items() if value is not None}
            | {"details": True, "decoder_input_details": False},
        }
        async with self._http.stream_events("/generate_stream", body, timeout=options.timeout) as events:
            async for event in events:
                value = events.decode(event)
                if "error" in value:
                    raise events.error({"error": {"message": value["error"]}})
                token = value.get("token") or {}
                if token.get("text") and not token.get("special"):
                    yield TextChunk(token["text"])
                if details := value.get("details"):
                    counts = {
                        "prompt_tokens": details.get("input_length"),
                        "completion_tokens": details["generated_tokens"],
                    }
                    yield UsageChunk({"usage": counts})
                    yield StopChunk(REASONS.get(details["finish_reason"], "other"), details["finish_reason"])
                    return
        raise StreamBroken(f"The answer of {self.name} ended before it was complete.", provider=self.name)

    async def models(self) -> list[ModelInfo]:
        """The one model that the server runs."""
        info = await self._http.get_json("/info")
        return [ModelInfo(info["model_id"], context_tokens=info.get("max_total_tokens"))]

    async def check(self) -> Health:
        """Whether it answers."""
        try:
            await self._http.get_json("/info", timeout=10)
        except ProviderError as error:
            return Health(ok=False, message=error.message, fix=error.fix)
        return Health(ok=True, message="Answers.")

    def capabilities(self, model: str) -> Capabilities:
        """Text only, whatever the model."""
        del model
        return Capabilities(tools=False, images=False, files=False, schema=False)

    def rate_limits(self) -> RateLimits | None:
        """It says nothing of limits."""
        return None

    def config_schema(self) -> Mapping[str, Any]:
        """The settings it takes."""
        return settings_schema(self._http.base_url)


def _prompt(request: Request) -> str:
    """The conversation as plain text; a real package would use the model's own chat template."""
    lines = [f"{message.role}: {message.text}" for message in request.messages]
    return "\n".join([*([request.system] if request.system else []), *lines, "assistant:"])
