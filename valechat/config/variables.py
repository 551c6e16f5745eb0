"""`${VAR}` and `${VAR:-default}` in settings: put in at the moment of use, never stored back."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping

from pydantic import SecretStr

from valechat.errors import ConfigError

__all__ = ["references", "resolve", "substitute", "variables_in"]

_REFERENCE = re.compile(r"(\$?)\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\}", re.ASCII)
"""Group 1 is the second dollar sign that says to take the rest as it stands, 2 the name, 3 the default."""


def references(value: str | SecretStr) -> tuple[tuple[str, str | None], ...]:
    """The variables a setting refers to, in order, each with its default."""
    return tuple((match[2], match[3]) for match in _REFERENCE.finditer(_plain(value)) if not match[1])


def variables_in(value: str | SecretStr) -> tuple[str, ...]:
    """The names of the variables a setting needs: those it refers to without a default, in order."""
    return tuple(name for name, default in references(value) if default is None)


def substitute(text: str, lookup: Callable[[str], str | None]) -> tuple[str, tuple[str, ...]]:
    """The text with its variables replaced, and the names of those that have neither value nor default.

    An empty value counts as none. `$${VAR}` gives `${VAR}`, and what a variable holds is not looked at again.
    """
    missing: list[str] = []

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return match[0][1:]
        found = lookup(match[2]) or match[3]
        if found is None:
            missing.append(match[2])
            return match[0]
        return found

    return _REFERENCE.sub(value, text), tuple(dict.fromkeys(missing))


def resolve(value: str | SecretStr, environ: Mapping[str, str] | None = None, *, setting: str = "") -> str:
    """The setting with each variable replaced by its value in the environment.

    Args:
        value: The setting as it is written.
        environ: The variables; None means the process's own, as they are now.
        setting: What to call the setting in an error (`providers.mylab.api_key`).

    Raises:
        ConfigError: A variable is missing or empty and has no default; it is named, no value is.
    """
    variables = os.environ if environ is None else environ
    text, missing = substitute(_plain(value), variables.get)
    if missing:
        where = f", which {setting} refers to," if setting else ""
        raise ConfigError(
            f"The environment variable {missing[0]}{where} is not set.",
            fix=f"Set {missing[0]} before Jupyter starts, or in a cell with %env, or remove the reference.",
        )
    return text


def _plain(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
