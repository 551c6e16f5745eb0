"""Conversations and their messages, as they change. `finding` looks for them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from valechat.ledger.amounts import ZERO, stamp
from valechat.ledger.base import Conversation, StoredMessage, UsageRow
from valechat.ledger.rows import (
    conversation_columns,
    message_columns,
    message_of,
    tags_text,
    without_surrogates,
)
from valechat.ledger.transaction import Transaction
from valechat.money import add

__all__ = [
    "add_whole",
    "bill",
    "change",
    "delete",
    "delete_messages",
    "forget_words",
    "messages",
    "pin",
    "start",
    "store",
]

_MERGE_PAGES = 500


def start(t: Transaction, conversation: Conversation) -> None:
    """Create a conversation; one that exists is left alone."""
    columns = conversation_columns(conversation)
    names = ", ".join(columns)
    values = ", ".join(f":{name}" for name in columns)
    added = t.db.execute(f"INSERT OR IGNORE INTO conversations ({names}) VALUES ({values})", columns)
    if added.rowcount:
        t.db.execute("DELETE FROM deleted_conversations WHERE id = ?", (conversation.id,))
        t.publish("conversations", int(added.lastrowid or 0))


def add_whole(t: Transaction, conversation: Conversation, messages: Sequence[StoredMessage]) -> None:
    """Create a conversation with its messages; see `Ledger.add_conversation`."""
    known = t.db.execute("SELECT id FROM conversations WHERE id = ?", (conversation.id,)).fetchone()
    for message in messages:
        known = known or t.db.execute("SELECT id FROM messages WHERE id = ?", (message.id,)).fetchone()
    if known is not None:
        raise ValueError(f"{known['id']} is stored already")
    start(t, conversation)
    store(t, messages)


def change(
    t: Transaction,
    conversation_id: str,
    *,
    title: str | None,
    model: str | None,
    leaf: str | None,
    tags: Sequence[str] | None,
) -> None:
    """Change what is not None of a conversation's head; see `Ledger.change_conversation`."""
    row = t.db.execute("SELECT * FROM conversations WHERE id = ?", (conversation_id,)).fetchone()
    if row is None:
        return
    new = {
        "title": row["title"] if title is None else without_surrogates(title),
        "model": row["model"] if model is None else model,
        "leaf_id": row["leaf_id"] if leaf is None else leaf or None,
        "tags": row["tags"] if tags is None else tags_text(tags),
    }
    changed = {name: value for name, value in new.items() if value != row[name]}
    if not changed:
        return
    if "title" in changed or "model" in changed:
        changed["updated_at"] = max(row["updated_at"], stamp(t.now))
    _set(t, "conversations", row["seq"], changed)


def delete(t: Transaction, conversation_id: str) -> None:
    """Delete a conversation and its messages, and refuse messages that are still to come.

    Its ceilings leave the `limits` view; its usage rows and counters stay.
    """
    for stream, column in (("messages", "conversation_id"), ("conversations", "id")):
        for row in t.db.execute(f"SELECT seq FROM {stream} WHERE {column} = ?", (conversation_id,)).fetchall():
            t.publish(stream, row["seq"])
        t.db.execute(f"DELETE FROM {stream} WHERE {column} = ?", (conversation_id,))
    t.db.execute("INSERT OR IGNORE INTO deleted_conversations (id) VALUES (?)", (conversation_id,))
    t.db.execute("DELETE FROM ceilings WHERE scope = ?", (f"conversation:{conversation_id}",))
    t.limits = True


def pin(t: Transaction, message_id: str, *, pinned: bool) -> None:
    """Mark a message, or take the mark away."""
    row = t.db.execute("SELECT seq, pinned FROM messages WHERE id = ?", (message_id,)).fetchone()
    if row is not None and bool(row["pinned"]) != pinned:
        _set(t, "messages", row["seq"], {"pinned": int(pinned)})


