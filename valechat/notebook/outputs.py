"""What a magic puts below its cell: an output that changes while it stands, and small print."""

from __future__ import annotations

import html
import time

from IPython.core.interactiveshell import InteractiveShell

from valechat.ids import new_id
from valechat.notebook.formats import Bundle

__all__ = ["Output", "escaped", "show", "small"]

FASTEST = 0.14
"""Seconds between two updates: at most seven a second, for each carries the whole text."""

BYTES_PER_SECOND = 300_000
"""A long text is sent less often, so that the browser keeps up."""


class Output:
    """One output, updated in place. To be used on the main thread."""

    def __init__(self) -> None:
        self._id = new_id()
        self._shown: Bundle | None = None
        self._next = 0.0

    @property
    def shown(self) -> bool:
        """Whether anything stands there."""
        return self._shown is not None

    @property
    def due(self) -> bool:
        """Whether the last update lies far enough back for another."""
        return time.monotonic() >= self._next

    def show(self, bundle: Bundle) -> None:
        """Show this instead of what stands there; what stands there already is not sent again."""
        if bundle == self._shown:
            return
        _publish(bundle, transient={"display_id": self._id}, update=self._shown is not None)
        self._shown = bundle
        size = sum(len(value) for value in bundle.values() if isinstance(value, str))
        self._next = time.monotonic() + max(FASTEST, size / BYTES_PER_SECOND)


_STYLE = "color: var(--jp-ui-font-color2, gray); font-size: var(--jp-ui-font-size1, 13px)"


def small(*lines: str) -> Bundle:
    """Lines that are about an answer and no part of it."""
    shown = [line for line in lines if line]
    body = "<br>".join(map(escaped, shown))
    return {"text/html": f'<div style="{_STYLE}">{body}</div>', "text/plain": "\n".join(shown)}


def escaped(text: str) -> str:
    """Text as HTML in which two dollar signs are prices, and no formula between them for MathJax."""
    return html.escape(text).replace("$", "<span>$</span>")


def show(bundle: Bundle) -> None:
    """Show something that will not change."""
    _publish(bundle)


def _publish(bundle: Bundle, *, transient: dict[str, str] | None = None, update: bool = False) -> None:
    InteractiveShell.instance().display_pub.publish(bundle, transient=transient or {}, update=update)
