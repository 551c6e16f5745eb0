"""Comm messages while a cell runs.

Both front ends send comm messages over a subshell, so that a click is answered while a cell is busy.
ipykernel 7.4 routes a comm's messages to the shell that last *sent* on it, which for a panel opened
by a cell is the busy one; `answer_while_busy` undoes that for one comm.
"""

from __future__ import annotations

from importlib.metadata import version as installed
from typing import Any

from ipywidgets import Widget

__all__ = ["answer_while_busy", "routing"]

_ROUTE = "_reply_subshell_for"


def answer_while_busy(widget: Widget) -> None:
    """Let the widget's messages be handled on the subshell they came by, now and when its comm changes."""
    _route_by_sender(widget.comm)
    widget.observe(lambda change: _route_by_sender(change["new"]), names="comm")


def _route_by_sender(comm: Any) -> None:
    # Private to ipykernel, so looked for first; without it the routing is right already.
    if comm is not None and hasattr(comm, _ROUTE):
        setattr(comm, _ROUTE, _as_received)


def _as_received(_data: Any, default: Any) -> Any:
    return default


def routing() -> tuple[bool, str]:
    """Whether clicks are answered while a cell runs, as far as the kernel can know, and why."""
    version = installed("ipykernel")
    if int(version.partition(".")[0]) < 7:
        return False, f"ipykernel {version} has no subshells: clicks wait for the running cell."
    return True, f"ipykernel {version}: clicks are answered over subshells while a cell runs."
