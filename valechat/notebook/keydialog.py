"""The dialog for an API key in a cell's output.

The key travels in one custom message to the kernel and on to the keychain. It is never a trait,
because a saved notebook keeps widget state.
"""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets
from IPython.display import display

from valechat.engine import engine
from valechat.errors import ValeChatError
from valechat.notebook.assets import static
from valechat.notebook.comms import answer_while_busy
from valechat.notebook.protocol import Notice
from valechat.notebook.shown import error_shown
from valechat.services import services

__all__ = ["KeyDialog", "show"]


class KeyDialog(anywidget.AnyWidget):
    """Asks for one provider's key."""

    _esm = static("keys.js")
    _css = static("keys.css")

    provider = traitlets.Unicode().tag(sync=True)

    def __init__(self, provider: str) -> None:
        super().__init__(provider=provider)
        answer_while_busy(self)
        self.on_msg(self._hand_over)

    def _hand_over(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict) and content.get("type") == "set_key" and isinstance(content.get("key"), str):
            engine().submit(self._store(content["key"]))

    async def _store(self, key: str) -> None:
        try:
            await services().keys.store(self.provider, key)
            notice = Notice(
                type="notice", seq=0, text=f"The key for {self.provider} is stored in the keychain.", error=None
            )
        except ValeChatError as error:
            notice = Notice(type="notice", seq=0, text="", error=error_shown(error))
        self.send(notice)


def show(provider: str) -> None:
    """Show the dialog as the output of the running cell.

    Raises:
        ConfigError: There is no provider of that name.
    """
    services().settings.provider(provider)
    display(KeyDialog(provider))
