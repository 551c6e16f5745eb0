"""The notebook around a magic: its variables, its next cell, its failures."""

from __future__ import annotations

import inspect
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from valechat.errors import ConfigError
from valechat.notebook.failures import Failures
from valechat.notebook.kernel import user_names

__all__ = ["Host"]


class Host:
    """What a magic may see and touch of the notebook."""

    def __init__(self, shell: InteractiveShell, failures: Failures) -> None:
        self.shell = shell
        self.failures = failures

    @property
    def names(self) -> Mapping[str, Any]:
        """The user's variables, with `In`, `Out` and `Err`; what IPython put there for itself is left out."""
        return ChainMap(user_names(self.shell), {"Err": self.failures.texts})

    @property
    def history(self) -> list[str]:
        """The cells that ran before this one, oldest first."""
        return list(self.shell.user_ns.get("In", [""]))[:-1]

    def assign(self, variable: str | None, value: object) -> None:
        """Give the user a value under that name, if there is one."""
        if variable is not None:
            self.shell.push({variable: value})

    def function(self, name: str) -> Callable[..., Any]:
        """A function the user defined, to be offered as a tool.

        Raises:
            ConfigError: There is no such function.
        """
        found: Callable[..., Any] | None = self.names.get(name)
        if not callable(found) or inspect.isclass(found):
            raise ConfigError(
                f"--tools: there is neither a function nor a plugin named {name}.",
                fix="Define it with `def`, with types; `%valechat plugins` shows the plugins.",
            )
        return found

    def next_cell(self, code: str) -> None:
        """Put code into a new cell below this one."""
        self.shell.set_next_input(code, replace=False)
