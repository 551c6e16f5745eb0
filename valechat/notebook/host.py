"""The notebook around a magic: its variables, its next cell, its failures; and what its host lacks for widgets."""

from __future__ import annotations

import inspect
import sys
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from valechat.errors import ConfigError
from valechat.notebook.failures import Failures
from valechat.notebook.kernel import user_names

__all__ = ["Host", "widgets_hint"]

_COLAB = (
    "Colab draws other packages' widgets only once its custom widget manager is on. Run this in a cell, then show the "
    "panel again:\n\nfrom google.colab import output\noutput.enable_custom_widget_manager()"
)


def widgets_hint() -> str:
    """What the user must do before this host draws our widgets; empty where nothing is known to be missing.

    Looks at what is there, as Colab's own display hook does (googlecolab/colabtools,
    `google/colab/output/_widgets.py`): without an address of a manager it draws ipywidgets' own widgets alone.
    anywidget switches it on by itself where it sees Colab, once; it may have been switched off since.
    """
    colab = sys.modules.get("google.colab")
    if colab is None:
        return ""
    output = sys.modules.get("google.colab.output")
    if output is None:
        return _COLAB
    unknown = object()
    installed = getattr(getattr(output, "_widgets", None), "_installed_url", unknown)
    return "" if installed is unknown or installed else _COLAB


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
