"""marimo as the notebook behind a conversation: its variables. Cells and running code it keeps to itself."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from valechat.errors import ConfigError
from valechat.variables.workspace import Cell, Ran, use_workspace

__all__ = ["MarimoNotebook", "install"]


class MarimoNotebook:
    """See `valechat.variables.workspace.Workspace`.

    Args:
        edited: The notebook is open in marimo's editor and has this process to itself. `marimo run` serves all its
            visitors from one process, in which nobody can tell whose variables `__main__` holds: there none are seen.
    """

    def __init__(self, *, edited: bool) -> None:
        self._edited = edited

    def names(self) -> Mapping[str, Any]:
        """See `Workspace.names`."""
        return dict(vars(sys.modules["__main__"])) if self._edited else {}

    def cells(self) -> list[Cell]:
        """See `Workspace.cells`; marimo's have no numbers."""
        return []

    async def run(self, code: str) -> Ran:
        """See `Workspace.run`.

        Raises:
            ConfigError: Always. In marimo a variable belongs to one cell, and code from elsewhere would break that.
        """
        del code
        raise ConfigError("In marimo, code runs in cells alone.", fix="Put the code into a cell.")


def install() -> None:
    """Let marimo's notebook be where conversations look for variables; called while one of its cells is shown."""
    marimo: Any = sys.modules.get("marimo")
    if marimo is not None:
        notebook = MarimoNotebook(edited=marimo.app_meta().mode == "edit")
        use_workspace(lambda: notebook)
