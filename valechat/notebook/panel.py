"""The chat panel: an anywidget in a cell's output, with the saved transcript beside it."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

import anywidget
from IPython.core.getipython import get_ipython
from IPython.display import display

from valechat.chat import Chat
from valechat.engine import engine
from valechat.ledger.base import StoredMessage
from valechat.notebook import kernel
from valechat.notebook.assets import static
from valechat.notebook.comms import answer_while_busy
from valechat.notebook.conversation import PanelConversation
from valechat.notebook.outbox import Outbox
from valechat.notebook.protocol import SavedTranscript
from valechat.notebook.transcript import Transcript, bundle, saved_markdown

__all__ = ["Panel", "attach_kernel", "panel_of", "show"]


class Panel(anywidget.AnyWidget):
    """A chat as a widget. What is said goes by messages, never by traits: traits are saved."""

    _esm = static("panel.js")
    _css = static("panel.css")

    def __init__(self, chat: Chat) -> None:
        super().__init__()
        answer_while_busy(self)
        self._transcripts: list[Transcript] = []
        self._outbox = Outbox(self.send)
        self._conversation = PanelConversation(chat, self._outbox, self._keep)
        self.on_msg(self._hand_over)

    def __repr__(self) -> str:
        # What a viewer without widgets shows in the panel's place.
        return "ValeChat panel; run the cell to open it"

    def add_transcript(self, stored: list[StoredMessage]) -> None:
        """Put a transcript below the panel's output in the cell that runs now."""
        transcript = Transcript()
        transcript.show(saved_markdown(stored))
        self._transcripts.append(transcript)

    def _hand_over(self, _widget: Any, content: Any, buffers: Any) -> None:
        engine().loop.call_soon_threadsafe(self._conversation.receive, content, buffers or ())

    def _keep(self, stored: list[StoredMessage]) -> None:
        markdown = saved_markdown(stored)
        for transcript in self._transcripts:
            transcript.update(markdown)
            if self._conversation.reloaded:
                forms = bundle(markdown, transcript.id)
                self._outbox.send(
                    SavedTranscript(
                        type="transcript",
                        seq=0,
                        id=transcript.id,
                        html=forms["text/html"],
                        markdown=forms["text/markdown"],
                        text=forms["text/plain"],
                    )
                )


_panels: WeakKeyDictionary[Chat, Panel] = WeakKeyDictionary()


def panel_of(chat: Chat) -> Panel:
    """The chat's panel. A chat has one in a kernel, shown as often as one likes."""
    panel = _panels.get(chat)
    if panel is None or panel.comm is None:
        panel = _panels[chat] = Panel(chat)
    return panel


def show(chat: Chat) -> None:
    """Show a chat's panel as the output of the running cell."""
    attach_kernel()
    panel = panel_of(chat)
    display(panel)
    stored = engine().run(chat.stored())
    panel.add_transcript(stored)


def attach_kernel() -> None:
    """Let the notebook's own functions run on the kernel's loop between cells, and its variables be found."""
    kernel.install()
    shell = get_ipython()
    loop = getattr(getattr(getattr(shell, "kernel", None), "io_loop", None), "asyncio_loop", None)
    if isinstance(loop, asyncio.AbstractEventLoop):
        engine().attach_kernel(loop)