def delete_messages(t: Transaction, ids: Sequence[str]) -> int:
    """Delete messages and close the gaps they leave in the tree; how many there were."""
    deleted = 0
    for id_ in ids:
        row = t.db.execute("SELECT seq, conversation_id, parent_id FROM messages WHERE id = ?", (id_,)).fetchone()
        if row is None:
            continue
        deleted += 1
        links = (("messages", "conversation_id", "parent_id"), ("conversations", "id", "leaf_id"))
        for table, of, link in links:
            query = f"SELECT seq FROM {table} WHERE {of} = ? AND {link} = ?"
            for linked in t.db.execute(query, (row["conversation_id"], id_)).fetchall():
                _set(t, table, linked["seq"], {link: row["parent_id"]})
        t.db.execute("DELETE FROM messages WHERE seq = ?", (row["seq"],))
        t.publish("messages", row["seq"])
    return deleted


def _set(t: Transaction, table: str, seq: int, columns: Mapping[str, Any]) -> None:
    assignments = ", ".join(f"{name} = :{name}" for name in columns)
    t.db.execute(f"UPDATE {table} SET {assignments}, rev = rev + 1 WHERE seq = :seq", {**columns, "seq": seq})
    t.publish(table, seq)


def forget_words(t: Transaction, *, begin: bool) -> bool:
    """Take a step in removing deleted words from the search's index; whether there is more to do.

    FTS5 keeps them in old segments until those are merged. A step is short, so that requests come
    between. See "The 'merge' command" in https://www.sqlite.org/fts5.html.
    """
    before = t.db.total_changes
    pages = -_MERGE_PAGES if begin else _MERGE_PAGES
    t.db.execute("INSERT INTO messages_search(messages_search, rank) VALUES ('merge', ?)", (pages,))
    return t.db.total_changes - before >= 2


def store(t: Transaction, stored: Sequence[StoredMessage]) -> None:
    """Store messages; an id that is stored is replaced but for its pin, one of a deleted conversation dropped.

    A message of a conversation nobody started starts it, so that it can be found and deleted.
    """
    for message in stored:
        gone = "SELECT 1 FROM deleted_conversations WHERE id = ?"
        if t.db.execute(gone, (message.conversation_id,)).fetchone():
            continue
        known = "SELECT 1 FROM conversations WHERE id = ?"
        if not t.db.execute(known, (message.conversation_id,)).fetchone():
            start(t, Conversation(message.conversation_id, "", message.ts, message.ts, message.model or ""))
        _store_one(t, message)
        _touch(t, message.conversation_id, stamp(message.ts))


def _store_one(t: Transaction, message: StoredMessage) -> None:
    columns = message_columns(message)
    row = t.db.execute("SELECT seq FROM messages WHERE id = ?", (message.id,)).fetchone()
    if row is None:
        names = ", ".join(columns)
        values = ", ".join(f":{name}" for name in columns)
        added = t.db.execute(f"INSERT INTO messages ({names}) VALUES ({values})", columns)
        t.publish("messages", int(added.lastrowid or 0))
    else:
        del columns["pinned"]
        _set(t, "messages", row["seq"], columns)


def _touch(t: Transaction, conversation_id: str, at: str) -> None:
    t.db.execute(
        "UPDATE conversations SET updated_at = max(updated_at, ?) WHERE id = ?",
        (at, conversation_id),
    )


def bill(t: Transaction, row: UsageRow) -> None:
    """Add a request's cost to its conversation."""
    if row.conversation_id is None:
        return
    found = t.db.execute("SELECT total_cost FROM conversations WHERE id = ?", (row.conversation_id,)).fetchone()
    if found is None:
        return
    if row.cost is not None:
        total = add(Decimal(found["total_cost"]) if found["total_cost"] is not None else ZERO, row.cost)
        t.db.execute("UPDATE conversations SET total_cost = ? WHERE id = ?", (format(total, "f"), row.conversation_id))
    _touch(t, row.conversation_id, stamp(row.ts))


def messages(db: sqlite3.Connection, conversation_id: str) -> list[StoredMessage]:
    """All messages of a conversation, oldest first."""
    rows = db.execute("SELECT * FROM messages WHERE conversation_id = ? ORDER BY seq", (conversation_id,))
    return [message_of(row) for row in rows]
