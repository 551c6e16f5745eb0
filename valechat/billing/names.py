"""What a model is called: `provider/model`, and which names mean the same price.

A price is taken only for the same model: under its own name, a dated snapshot of it, or its
`-latest`. A name that merely looks alike has no price.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

__all__ = ["candidates", "canonical", "is_local", "same_model", "split"]

_ALIASES = {
    "google": "gemini",
    "mistralai": "mistral",
    "moonshot": "moonshotai",
    "fireworks-ai": "fireworks",
    "together-ai": "together",
    "together_ai": "together",
    "togetherai": "together",
    "x-ai": "xai",
    "z-ai": "zai",
}
_PREFIXES = {"gemini": ("models/",), "fireworks": ("accounts/fireworks/models/",)}
_LOCAL = {"ollama", "lmstudio"}
_DATED = re.compile(r"[-@](20\d\d)-?(\d\d)-?(\d\d)$")
_GEMINI = (re.compile(r"-\d\d-\d\d(\d\d)?$"), re.compile(r"-preview$|-\d{3}$"))
"""Gemini's snapshots: -preview-05-20, -preview-09-2025, then -preview, -001."""
_LATEST = {"anthropic", "gemini", "openai", "xai"}
"""Where `x-latest` is the newest snapshot of `x`. Mistral's, for one, moves on to other models."""


def split(model: str) -> tuple[str, str]:
    """Provider and name of `provider/model` or `provider:model`; no provider for a bare name."""
    slash, colon = model.find("/"), model.find(":")
    if slash < 0 and colon < 0:
        return "", model
    at = min(place for place in (slash, colon) if place >= 0)
    return model[:at], model[at + 1 :]


def canonical(model: str) -> str:
    """`provider/model` in the spelling the price table uses."""
    provider, name = split(model.strip().lower())
    provider = _ALIASES.get(provider, provider)
    for prefix in _PREFIXES.get(provider, ()):
        name = name.removeprefix(prefix)
    return f"{provider}/{name}" if provider else name


def candidates(model: str) -> Iterator[str]:
    """Names of the same model to look a price up under, the most exact first."""
    model = canonical(model)
    yield model
    provider, name = split(model)
    if name.startswith("ft:"):
        # A fine-tuned model is priced by its base: ft:gpt-4o-mini-2024-07-18:org:name:id
        model = f"{provider}/{':'.join(name.split(':')[:2])}"
        yield model
    undated = _undated(model)
    if undated != model:
        yield undated
    if provider in _LATEST and undated.endswith("-latest"):
        yield undated.removesuffix("-latest")
    if provider == "gemini":
        for ending in _GEMINI:
            if (shorter := ending.sub("", undated)) != undated:
                undated = shorter
                yield undated


def same_model(model: str) -> str:
    """One name for a model and all its dated snapshots, so that a limit on one holds for all."""
    return _undated(canonical(model))


def is_local(model: str) -> bool:
    """Whether the model runs on the user's own machine and costs nothing.

    Ollama's `-cloud` models run at ollama.com under a subscription, so they are not.
    """
    provider, name = split(canonical(model))
    return provider in _LOCAL and not name.endswith(("-cloud", ":cloud"))


def _undated(model: str) -> str:
    found = _DATED.search(model)
    if found is None:
        return model
    try:
        date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return model
    return model[: found.start()]
