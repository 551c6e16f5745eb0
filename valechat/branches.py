"""A conversation as a tree: what follows the same message twice are branches, of which one is shown.

Questions that found no answer are no part of it; what follows one follows what it followed. A message
whose predecessor is lost follows the one stored before it.
"""

from __future__ import annotations

from collections.abc import Sequence

from valechat.history import answered
from valechat.ledger.base import Ledger, StoredMessage

__all__ = ["Tree", "shown_path"]


def shown_path(ledger: Ledger, conversation_id: str) -> list[StoredMessage]:
    """The messages of the path that is shown, oldest first; none of a conversation that is not there. Blocks."""
    head = ledger.conversation(conversation_id)
    return [] if head is None else Tree(ledger.messages(conversation_id)).path(head.leaf)


class Tree:
    """The messages of one conversation, as `Ledger.messages` gives them: each after what it follows."""

    def __init__(self, stored: Sequence[StoredMessage]) -> None:
        self._shown = answered(stored)
        self._index = {message.id: index for index, message in enumerate(self._shown)}
        self._parents: list[int | None] = []
        self._children: dict[int | None, list[int]] = {}
        self._stands_for: dict[str, int | None] = {}
        for message in stored:
            parent = self._above(message)
            if message.id not in self._index:
                self._stands_for[message.id] = parent
                continue
            index = len(self._parents)
            self._stands_for[message.id] = index
            self._parents.append(parent)
            self._children.setdefault(parent, []).append(index)
        self._newest = list(range(len(self._parents)))
        for index in reversed(self._newest[:]):
            parent = self._parents[index]
            if parent is not None:
                self._newest[parent] = max(self._newest[parent], self._newest[index])

    @property
    def messages(self) -> Sequence[StoredMessage]:
        """All messages of all branches, oldest first."""
        return self._shown

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._index

    def path(self, leaf: str | None = None) -> list[StoredMessage]:
        """The path through a message and below it to the newest; to the newest of all without one that is there."""
        if not self._shown:
            return []
        place = None if leaf is None else self._stands_for.get(leaf)
        return self._up(len(self._shown) - 1 if place is None else self._newest[place])

    def above(self, message_id: str) -> list[StoredMessage]:
        """The path from the beginning to a message, itself included.

        Raises:
            KeyError: The message is not there.
        """
        return self._up(self._index[message_id])

    def siblings(self, message_id: str) -> list[str]:
        """The messages that follow what this one follows, oldest first, itself among them.

        Raises:
            KeyError: The message is not there.
        """
        beside = self._children[self._parents[self._index[message_id]]]
        return [self._shown[index].id for index in beside]

    def newest_below(self, message_id: str) -> str:
        """The newest of the messages below one, or itself.

        Raises:
            KeyError: The message is not there.
        """
        return self._shown[self._newest[self._index[message_id]]].id

    def begins(self, message_id: str) -> str:
        """The first message of the answer that a message is part of; a question is its own.

        Raises:
            KeyError: The message is not there.
        """
        index = self._index[message_id]
        while self._shown[index].message.role != "user":
            parent = self._parents[index]
            if parent is None or self._shown[parent].message.role == "user":
                break
            index = parent
        return self._shown[index].id

    def question(self, message_id: str) -> StoredMessage | None:
        """The question that a message belongs to, or is; None where there is none above it.

        Raises:
            KeyError: The message is not there.
        """
        return next((one for one in reversed(self.above(message_id)) if one.message.role == "user"), None)

    def turn(self, message_id: str) -> list[StoredMessage]:
        """The question that a message belongs to, with all its answers; without one, the answer it is part of.

        Raises:
            KeyError: The message is not there.
        """
        question = self.question(message_id)
        first = self._index[self.begins(message_id) if question is None else question.id]
        found, below = [], [first]
        while below:
            index = below.pop()
            found.append(index)
            children = self._children.get(index, ())
            below += [child for child in children if self._shown[child].message.role != "user"]
        return [self._shown[index] for index in sorted(found)]

    def _above(self, message: StoredMessage) -> int | None:
        if message.parent_id is None:
            return None
        if message.parent_id in self._stands_for:
            return self._stands_for[message.parent_id]
        return len(self._parents) - 1 if self._parents else None

    def _up(self, index: int) -> list[StoredMessage]:
        path: list[StoredMessage] = []
        place: int | None = index
        while place is not None:
            path.append(self._shown[place])
            place = self._parents[place]
        return path[::-1]
