"""Processes of a server that lost their supervisor, known by a variable they all inherit."""

from __future__ import annotations

import contextlib

__all__ = ["MARK", "end_strays"]

MARK = "VALECHAT_SERVER"
"""The variable; its value is another for each start of a server."""


def end_strays(mark: str) -> None:
    """Kills every process of this user that carries the mark. Blocks for milliseconds."""
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # ended meanwhile, or somebody else's
            if process.environ().get(MARK) == mark:
                process.kill()
