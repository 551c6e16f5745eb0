"""What one panel does with conversations as a whole: lists, opens, changes, copies, deletes, exports, imports them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Protocol

from valechat.chat import Chat
from valechat.conversations import as_tags, as_title, duplicate, found
from valechat.errors import ConfigError, TooLarge, ValeChatError
from valechat.exports import FORMATS, file_name
from valechat.exports.reading import read, take_in
from valechat.ids import new_id
from valechat.ledger.base import Conversation, Ledger
from valechat.ledger.threads import durably
from valechat.notebook.outbox import Outbox
from valechat.notebook.protocol import (
    ChangeConversation,
    ConversationDone,
    ConversationShown,
    ConversationsListed,
    DeleteConversation,
    DuplicateConversation,
    ExportConversation,
    Exported,
    ImportConversations,
    ListConversations,
    OpenConversation,
    TagShown,
)
from valechat.notebook.shown import error_shown, money
from valechat.notebook.uploads import UPLOAD_TOTAL
from valechat.services import services

__all__ = ["ConversationDesk", "Talks"]

PAGE = 60
"""Conversations that are listed at once."""

MOST_EXPORTED = 30_000_000
"""Characters of a file that goes through the panel."""


class Talks(Protocol):
    """What the desk needs of its panel."""

    def answering(self) -> set[str]:
        """The conversations in which an answer is written now."""
        ...

    def stop(self, conversation_id: str) -> None:
        """Stop what is written in a conversation."""
        ...

    def usable(self, model: str) -> bool:
        """Whether a model can be asked, as far as is known."""
        ...

    async def show(self) -> None:
        """Show the chat's conversation as it is now."""
        ...


class ConversationDesk:
    """A panel's conversations. Used on the engine's loop."""

    def __init__(self, chat: Chat, outbox: Outbox, talks: Talks) -> None:
        self._chat = chat
        self._outbox = outbox
        self._talks = talks

    @property
    def handlers(self) -> Mapping[str, Callable[[Any], Coroutine[Any, Any, None]]]:
        """What answers which message."""
        return {
            "list_conversations": self.list,
            "open_conversation": self.open,
            "change_conversation": self.change,
            "duplicate_conversation": self.duplicate,
            "delete_conversation": self.delete,
            "export_conversation": self.export,
            "import_conversations": self.take_in,
        }

    async def list(self, message: ListConversations) -> None:
        """Bring a page of the list; with a search, each with the text that was found."""
        try:
            page = await durably(_page, services().ledger, message)
        except ValeChatError as error:
            self._done(message["number"], error=error)
            return
        heads, snippets, tags = page
        answering = self._talks.answering()
        shown = [_shown(head, snippets.get(head.id, ""), answering) for head in heads[:PAGE]]
        self._outbox.send(
            ConversationsListed(
                type="conversations",
                seq=0,
                number=message["number"],
                conversations=shown,
                more=len(heads) > PAGE,
                tags=[TagShown(name=name, count=count) for name, count in tags.items()],
            )
        )

    async def open(self, message: OpenConversation) -> None:
        """Turn the chat to another conversation, and to the model that answered there last.

        An answer under way goes on in its own conversation.
        """
        try:
            head = await durably(found, services().ledger, message["conversation"])
        except ValeChatError as error:
            self._done(message["number"], error=error)
            return
        stored = await durably(services().ledger.messages, head.id)
        last = next((one.model for one in reversed(stored) if one.model), head.model)
        if self._talks.usable(last):
            self._chat.model = last
        self._chat.conversation_id = head.id
        await self._talks.show()
        self._done(message["number"], [head])

    async def change(self, message: ChangeConversation) -> None:
        """Rename or tag a conversation."""
        await self._answered(message["number"], _change, message)

    async def duplicate(self, message: DuplicateConversation) -> None:
        """Store a copy of a conversation."""
        await self._answered(message["number"], lambda ledger: [duplicate(ledger, message["conversation"])])

    async def delete(self, message: DeleteConversation) -> None:
        """Delete a conversation. One that is shown makes room for a new one."""
        conversation_id = message["conversation"]
        self._talks.stop(conversation_id)
        await self._answered(message["number"], _delete, conversation_id)
        if conversation_id == self._chat.conversation_id:
            self._chat.conversation_id = new_id()
            await self._talks.show()

    async def export(self, message: ExportConversation) -> None:
        """Bring a conversation as a file."""
        form = FORMATS[message["format"]]
        ledger = services().ledger
        try:
            head = await durably(found, ledger, message["conversation"])
            text = await durably(form.write, ledger, [head.id])
            if len(text) > MOST_EXPORTED:
                raise TooLarge(
                    f"The file would have {len(text):,} characters; a panel hands out {MOST_EXPORTED:,}.",
                    fix="Open the conversation and run `%valechat export`.",
                )
        except ValeChatError as error:
            self._done(message["number"], error=error)
            return
        name = file_name(head.title, form.suffix)
        self._outbox.send(
            Exported(type="exported", seq=0, number=message["number"], name=name, media_type=form.media_type, text=text)
        )

    async def take_in(self, message: ImportConversations) -> None:
        """Store the conversations of a file."""
        await self._answered(message["number"], _take_in, message["text"])

    async def _answered(self, number: int, work: Callable[..., Iterable[Conversation]], *arguments: Any) -> None:
        """Do something to the ledger and tell what came of it."""
        try:
            heads = await durably(work, services().ledger, *arguments)
        except ValeChatError as error:
            self._done(number, error=error)
        else:
            self._done(number, heads)

    def _done(self, number: int, heads: Iterable[Conversation] = (), error: ValeChatError | None = None) -> None:
        answering = self._talks.answering()
        self._outbox.send(
            ConversationDone(
                type="conversation_done",
                seq=0,
                number=number,
                conversations=[_shown(head, "", answering) for head in heads],
                error=None if error is None else error_shown(error),
            )
        )


def _page(
    ledger: Ledger, message: ListConversations
) -> tuple[Sequence[Conversation], Mapping[str, str], Mapping[str, int]]:
    """A page of heads and one more, where text was found in them, and all tags."""
    search, skip = message["search"], max(0, message["skip"])
    heads = ledger.conversations(search=search, tag=message["tag"], skip=skip, most=PAGE + 1)
    snippets = ledger.passages(search, [head.id for head in heads[:PAGE]]) if search.strip() else {}
    return heads, snippets, ledger.tags()


def _change(ledger: Ledger, message: ChangeConversation) -> list[Conversation]:
    conversation_id = message["conversation"]
    found(ledger, conversation_id)
    title = as_title(message["title"]) if "title" in message else None
    if title == "":
        raise ConfigError("A conversation's title cannot be empty.", fix="Give it a word.")
    ledger.change_conversation(
        conversation_id, title=title, tags=as_tags(message["tags"]) if "tags" in message else None
    )
    return [found(ledger, conversation_id)]


def _delete(ledger: Ledger, conversation_id: str) -> list[Conversation]:
    ledger.delete_conversation(conversation_id)
    return []


def _take_in(ledger: Ledger, text: str) -> list[Conversation]:
    return take_in(ledger, read(text.encode("utf-8", "surrogatepass"), most=UPLOAD_TOTAL))


def _shown(head: Conversation, snippet: str, answering: set[str]) -> ConversationShown:
    return ConversationShown(
        id=head.id,
        title=head.title,
        updated_at=head.updated_at.isoformat(),
        model=head.model,
        message_count=head.message_count,
        total_cost=money(head.total_cost),
        tags=list(head.tags),
        snippet=snippet,
        answering=head.id in answering,
    )
