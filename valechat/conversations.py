"""What can be done with a stored conversation as a whole: find, name, tag, copy.

All functions block on the ledger; the engine's loop calls them in worker threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from valechat.errors import ConfigError
from valechat.ids import new_id
from valechat.ledger.base import Conversation, Ledger, StoredMessage

__all__ = ["as_tags", "as_title", "duplicate", "found", "renewed"]

MOST_TITLE = 200
"""Characters of a title."""

MOST_TAG = 40
"""Characters of a tag."""

MOST_TAGS = 20
"""Tags of one conversation."""


def found(ledger: Ledger, conversation_id: str) -> Conversation:
    """A conversation's head.

    Raises:
        ConfigError: There is no conversation of this id.
    """
    # What a browser sends may hold halves of characters, which nothing that is stored does.
    readable = conversation_id.encode("utf-8", "replace").decode()
    head = ledger.conversation(readable)
    if head is None:
        raise ConfigError(
            f"There is no conversation {readable}.",
            fix="valechat sql 'select id, title from conversations' lists them.",
        )
    return head


def as_title(text: str) -> str:
    """A title as it is kept: one line, without what no title needs."""
    return _line(text, MOST_TITLE)


def as_tags(texts: Iterable[str]) -> tuple[str, ...]:
    """Tags as they are kept: one line each, each once however it is written."""
    tags: dict[str, str] = {}
    for text in texts:
        tag = _line(text, MOST_TAG)
        if tag:
            tags.setdefault(tag.casefold(), tag)
    return tuple(tags.values())[:MOST_TAGS]


def duplicate(ledger: Ledger, conversation_id: str) -> Conversation:
    """Store a second conversation with the same messages; its head.

    The copy has cost nothing: what was spent stays with the conversation it was spent in.

    Raises:
        ConfigError: There is no conversation of this id.
    """
    head = found(ledger, conversation_id)
    copy, messages = renewed(head, ledger.messages(conversation_id))
    copy = replace(copy, title=as_title(f"{head.title or 'Conversation'} (copy)"))
    ledger.add_conversation(copy, messages)
    return found(ledger, copy.id)


def renewed(head: Conversation, messages: Sequence[StoredMessage]) -> tuple[Conversation, list[StoredMessage]]:
    """The same conversation under ids of its own, last used now, without the requests that made it.

    A message whose predecessor is not among `messages` begins the conversation.
    """
    conversation_id = new_id()
    ids = {message.id: new_id() for message in messages}
    copies = [
        replace(
            message,
            id=ids[message.id],
            conversation_id=conversation_id,
            parent_id=None if message.parent_id is None else ids.get(message.parent_id),
            request_id=None,
        )
        for message in messages
    ]
    leaf = None if head.leaf is None else ids.get(head.leaf)
    fresh = replace(head, id=conversation_id, leaf=leaf, updated_at=datetime.now(UTC), total_cost=None)
    return fresh, copies


def _line(text: str, most: int) -> str:
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
