"""A job's progress below its cell."""

from __future__ import annotations

import time

from valechat.notebook.formats import Bundle
from valechat.notebook.outputs import Output, escaped
from valechat.watching import Progress, line

__all__ = ["RowsDisplay"]

FASTEST = 0.2
"""Seconds between two updates."""


class RowsDisplay:
    """Shows one job: a bar, and a line of figures. On the main thread."""

    def __init__(self) -> None:
        self._output = Output()
        self._next = 0.0

    def look(self, progress: Progress) -> None:
        """Show it, at most five times a second."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + FASTEST
            self._output.show(_bundle(progress))

    def end(self, progress: Progress) -> None:
        """Show it as it is in the end."""
        self._output.show(_bundle(progress))


def _bundle(progress: Progress) -> Bundle:
    text = f"{progress.title}: {line(progress)}"
    bar = ""
    if progress.total:
        share = min(100.0, 100 * progress.finished / progress.total)
        label = f"{progress.finished} of {progress.total} rows"
        bar = (
            f'<div role="progressbar" aria-label="{escaped(progress.title)}" aria-valuemin="0" aria-valuemax="100" '
            f'aria-valuenow="{share:.0f}" aria-valuetext="{label}" style="height: 6px; max-width: 40em; '
            'background: var(--jp-layout-color2, #ddd); border-radius: 3px">'
            f'<div style="height: 6px; width: {share:.1f}%; border-radius: 3px; '
            'background: var(--jp-brand-color1, #1976d2)"></div></div>'
        )
    style = "color: var(--jp-ui-font-color1, inherit); font-size: var(--jp-ui-font-size1, 13px)"
    return {"text/html": f'<div style="{style}">{escaped(text)}{bar}</div>', "text/plain": text}
