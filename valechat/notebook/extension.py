"""`%load_ext valechat`."""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell

from valechat.asking import Asker, use_asker_later

__all__ = ["load"]


def load(ipython: InteractiveShell) -> None:
    """Register the magics, and ask in cells."""
    from valechat.notebook.magics import register

    register(ipython)
    use_asker_later(_cell_asker)


def _cell_asker() -> Asker:
    from valechat.notebook.cellasker import CellAsker

    return CellAsker()
