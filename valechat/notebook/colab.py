"""Colab as a host of widgets, which draws those of other packages only where that is switched on."""

from __future__ import annotations

import sys

__all__ = ["widgets_hint"]

_COLAB = (
    "Colab draws other packages' widgets only once its custom widget manager is on. Run this in a cell, then show the "
    "panel again:\n\nfrom google.colab import output\noutput.enable_custom_widget_manager()"
)


def widgets_hint() -> str:
    """What the user must do before this host draws our widgets; empty where nothing is known to be missing.

    Looks at what is there, as Colab's own display hook does (googlecolab/colabtools,
    `google/colab/output/_widgets.py`): without an address of a manager it draws ipywidgets' own widgets alone.
    anywidget switches it on by itself where it sees Colab, once; it may have been switched off since.
    """
    colab = sys.modules.get("google.colab")
    if colab is None:
        return ""
    output = sys.modules.get("google.colab.output")
    if output is None:
        return _COLAB
    unknown = object()
    installed = getattr(getattr(output, "_widgets", None), "_installed_url", unknown)
    return "" if installed is unknown or installed else _COLAB
