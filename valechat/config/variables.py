"""`${VAR}` in settings: put in at the moment of use, never stored back."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from pydantic import SecretStr

from valechat.errors import ConfigError

__all__ = ["resolve", "variables_in"]

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)


def variables_in(value: str | SecretStr) -> tuple[str, ...]:
    """The names of the variables a setting refers to, in order."""
    return tuple(_VARIABLE.findall(_plain(value)))


def resolve(value: str | SecretStr, environ: Mapping[str, str] | None = None, *, setting: str = "") -> str:
    """The setting with each `${VAR}` replaced by that variable's value.

    Everything else stays as it is, and what a variable holds is not looked at again.

    Args:
        value: The setting as it is written.
        environ: The variables; None means the process's own, as they are now.
        setting: What to call the setting in an error (`providers.mylab.api_key`).

    Raises:
        ConfigError: A variable is missing or empty; it is named, no value is.
    """
    variables = os.environ if environ is None else environ
    missing = [name for name in variables_in(value) if not variables.get(name)]
    if missing:
        where = f", which {setting} refers to," if setting else ""
        raise ConfigError(
            f"The environment variable {missing[0]}{where} is not set.",
            fix=f"Set {missing[0]} before Jupyter starts, or in a cell with %env, or remove the reference.",
        )
    return _VARIABLE.sub(lambda match: variables[match[1]], _plain(value))


def _plain(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
