"""LM Studio: Chat Completions, with a model list of its own that tells what each model can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from valechat.errors import ProviderError
from valechat.providers._loading import patient
from valechat.providers._service import HttpService
from valechat.providers._setup import Setup
from valechat.providers.base import Capabilities, ModelInfo
from valechat.providers.openai_chat import OpenAIChat
from valechat.wires.reading import mapping

__all__ = ["LMStudio", "create"]


def create(setup: Setup) -> LMStudio:
    """The adapter for a provider's settings."""
    chat = patient(setup)
    native = replace(chat, base_url=chat.base_url.removesuffix("/v1"))
    return LMStudio(chat.connect(), native.connect(), local=setup.local, models=setup.models)


class LMStudio(OpenAIChat):
    """An LM Studio server.

    Args:
        http: Its Chat Completions.
        native: Its own API.
        local: Its models run on this machine and are free.
        models: Its models by name; empty to ask the server.
    """

    def __init__(
        self, http: HttpService, native: HttpService, *, local: bool = True, models: tuple[str, ...] = ()
    ) -> None:
        super().__init__(http, local=local, models=models)
        self._native = native
        self._capabilities: dict[str, Capabilities] = {}

    async def models(self) -> list[ModelInfo]:
        """The models that are on the machine, loaded or not: it loads them when they are asked."""
        if self._models:
            return await super().models()
        try:
            listed = mapping(await self._native.get_json("/api/v0/models")).get("data")
        except ProviderError:
            # Before 0.3.6 it has only the list that OpenAI has; a server that is down is told by that one, too.
            return await super().models()
        items = [item for item in (listed if isinstance(listed, list) else ()) if _chats(item)]
        models = sorted(map(_model, items), key=lambda model: model.name)
        self._capabilities = {model.name: model.capabilities for model in models}
        return models

    def capabilities(self, model: str) -> Capabilities:
        """What the server told of a model when its models were last listed."""
        return self._capabilities.get(model, Capabilities())


def _chats(item: Any) -> bool:
    return isinstance(mapping(item).get("id"), str) and mapping(item).get("type") in ("llm", "vlm")


def _model(item: Mapping[str, Any]) -> ModelInfo:
    able = item.get("capabilities")
    return ModelInfo(
        name=item["id"],
        # The window a loaded model was given is often smaller than the one it was made for.
        context_tokens=_count(item.get("loaded_context_length")) or _count(item.get("max_context_length")),
        capabilities=Capabilities(
            # A model that was not made for tools is told of them in words by the server, so it is not ruled out.
            tools=True if isinstance(able, list) and "tool_use" in able else None,
            images=item.get("type") == "vlm",
        ),
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
