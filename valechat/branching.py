"""What is done to the branches of a conversation in the ledger: shown, asked again, deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from valechat.branches import Tree
from valechat.errors import ConfigError
from valechat.ledger.base import Conversation, Ledger, StoredMessage
from valechat.ledger.threads import durably
from valechat.messages import Message

__all__ = ["add_question", "delete_turn", "drop_question", "question_of", "show_branch"]


async def question_of(ledger: Ledger, conversation_id: str, message_id: str | None) -> StoredMessage:
    """The question of a message's turn; of the last turn shown without one.

    Raises:
        ConfigError: There is no such message, or no question.
    """
    if message_id is None:
        head = await durably(ledger.conversation, conversation_id)
        path = Tree(await durably(ledger.messages, conversation_id)).path(head.leaf if head else None)
        message_id = path[-1].id if path else ""
    tree = await _tree_with(ledger, conversation_id, message_id)
    question = tree.question(message_id)
    if question is None:
        raise ConfigError("There is no question to answer again.")
    return question


async def show_branch(ledger: Ledger, conversation_id: str, message_id: str) -> None:
    """Let the path that is shown go through a message, and below it to the newest.

    Raises:
        ConfigError: There is no such message.
    """
    tree = await _tree_with(ledger, conversation_id, message_id)
    await durably(ledger.change_conversation, conversation_id, leaf=tree.newest_below(message_id))


async def delete_turn(ledger: Ledger, conversation_id: str, message_id: str) -> None:
    """Delete the question of a message's turn with all its answers; what came after it stays, as does what it cost.

    Raises:
        ConfigError: There is no such message.
    """
    tree = await _tree_with(ledger, conversation_id, message_id)
    head = await durably(ledger.conversation, conversation_id)
    gone = [stored.id for stored in tree.turn(message_id)]
    path = [stored.id for stored in tree.path(head.leaf if head else None)]
    left = [id_ for id_ in path if id_ not in gone]
    await durably(ledger.delete_messages, gone)
    if path != left:
        await durably(ledger.change_conversation, conversation_id, leaf=left[-1] if left else "")


async def add_question(
    ledger: Ledger, conversation_id: str, question: Message, question_id: str, *, title: str, model: str
) -> None:
    """Put a question at the end of the shown path, so that several answers can follow it at once."""
    head = await durably(ledger.conversation, conversation_id)
    path = Tree(await durably(ledger.messages, conversation_id)).path(head.leaf if head else None)
    now = datetime.now(UTC)
    await durably(ledger.start_conversation, Conversation(conversation_id, title, now, now, model))
    above = path[-1].id if path else None
    await durably(ledger.add_messages, [StoredMessage(question_id, conversation_id, above, question, now)])
    if head is not None and head.leaf:
        await durably(lambda: ledger.change_conversation(conversation_id, leaf=question_id))


async def drop_question(ledger: Ledger, conversation_id: str, question_id: str) -> None:
    """Take a question that found no answer out of what is shown and sent; it stays in the ledger."""
    stored = [one for one in await durably(ledger.messages, conversation_id) if one.id == question_id]
    await durably(ledger.add_messages, [replace(one, status="failed") for one in stored])


async def _tree_with(ledger: Ledger, conversation_id: str, message_id: str) -> Tree:
    tree = Tree(await durably(ledger.messages, conversation_id))
    if message_id not in tree:
        raise ConfigError(
            f"The conversation has no message {message_id}." if message_id else "The conversation is empty.",
            fix="`await chat.stored()` lists the messages that are shown.",
        )
    return tree
