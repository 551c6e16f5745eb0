"""What is deleted when it is old: conversations, and what tools answered. Accounting never is.

A conversation goes as a whole, a while after it was last used: without its beginning the rest would make no
sense to a model. Its requests, their cost and the limits they counted against stay.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from valechat.errors import ValeChatError
from valechat.ledger import conversations
from valechat.ledger.amounts import stamp
from valechat.ledger.base import Pruned, Retention
from valechat.ledger.faults import translated
from valechat.ledger.rows import json_text
from valechat.ledger.transaction import Transaction

__all__ = ["REMOVED", "Daily", "delete_expired", "expired", "forget_results"]

REMOVED = "[removed: older than the results of tools are kept]"
"""What stands in the place of a tool's answer."""

_CALL = {"kind", "call_id", "name", "is_error"}
_RESULTS_A_STEP = 200
_BETWEEN_LOOKS = timedelta(minutes=10)


class Daily:
    """Pruning once a day, whichever process comes first.

    Args:
        note: The file whose content is when it was last begun.
        clock: What time it is.
        prune: Deletes what is old.
    """

    def __init__(self, note: Path, clock: Callable[[], datetime], prune: Callable[[Retention], Pruned]) -> None:
        self.wanted: Callable[[], Retention] | None = None
        self._note = note
        self._clock = clock
        self._prune = prune
        self._looked: datetime | None = None

    def is_due(self) -> bool:
        """Whether `run` has something to do; costs nothing most of the time."""
        now = self._clock()
        if self.wanted is None or (self._looked is not None and timedelta(0) <= now - self._looked < _BETWEEN_LOOKS):
            return False
        self._looked = now
        return self._is_a_day_ago(now) and self._retention() != Retention()

    def run(self) -> None:
        """Prune, if that was not done today. A process that dies at it leaves the rest to the next day."""
        now = self._clock()
        retention = self._retention()
        if retention == Retention() or not self._is_a_day_ago(now):
            return
        with translated(self._note):
            self._note.write_text(now.isoformat(), encoding="utf-8")
        self._prune(retention)

    def _retention(self) -> Retention:
        try:
            return Retention() if self.wanted is None else self.wanted()
        except ValeChatError:
            # Settings that cannot be read are reported where they are used; nothing is deleted by them.
            return Retention()

    def _is_a_day_ago(self, now: datetime) -> bool:
        try:
            last = datetime.fromisoformat(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return True
        return not timedelta(0) <= now - last < timedelta(days=1)


def expired(db: sqlite3.Connection, before: datetime) -> list[str]:
    """The conversations that were last used before a moment."""
    rows = db.execute("SELECT id FROM conversations WHERE updated_at < ? ORDER BY updated_at", (stamp(before),))
    return [row["id"] for row in rows]


def delete_expired(t: Transaction, conversation_id: str, before: datetime) -> bool:
    """Delete a conversation, unless it was used again meanwhile; whether it was."""
    query = "SELECT 1 FROM conversations WHERE id = ? AND updated_at < ?"
    if not t.db.execute(query, (conversation_id, stamp(before))).fetchone():
        return False
    conversations.delete(t, conversation_id)
    return True


def forget_results(t: Transaction, before: datetime) -> int:
    """Remove what tools answered before a moment, as much as one transaction should hold; how many messages."""
    rows = t.db.execute(
        "SELECT seq, body FROM messages WHERE role = 'tool' AND ts < ? AND text <> ? LIMIT ?",
        (stamp(before), REMOVED, _RESULTS_A_STEP),
    ).fetchall()
    for row in rows:
        body = json.loads(row["body"])
        parts = [_without_answer(part) for part in body["parts"]]
        t.db.execute(
            "UPDATE messages SET text = ?, body = ?, rev = rev + 1 WHERE seq = ?",
            (REMOVED, json_text({**body, "parts": parts}), row["seq"]),
        )
        t.erase("messages", row["seq"])
    return len(rows)


def _without_answer(part: dict[str, Any]) -> dict[str, Any]:
    if part.get("kind") != "tool_result":
        return part
    return {**{key: part[key] for key in part.keys() & _CALL}, "text": REMOVED}
