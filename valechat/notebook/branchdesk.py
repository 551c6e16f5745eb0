"""What one panel does with branches and single messages: switches, deletes, pins; and what it sees of forks."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from valechat.branches import Tree
from valechat.chat import Chat
from valechat.errors import ConfigError
from valechat.ledger.base import StoredMessage
from valechat.ledger.threads import durably
from valechat.notebook.outbox import Outbox
from valechat.notebook.protocol import DeleteTurn, MessageShown, PinMessage, Pinned, PinShown, ShowBranch
from valechat.services import services

__all__ = ["BranchDesk", "Writing"]

EXCERPT = 120
"""Characters of a pinned message in the list of them."""


class Writing(Protocol):
    """What the desk needs of its panel."""

    def answering(self) -> set[str]:
        """The conversations in which an answer is written now."""
        ...

    def stored_id(self, shown: str) -> str:
        """The stored message that the panel knows by this id."""
        ...


class BranchDesk:
    """The forks of the conversation a panel shows. Used on the engine's loop."""

    def __init__(self, chat: Chat, outbox: Outbox, panel: Writing) -> None:
        self._chat = chat
        self._outbox = outbox
        self._panel = panel
        self._tree = Tree([])
        self._path: set[str] = set()

    @property
    def handlers(self) -> Mapping[str, Callable[[Any], Coroutine[Any, Any, None]]]:
        """What answers which message."""
        return {"show_branch": self.show, "delete_turn": self.delete, "pin_message": self.pin}

    def read(self, stored: Sequence[StoredMessage], leaf: str | None) -> list[StoredMessage]:
        """Take a conversation as it is stored; the path that is shown of it."""
        self._tree = Tree(stored)
        path = self._tree.path(leaf)
        self._path = {message.id for message in path}
        return path

    def until(self, message_id: str) -> list[StoredMessage]:
        """The path to a message, itself included; none where it is not there."""
        return self._tree.above(message_id) if message_id in self._tree else []

    def free(self) -> None:
        """See that nobody writes in the conversation.

        Raises:
            ConfigError: An answer is being written.
        """
        if self._chat.conversation_id in self._panel.answering():
            raise ConfigError("An answer is being written.", fix="Stop it, or wait until it is done.")

    def question(self, shown: str) -> StoredMessage:
        """The question of the turn that a shown message belongs to.

        Raises:
            ConfigError: There is none.
        """
        message_id = self._panel.stored_id(shown)
        question = self._tree.question(message_id) if message_id in self._tree else None
        if question is None:
            raise ConfigError("This message is not in the conversation any more.")
        return question

    def before(self, question_id: str) -> str:
        """What a question follows; empty where it begins the conversation.

        Raises:
            ConfigError: It is not there.
        """
        above = self.until(self.question(question_id).id)
        return above[-2].id if len(above) > 1 else ""

    def answers(self, shown: str) -> list[str]:
        """The beginnings of all answers beside the one that is shown."""
        message_id = self._panel.stored_id(shown)
        return self.siblings(self._tree.begins(message_id)) if message_id in self._tree else []

    def siblings(self, message_id: str) -> list[str]:
        """What follows the same message as this one, itself included."""
        return self._tree.siblings(message_id) if message_id in self._tree else []

    def marked(self, shown: Sequence[MessageShown]) -> list[MessageShown]:
        """The messages with their siblings, where they have any, and whether they are pinned."""
        pinned = {message.id for message in self._tree.messages if message.pinned}
        return [self._marked(message, pinned) for message in shown]

    def pins(self) -> list[PinShown]:
        """All pinned messages, oldest first."""
        return [
            PinShown(
                message=stored.id,
                role="user" if stored.message.role == "user" else "assistant",
                text=" ".join(stored.message.text[: 4 * EXCERPT].split())[:EXCERPT],
                shown=stored.id in self._path,
            )
            for stored in self._tree.messages
            if stored.pinned
        ]

    async def show(self, message: ShowBranch) -> None:
        """Turn to another branch."""
        self.free()
        await self._chat.branch(self._panel.stored_id(message["message"]))

    async def delete(self, message: DeleteTurn) -> None:
        """Delete a turn."""
        self.free()
        await self._chat.delete(self._panel.stored_id(message["message"]))

    async def pin(self, message: PinMessage) -> None:
        """Pin a message, or let it go."""
        ledger, conversation_id = services().ledger, self._chat.conversation_id
        shown, pinned = message["message"], message["pinned"]
        await durably(lambda: ledger.pin_message(self._panel.stored_id(shown), pinned=pinned))
        head = await durably(ledger.conversation, conversation_id)
        self.read(await durably(ledger.messages, conversation_id), head.leaf if head else None)
        self._outbox.send(Pinned(type="pinned", seq=0, message=shown, pinned=pinned, pins=self.pins()))

    def _marked(self, message: MessageShown, pinned: set[str]) -> MessageShown:
        marked: MessageShown = {**message}
        if message["id"] in pinned:
            marked["pinned"] = True
        if message["id"] in self._tree:
            first = self._tree.begins(message["id"])
            beside = self._tree.siblings(first)
            if len(beside) > 1:
                marked["siblings"], marked["sibling"] = beside, beside.index(first)
        return marked
