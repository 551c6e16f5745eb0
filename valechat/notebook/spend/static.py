"""The dashboard's figures in the saved notebook.

A widget alone reopens as "model not found". A second output of the same cell holds the figures as tables, which
any viewer shows; while the widget lives it is hidden by CSS.
"""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import publish_display_data

from valechat.ids import new_id

__all__ = ["Static"]


class Static:
    """One output of a cell, updated in place."""

    def __init__(self) -> None:
        self._ids: list[str] = []

    def show(self, html: str) -> None:
        """Put the figures below the output being made now."""
        self._ids.append(new_id())
        publish_display_data(_bundle(html), transient={"display_id": self._ids[-1]})

    def update(self, html: str) -> None:
        """Replace the figures, wherever they stand."""
        if InteractiveShell.initialized():
            for shown in self._ids:
                publish_display_data(_bundle(html), transient={"display_id": shown}, update=True)


def _bundle(html: str) -> dict[str, str]:
    return {"text/html": f'<div class="vc-spend-static">\n{html}\n</div>', "text/plain": "The spend dashboard"}
