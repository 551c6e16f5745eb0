"""The chat panel: an anywidget in a cell's output, with the saved transcript beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import anywidget
from IPython.core.getipython import get_ipython
from IPython.display import display

from valechat.chat import Chat
from valechat.engine import engine
from valechat.ledger.base import StoredMessage
from valechat.notebook import kernel, marimo
from valechat.notebook.assets import static
from valechat.notebook.colab import widgets_hint
from valechat.notebook.comms import answer_while_busy, is_open
from valechat.notebook.conversation import PanelConversation
from valechat.notebook.outbox import Outbox
from valechat.notebook.outputs import show as show_output
from valechat.notebook.outputs import small
from valechat.notebook.protocol import SavedTranscript
from valechat.notebook.transcript import Transcript, bundle, saved_markdown

__all__ = ["Panel", "PanelViews", "attach_kernel", "panel_of", "panel_of_cell", "show"]


class Panel(anywidget.AnyWidget):
    """A chat as a widget. What is said goes by messages, never by traits: traits are saved."""

    _esm = static("panel.js")
    _css = static("panel.css")

    def __init__(self, chat: Chat) -> None:
        super().__init__()
        answer_while_busy(self)
        self._views = _views_of(chat)
        self._views.panels.append(self)
        self.on_msg(self._hand_over)

    def __repr__(self) -> str:
        # What a viewer without widgets shows in the panel's place.
        return "ValeChat panel; run the cell to open it"

    def add_transcript(self, stored: list[StoredMessage]) -> None:
        """Put a transcript below the panel's output in the cell that runs now."""
        transcript = Transcript()
        transcript.show(saved_markdown(stored))
        self._views.transcripts.append(transcript)

    def _hand_over(self, _widget: Any, content: Any, buffers: Any) -> None:
        engine().loop.call_soon_threadsafe(self._views.conversation.receive, content, buffers or ())


class PanelViews:
    """The panels of one chat: each is told the same, and what is said in one is said in all.

    Attributes:
        panels: Those that were opened and are not known to be closed.
        transcripts: The outputs that keep the conversation in the saved notebook.
        outbox: The way out to all of them.
        conversation: The chat as they see it.
    """

    def __init__(self, chat: Chat) -> None:
        self.panels: list[Panel] = []
        self.transcripts: list[Transcript] = []
        self.outbox = Outbox(self._send)
        self.conversation = PanelConversation(chat, self.outbox, self._keep)

    def opened(self) -> Panel | None:
        """A panel that is open. The others are let go: a host may close the comm alone, as marimo does."""
        for panel in [*self.panels]:
            if not is_open(panel):
                self.panels.remove(panel)
                panel.close()
        return next(iter(self.panels), None)

    def _send(self, message: Mapping[str, Any], buffers: Sequence[bytes] | None = None) -> None:
        for panel in [*self.panels]:
            if is_open(panel):
                panel.send(message, buffers)

    def _keep(self, stored: list[StoredMessage]) -> None:
        markdown = saved_markdown(stored)
        for transcript in self.transcripts:
            transcript.update(markdown)
            if self.conversation.reloaded:
                forms = bundle(markdown, transcript.id)
                self.outbox.send(
                    SavedTranscript(
                        type="transcript",
                        seq=0,
                        id=transcript.id,
                        html=forms["text/html"],
                        markdown=forms["text/markdown"],
                        text=forms["text/plain"],
                    )
                )


_views: WeakKeyDictionary[Chat, PanelViews] = WeakKeyDictionary()


def _views_of(chat: Chat) -> PanelViews:
    views = _views.get(chat)
    if views is None:
        views = _views[chat] = PanelViews(chat)
    return views


def panel_of(chat: Chat) -> Panel:
    """The chat's panel. A chat has one in a kernel, shown as often as one likes."""
    return _views_of(chat).opened() or Panel(chat)


def panel_of_cell(chat: Chat) -> Panel:
    """A panel of the chat for the running cell alone, for a host that closes a cell's widgets before it runs again."""
    marimo.install()
    _views_of(chat).opened()
    return Panel(chat)


def show(chat: Chat) -> None:
    """Show a chat's panel as the output of the running cell."""
    attach_kernel()
    panel = panel_of(chat)
    display(panel)
    if hint := widgets_hint():
        show_output(small(*hint.splitlines()))
    stored = engine().run(chat.stored())
    panel.add_transcript(stored)


def attach_kernel() -> None:
    """Let the notebook's own functions run on the kernel's loop between cells, and its variables be found."""
    kernel.install()
    shell = get_ipython()
    loop = getattr(getattr(getattr(shell, "kernel", None), "io_loop", None), "asyncio_loop", None)
    if isinstance(loop, asyncio.AbstractEventLoop):
        engine().attach_kernel(loop)
