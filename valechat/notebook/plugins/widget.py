"""`valechat.plugin_manager()`: the widget."""

from __future__ import annotations

from typing import Any

import anywidget

from valechat.engine import engine
from valechat.notebook.assets import static
from valechat.notebook.comms import answer_while_busy
from valechat.notebook.plugins.board import PluginBoard
from valechat.pluginverbs.listing import shown_state
from valechat.services import services

__all__ = ["PluginManager", "plugin_manager"]


def plugin_manager() -> PluginManager:
    """The plugin manager: a card for each MCP server, what it offers and how it is, and ways to add one.

    Shown by a cell of any front end with widgets. What is enabled is started; a broken file is shown with
    its line and leaves running plugins alone.
    """
    return PluginManager()


class PluginManager(anywidget.AnyWidget):
    """The plugin manager as a widget. All it shows goes by messages, never by traits: traits are saved."""

    _esm = static("plugins.js")
    _css = static("plugins.css")

    def __init__(self) -> None:
        super().__init__()
        answer_while_busy(self)
        self._board = PluginBoard(services(), self.send)
        self.on_msg(self._hand_over)
        engine().submit(self._board.open())

    def __repr__(self) -> str:
        # What a viewer without widgets shows in the manager's place.
        infos = services().plugins.list()
        if not infos:
            return "MCP Plugins: none yet"
        lines = [
            f"  {info.id}: {shown_state(info)}" + (f", {len(info.tools)} tools" if info.tools else "") for info in infos
        ]
        return "\n".join(["MCP Plugins", *lines])

    def close(self) -> None:
        """Take the widget away; plugins go on as they are."""
        engine().loop.call_soon_threadsafe(self._board.close)
        super().close()

    def _hand_over(self, _widget: Any, content: Any, _buffers: Any) -> None:
        engine().loop.call_soon_threadsafe(self._board.receive, content)
