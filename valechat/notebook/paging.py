"""A long conversation for a panel, a page at a time.

Ten thousand messages are several megabytes: too much to wait for on a slow link, and most are never looked
at. So a panel gets the newest at first, and older ones when it scrolls to them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from valechat.chat import Chat
from valechat.ledger.base import StoredMessage, UsageRow
from valechat.ledger.threads import durably
from valechat.notebook.outbox import Outbox
from valechat.notebook.protocol import Earlier, MessageShown, ShowEarlier
from valechat.notebook.shown import messages_shown, shown_id, turns
from valechat.notebook.toolcards import size_of
from valechat.services import services

__all__ = ["EarlierDesk", "Page", "newest", "page_before"]

FIRST = 40
"""Messages a panel gets at first: several screens full."""

MOST = 1_000
"""Messages of one page, whatever the panel asks for."""

ROOM = 400_000
"""Characters of one page, pictures included; one message is sent in any case."""

Rows = Mapping[str, UsageRow]


@dataclass(frozen=True, slots=True)
class Page:
    """Messages as the panel shows them, oldest first, and how many come before them."""

    messages: list[MessageShown]
    earlier: int


def newest(stored: Sequence[StoredMessage], rows: Rows) -> Page:
    """The end of a conversation. `rows` are usage rows by request id."""
    told = turns(stored)
    return _cut(told[-FIRST:], max(0, len(told) - FIRST), rows)


def page_before(stored: Sequence[StoredMessage], before: str, most: int) -> tuple[list[StoredMessage], int]:
    """The stored messages of a page before a shown message, and how many shown messages come before them."""
    told = turns(stored)
    end = next((index for index, turn in enumerate(told) if shown_id(turn) == before), 0)
    start = max(0, end - max(1, min(most, MOST)))
    return [*chain.from_iterable(told[start:end])], start


class EarlierDesk:
    """Brings a panel the messages before those it has.

    Args:
        chat: Whose conversation.
        outbox: The way to the panel.
        stored: Reads what is shown of the conversation, oldest first.
        marked: Adds to messages what the panel shows of branches and pins.
    """

    def __init__(
        self,
        chat: Chat,
        outbox: Outbox,
        stored: Callable[[], Awaitable[Sequence[StoredMessage]]],
        marked: Callable[[Sequence[MessageShown]], list[MessageShown]],
    ) -> None:
        self._chat = chat
        self._outbox = outbox
        self._stored = stored
        self._marked = marked

    async def show(self, message: ShowEarlier) -> None:
        """Send the page before a message."""
        before = message["before"]
        part, start = page_before(await self._stored(), before, message["most"])
        requests = [one.request_id for one in part if one.request_id is not None]
        rows = await durably(services().ledger.usage_of, requests) if requests else []
        page = _cut(turns(part), start, {row.request_id: row for row in rows})
        self._outbox.send(
            Earlier(type="earlier", seq=0, before=before, messages=self._marked(page.messages), left=page.earlier),
        )


def _cut(told: Sequence[Sequence[StoredMessage]], earlier: int, rows: Rows) -> Page:
    """The last of these turns that one page has room for."""
    shown = messages_shown([*chain.from_iterable(told)], rows)
    room, start = ROOM, len(shown)
    while start > 0 and (room >= (size := _size(shown[start - 1])) or start == len(shown)):
        room -= size
        start -= 1
    return Page(shown[start:], earlier + start)


def _size(message: MessageShown) -> int:
    return (
        len(message["text"])
        + len(message["thinking"])
        + sum(len(one["preview"] or "") for one in message.get("attachments", []))
        + sum(map(size_of, message["tools"]))
        + sum(len(file["url"] or "") for file in message.get("files", []))
    )
