"""Finding conversations: the latest, those that say some words or have a tag, and where the words stand."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from valechat.ledger.base import Conversation
from valechat.ledger.rows import conversation_of
from valechat.ledger.words import around

__all__ = ["get", "latest", "passages", "search", "tags"]

_HEADS = (
    "SELECT c.*, (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id) AS message_count FROM conversations c"
)
_FIRST_UNSPACED = "\u2e80"
"""From here on lie the scripts that are written without spaces, where a word is no token of the index."""


def get(db: sqlite3.Connection, conversation_id: str) -> Conversation | None:
    """One conversation's head."""
    row = db.execute(f"{_HEADS} WHERE c.id = ?", (conversation_id,)).fetchone()
    return None if row is None else conversation_of(row)


def latest(db: sqlite3.Connection, *, tag: str, skip: int, most: int) -> list[Conversation]:
    """The conversations that changed last, newest first."""
    return _heads(db, [_TAGGED] if tag else [], [tag] if tag else [], skip, most)


def search(db: sqlite3.Connection, words: Sequence[str], *, tag: str, skip: int, most: int) -> list[Conversation]:
    """The conversations in whose title and messages every word occurs, newest first.

    A word matches the beginnings of words, without regard to case and accents.
    """
    conditions, values = ([_TAGGED], [tag]) if tag else ([], [])
    for word in words:
        if _unspaced(word):
            within = "SELECT conversation_id FROM messages WHERE instr(text, ?)"
            values.append(word)
        else:
            by_index = "SELECT m.conversation_id FROM messages_search s JOIN messages m ON m.seq = s.rowid WHERE"
            within = f"{by_index} messages_search MATCH ?"
            values.append(_beginning(word))
        conditions.append(f"(c.id IN ({within}) OR instr(fold(c.title), fold(?)))")
        values.append(word)
    return _heads(db, conditions, values, skip, most)


def passages(db: sqlite3.Connection, words: Sequence[str], ids: Sequence[str]) -> dict[str, str]:
    """Of each of these conversations, the text around the first of the words in the newest message that has one.

    Missing where no message has any.
    """
    places = ", ".join("?" for _ in ids)
    newest: dict[str, int] = {}
    for word in words:
        if _unspaced(word):
            having, value = "FROM messages m WHERE instr(m.text, ?)", word
        else:
            having = "FROM messages_search s JOIN messages m ON m.seq = s.rowid WHERE messages_search MATCH ?"
            value = _beginning(word)
        found = f"SELECT m.conversation_id, max(m.seq) {having} AND m.conversation_id IN ({places}) GROUP BY 1"
        for conversation_id, seq in db.execute(found, (value, *ids)):
            newest[conversation_id] = max(seq, newest.get(conversation_id, 0))
    texts = {}
    for conversation_id, seq in newest.items():
        (text,) = db.execute("SELECT text FROM messages WHERE seq = ?", (seq,)).fetchone()
        texts[conversation_id] = around(text, words)
    return texts


def tags(db: sqlite3.Connection) -> dict[str, int]:
    """All tags, and how many conversations have each."""
    rows = db.execute(
        "SELECT t.value AS tag, count(*) AS conversations FROM conversations c, json_each(c.tags) t"
        " WHERE c.tags != '[]' GROUP BY 1 ORDER BY 1 COLLATE NOCASE"
    )
    return {row["tag"]: row["conversations"] for row in rows}


_TAGGED = "EXISTS (SELECT 1 FROM json_each(c.tags) t WHERE t.value = ?)"


def _heads(
    db: sqlite3.Connection, conditions: Sequence[str], values: Sequence[str], skip: int, most: int
) -> list[Conversation]:
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = db.execute(
        f"{_HEADS} {where} ORDER BY c.updated_at DESC, c.seq DESC LIMIT ? OFFSET ?", (*values, most, skip)
    )
    return [conversation_of(row) for row in rows]


def _unspaced(word: str) -> bool:
    return any(character >= _FIRST_UNSPACED for character in word)


def _beginning(word: str) -> str:
    """A word as the index is asked for what begins with it."""
    return '"' + word.replace('"', '""') + '"*'
