"""The model list of a server that speaks OpenAI's `GET /models`, in the forms servers give it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from valechat.providers.base import Capabilities, ModelInfo

__all__ = ["chat_models"]

_NO_CHAT = re.compile(
    r"embed|whisper|tts|dall-e|moderation|guard|realtime|transcri|image|sora|babbage|davinci|rerank|speech|ocr|bge-"
    r"|(^|[-/])audio",
    re.IGNORECASE,
)
_NO_CHAT_TYPES = frozenset({"embedding", "embeddings", "image", "audio", "moderation", "rerank", "transcribe", "video"})


def chat_models(listed: Any) -> list[ModelInfo]:
    """The models for chat among those listed, by name: OpenAI's `{"data": [...]}`, or a bare list."""
    items = listed.get("data") if isinstance(listed, Mapping) else listed
    models = [_model(item) for item in items or () if isinstance(item, Mapping) and _chats(item)]
    return sorted(models, key=lambda model: model.name)


def _chats(item: Mapping[str, Any]) -> bool:
    if not isinstance(item.get("id"), str):
        return False
    able = item.get("capabilities")
    if isinstance(able, Mapping) and "completion_chat" in able:
        return bool(able["completion_chat"])
    if isinstance(item.get("type"), str):
        return item["type"].lower() not in _NO_CHAT_TYPES
    return not _NO_CHAT.search(item["id"])


def _model(item: Mapping[str, Any]) -> ModelInfo:
    able = item.get("capabilities")
    able = able if isinstance(able, Mapping) else {}
    return ModelInfo(
        name=item["id"],
        title=str(item.get("display_name") or item.get("name") or ""),
        context_tokens=_count(item, "context_length", "context_window", "max_context_length", "max_model_len"),
        max_output_tokens=_count(item, "max_output_tokens", "max_completion_tokens"),
        capabilities=Capabilities(
            tools=_flag(able, "function_calling", "tools", "tool_use"),
            images=_flag(able, "vision", "images"),
            files=_flag(able, "files"),
            reasoning=_flag(able, "reasoning"),
        ),
    )


def _count(item: Mapping[str, Any], *names: str) -> int | None:
    return next((item[name] for name in names if isinstance(item.get(name), int) and item[name] > 0), None)


def _flag(able: Mapping[str, Any], *names: str) -> bool | None:
    return next((bool(able[name]) for name in names if able.get(name) is not None), None)
