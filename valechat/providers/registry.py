"""From a provider's name and settings to an adapter.

A kind of provider is one line in `_KINDS`, or an entry point in the group `valechat.providers` whose
object is a `Factory`. The built-in providers themselves are in `valechat.config.known`.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import cast

from valechat.config import ProviderSettings
from valechat.config.known import DEMO, KNOWN
from valechat.config.values import PROVIDERS
from valechat.errors import ConfigError
from valechat.providers._url import checked_base_url
from valechat.providers.base import KeySource, Provider

__all__ = ["build", "close"]

# A kind (and API, where it has several): the module and factory, and what its address ends in.
_KINDS: dict[str, tuple[str, str]] = {
    "openai": ("valechat.providers.openai_chat:create", ""),
    "openai/responses": ("valechat.providers.openai_responses:create", ""),
    "openai-compatible": ("valechat.providers.openai_chat:create", ""),
    "openai-compatible/responses": ("valechat.providers.openai_responses:create", ""),
    "lmstudio": ("valechat.providers.lmstudio:create", "/v1"),
    "lmstudio/responses": ("valechat.providers.openai_responses:create", "/v1"),
    "openrouter": ("valechat.providers.openrouter:create", ""),
    "ollama": ("valechat.providers.ollama:create", ""),
    "anthropic": ("valechat.providers.anthropic:create", "/v1"),
    "gemini": ("valechat.providers.gemini:create", ""),
}


def build(name: str, settings: ProviderSettings | None = None, key: KeySource | None = None) -> Provider:
    """The adapter of a provider.

    Args:
        name: The first half of `provider/model`.
        settings: Its table in `config.toml`; None for a built-in provider without one.
        key: Where its key comes from.

    Raises:
        ConfigError: The name or kind is unknown, or the address may not be used.
    """
    if name == DEMO:
        from valechat.providers.demo import Demo

        return Demo()
    from valechat.providers._setup import Factory, Setup

    known = KNOWN.get(name)
    if settings is None:
        if known is None:
            raise ConfigError(
                f"There is no provider named {name}.",
                fix=f"Name one of {', '.join(sorted(KNOWN))}, or add [providers.{name}].",
            )
        settings = ProviderSettings(kind=known.kind, base_url=known.base_url)
    usual = known or KNOWN.get(settings.kind)
    base_url = settings.base_url or (usual.base_url if usual else "")
    if not base_url:
        raise ConfigError(f"The address of {name} is not known.", fix=f"Write `base_url` in [providers.{name}].")
    built_in = usual is not None and base_url.rstrip("/") == usual.base_url
    # OpenAI itself is asked over Responses; what only speaks like it, over Chat Completions.
    own_api = "responses" if built_in and settings.kind == "openai" else None
    factory, path = _factory(settings.kind, settings.api or own_api)
    base_url = checked_base_url(name, base_url, allow_insecure=settings.allow_insecure)
    setup = Setup(
        name=name,
        base_url=base_url if base_url.endswith(path) else base_url + path,
        key=key,
        key_needed=built_in and usual is not None and bool(usual.variables),
        built_in=(name if known else settings.kind) if built_in else "",
        local=usual is not None and usual.local,
        timeout=settings.timeout or 60.0,
        headers=settings.resolved_headers(provider=name),
        models=settings.models,
    )
    return cast(Factory, factory)(setup)


async def close() -> None:
    """Close what the providers opened on the running loop: connections, and the demonstration's server."""
    from valechat.providers._http import close_clients
    from valechat.providers.demo import close_demo

    await close_clients()
    await close_demo()


def _factory(kind: str, api: str | None) -> tuple[object, str]:
    """The factory of a kind, and what its address ends in.

    Raises:
        ConfigError: No such kind, or its package cannot be imported.
    """
    line = _KINDS.get(f"{kind}/{api}" if api else kind) or _KINDS.get(kind)
    if line is not None:
        module, _, attribute = line[0].partition(":")
        return getattr(import_module(module), attribute), line[1]
    for entry in entry_points(group=PROVIDERS, name=kind):
        try:
            return entry.load(), ""
        except (ImportError, AttributeError) as error:
            raise ConfigError(
                f"The provider kind {kind} of {entry.value} cannot be loaded: {error}.",
                fix="Update or remove the package it comes from.",
            ) from error
    raise ConfigError(
        f"There is no kind of provider named {kind}.", fix=f"Use one of {', '.join(k for k in _KINDS if '/' not in k)}."
    )
