"""`%load_ext valechat`."""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load"]


def load(ipython: InteractiveShell) -> None:
    """Register the magics."""
    from valechat.notebook.magics import register

    register(ipython)
