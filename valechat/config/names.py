"""Names of models and providers, and the nearest name to a misspelt one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from valechat.errors import ConfigError, UnknownModel

__all__ = ["PROVIDER_NAME", "nearest", "parse_model"]

PROVIDER_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
"""What a provider may be called: it stands before the slash of a model's name."""


def parse_model(name: str, providers: Iterable[str] = ()) -> tuple[str, str]:
    """Split `provider/model` or `provider:model` into its two halves.

    The model keeps its own slashes and colons (`openrouter/anthropic/claude-sonnet-4`,
    `ollama/llama3:8b`). With `providers` given, the first half must be one of them.

    Raises:
        ConfigError: The name has no provider, or one of its halves is empty.
        UnknownModel: No provider of that name is among `providers`.
    """
    text = name.strip()
    provider, separator, model = text.partition(text[cut.start()] if (cut := re.search(r"[/:]", text)) else "/")
    provider, model = provider.strip().lower(), model.strip()
    if not separator or not model or not PROVIDER_NAME.fullmatch(provider):
        raise ConfigError(
            f"{name!r} does not name a model.", fix="Write it as provider/model, for example openai/gpt-5-mini."
        )
    known = set(providers)
    if known and provider not in known:
        near = nearest(provider, known)
        raise UnknownModel(
            f"There is no provider named {provider!r} (in {text!r}).",
            fix=f"Did you mean {near}/{model}?" if near else f"Providers are: {', '.join(sorted(known))}.",
        )
    return provider, model


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like the name, or None when none is near."""
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None
