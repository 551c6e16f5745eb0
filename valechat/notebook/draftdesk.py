"""Keeps what is attached to a question that is not sent yet, so that a reload of the page loses none of it."""

from __future__ import annotations

from collections.abc import Sequence

from valechat.chat import Chat
from valechat.errors import ValeChatError
from valechat.notebook.outbox import Outbox
from valechat.notebook.protocol import Fetched, KeepAttached
from valechat.notebook.shown import error_shown
from valechat.notebook.uploads import Uploads
from valechat.services import services

__all__ = ["DraftDesk"]


class DraftDesk:
    """The kernel's side of a draft's attachments. Used on the engine's loop.

    The bytes stay in this kernel's memory; the browser keeps their names, sizes and ids beside the draft's text.
    """

    def __init__(self, chat: Chat, outbox: Outbox, uploads: Uploads) -> None:
        self._chat = chat
        self._outbox = outbox
        self._uploads = uploads

    async def keep(self, message: KeepAttached, buffers: Sequence[bytes | memoryview]) -> None:
        """Keep what came, and tell of what is kept already whether it is here still."""
        answer = Fetched(type="fetched", seq=0, number=message["number"], text="", attachments=[], error=None)
        try:
            sizes = services().settings.sizes
            here = self._chat.conversation_id
            answer["attachments"] = await self._uploads.hold(message["attachments"], buffers, here, sizes)
        except ValeChatError as error:
            answer["error"] = error_shown(error)
        self._outbox.send(answer)
