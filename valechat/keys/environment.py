"""Keys in environment variables: the one the settings name, else the provider's usual one."""

from __future__ import annotations

import os
from collections.abc import Mapping

from valechat.config import KNOWN, Settings, resolve, variables_in
from valechat.errors import ConfigError
from valechat.keys.secret import Key, clean_key

__all__ = ["key_from_environment", "usual_variables"]


def usual_variables(provider: str) -> tuple[str, ...]:
    """The environment variables a provider's key is usually in; `MYLAB_API_KEY` for one we do not know."""
    known = KNOWN.get(provider)
    return known.variables if known else (f"{provider.upper().replace('-', '_')}_API_KEY",)


def key_from_environment(provider: str, settings: Settings, environ: Mapping[str, str] | None = None) -> Key | None:
    """The provider's key, if its `api_key` setting or its usual variable gives one.

    Raises:
        ConfigError: `api_key` refers to a variable that is not set, or a value cannot be a key.
    """
    variables = os.environ if environ is None else environ
    entry = settings.providers.get(provider)
    if entry is not None and entry.api_key is not None:
        setting = f"providers.{provider}.api_key"
        names = variables_in(entry.api_key)
        source = " ".join(["environment", *names]) if names else "config.toml"
        return _key(provider, resolve(entry.api_key, variables, setting=setting), source)
    for name in usual_variables(provider):
        if variables.get(name):
            return _key(provider, variables[name], f"environment {name}")
    return None


def _key(provider: str, value: str, source: str) -> Key:
    text = clean_key(value)
    if text is None:
        raise ConfigError(
            f"The key of {provider} from {source} has blanks or characters no key has.",
            fix="Copy the key again, without quotes or line breaks.",
        )
    return Key(provider, text, source)
