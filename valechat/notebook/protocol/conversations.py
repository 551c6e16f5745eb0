"""Conversations: the list of them, and what is done with one as a whole.

Every request has a `number` that its answer repeats. Where nothing else answers, `conversation_done` does.
"""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from valechat.notebook.protocol.shown import ErrorShown

__all__ = [
    "ChangeConversation",
    "ConversationDone",
    "ConversationShown",
    "ConversationsListed",
    "DeleteConversation",
    "DuplicateConversation",
    "ExportConversation",
    "Exported",
    "ImportConversations",
    "ListConversations",
    "Look",
    "OpenConversation",
    "TagShown",
]


# From the panel to the kernel


class ListConversations(TypedDict):
    """List conversations, the last used first: those that say all words of `search` and have the `tag`.

    Empty ones choose nothing. The first `skip` are left out.
    """

    type: Literal["list_conversations"]
    number: int
    search: str
    tag: str
    skip: int


class OpenConversation(TypedDict):
    """Show this conversation in the panel. What streams goes on in its own. A `state` follows."""

    type: Literal["open_conversation"]
    number: int
    conversation: str


class ChangeConversation(TypedDict):
    """Rename or tag a conversation. What is absent stays."""

    type: Literal["change_conversation"]
    number: int
    conversation: str
    title: NotRequired[str]
    tags: NotRequired[list[str]]


class DuplicateConversation(TypedDict):
    """Make a second conversation with the same messages."""

    type: Literal["duplicate_conversation"]
    number: int
    conversation: str


class DeleteConversation(TypedDict):
    """Delete a conversation and its messages; what was spent stays in the accounting."""

    type: Literal["delete_conversation"]
    number: int
    conversation: str


class ExportConversation(TypedDict):
    """Bring a conversation as a file; `exported` answers."""

    type: Literal["export_conversation"]
    number: int
    conversation: str
    format: Literal["markdown", "json", "notebook"]


class ImportConversations(TypedDict):
    """Store the conversations of a JSON export, whose text this is."""

    type: Literal["import_conversations"]
    number: int
    text: str


class Look(TypedDict):
    """The user looks at the panel: show what happened elsewhere, now and for a while."""

    type: Literal["look"]


# From the kernel to the panel


class ConversationShown(TypedDict):
    """A conversation in the list.

    `snippet` is text of it around what was searched for, empty when nothing was or the title alone has it.
    `answering` says that this panel writes an answer in it now.
    """

    id: str
    title: str
    updated_at: str
    model: str
    message_count: int
    total_cost: str | None
    tags: list[str]
    snippet: str
    answering: bool


class TagShown(TypedDict):
    """A tag, and how many conversations have it."""

    name: str
    count: int


class ConversationsListed(TypedDict):
    """A page of the list. `more` says that others follow; `tags` are all there are."""

    type: Literal["conversations"]
    seq: int
    number: int
    conversations: list[ConversationShown]
    more: bool
    tags: list[TagShown]


class ConversationDone(TypedDict):
    """It is done, or `error` says why not. `conversations` are the changed and new ones as they are now."""

    type: Literal["conversation_done"]
    seq: int
    number: int
    conversations: list[ConversationShown]
    error: ErrorShown | None


class Exported(TypedDict):
    """A conversation as a file."""

    type: Literal["exported"]
    seq: int
    number: int
    name: str
    media_type: str
    text: str
