"""Comm messages while a cell runs.

Both front ends send comm messages over a subshell, so that a click is answered while a cell is busy.
ipykernel 7.4 routes a comm's messages to the shell that last *sent* on it, which for a panel opened
by a cell is the busy one; `answer_while_busy` undoes that for one comm.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Any

from IPython.core.getipython import get_ipython
from ipywidgets import Widget

__all__ = ["answer_while_busy", "front_end", "is_open", "routing"]

_ROUTE = "_reply_subshell_for"


def answer_while_busy(widget: Widget) -> None:
    """Let the widget's messages be handled on the subshell they came by, now and when its comm changes."""
    _route_by_sender(widget.comm)
    widget.observe(lambda change: _route_by_sender(change["new"]), names="comm")


def _route_by_sender(comm: Any) -> None:
    # Private to ipykernel, so looked for first; without it the routing is right already.
    if comm is not None and hasattr(comm, _ROUTE):
        setattr(comm, _ROUTE, _as_received)


def is_open(widget: Widget) -> bool:
    """Whether the widget still has a front end to speak to.

    marimo closes the comms of a cell that runs again, JupyterLab may close one too, and neither tells the widget.
    """
    return widget.comm is not None and not getattr(widget.comm, "_closed", False)


def _as_received(_data: Any, default: Any) -> Any:
    return default


def routing() -> tuple[bool, str]:
    """Whether clicks are answered while a cell runs, as far as the kernel can know, and why."""
    try:
        from ipykernel.comm.comm import BaseComm
    except ImportError:
        # marimo's kernel is its own and has widgets without it.
        return False, "This kernel is not ipykernel: whether clicks wait for the running cell is its own affair."
    name = f"ipykernel {version('ipykernel')}"
    kernel = getattr(get_ipython(), "kernel", None)
    # The kernel's own answer to whether it was started with subshells; none before version 7.
    if not getattr(kernel, "_supports_kernel_subshells", False):
        return False, f"{name} runs here without subshells: clicks wait for the running cell."
    mended = ", with ValeChat's routing" if hasattr(BaseComm, _ROUTE) else ""
    return True, f"{name}: clicks are answered over subshells while a cell runs{mended}."


def front_end() -> str:
    """Which program shows this notebook, as far as the kernel can know."""
    if "google.colab" in sys.modules:
        return "Google Colab"
    if "marimo" in sys.modules:
        return "marimo"
    if any(name.startswith("VSCODE_") for name in os.environ):
        return "VS Code"
    if "JPY_SESSION_NAME" in os.environ:
        return "a Jupyter server: JupyterLab or Notebook"
    return "unknown: a program of its own runs this kernel"
