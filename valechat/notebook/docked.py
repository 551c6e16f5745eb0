"""The panel beside a notebook, asked for by JupyterLab's side panel (`js/src/dock`)."""

from __future__ import annotations

from valechat.notebook.current import notebook_chat
from valechat.notebook.panel import attach_kernel, panel_of

__all__ = ["docked"]


def docked() -> str:
    """The widget id of the notebook's own chat: the one that `%valechat` shows and asks."""
    attach_kernel()
    model_id: str = panel_of(notebook_chat()).model_id
    return model_id
