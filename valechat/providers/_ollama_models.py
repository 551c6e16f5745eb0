"""Ollama's model list, and what it tells of a model (API reference, "List models" and "Show model details")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from valechat.providers.base import Capabilities, ModelInfo
from valechat.wires.reading import mapping

__all__ = ["full_name", "listed", "model_info"]


def full_name(model: str) -> str:
    """A model's name with its tag: without one Ollama takes `latest`."""
    return model if ":" in model.rpartition("/")[2] else f"{model}:latest"


def listed(tags: Any) -> list[Mapping[str, Any]]:
    """The models of `/api/tags`."""
    models = tags.get("models") if isinstance(tags, Mapping) else None
    return [
        item
        for item in (models if isinstance(models, list) else ())
        if isinstance(item, Mapping) and isinstance(item.get("name"), str) and item["name"]
    ]


def model_info(item: Mapping[str, Any], shown: Any) -> ModelInfo | None:
    """A model from its line in the list and what `/api/show` told of it, if anything; None where it cannot chat."""
    told = mapping(shown)
    able = told.get("capabilities") or item.get("capabilities")
    if isinstance(able, list) and "completion" not in able:
        return None
    details = mapping(item, "details")
    size = " ".join(str(details[name]) for name in ("parameter_size", "quantization_level") if details.get(name))
    name = str(item["name"])
    return ModelInfo(
        name=name,
        title=f"{name} ({size})" if size else "",
        context_tokens=_context(mapping(told, "model_info")),
        capabilities=_capabilities(able) if isinstance(able, list) else Capabilities(schema=True),
    )


def _capabilities(able: list[Any]) -> Capabilities:
    return Capabilities(
        tools="tools" in able, images="vision" in able, files=False, reasoning="thinking" in able, schema=True
    )


def _context(info: Mapping[str, Any]) -> int | None:
    """Tokens the model was made for; how many the server gives it is the server's setting."""
    length = info.get(f"{info.get('general.architecture')}.context_length")
    return length if isinstance(length, int) and length > 0 else None
