"""Conversations as JSON: all there is of them, to be read by programs and by `valechat.exports.reading`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from valechat.conversations import found
from valechat.ledger.base import Conversation, Ledger, StoredMessage
from valechat.messages import to_json

__all__ = ["FORMAT", "VERSION", "as_json"]

FORMAT = "valechat conversations"
"""What tells such a document from another."""

VERSION = 1
"""Raised when a reader of the version before would misunderstand; keys are added without."""


def as_json(ledger: Ledger, ids: Sequence[str]) -> str:
    """The conversations with all parts of all messages in all branches, as one document; costs are text.

    Raises:
        ConfigError: There is no conversation of one of these ids.
    """
    conversations = [_conversation(found(ledger, id_), ledger.messages(id_)) for id_ in ids]
    document = {"format": FORMAT, "version": VERSION, "conversations": conversations}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _conversation(head: Conversation, messages: Sequence[StoredMessage]) -> dict[str, Any]:
    return {
        "id": head.id,
        "title": head.title,
        "created_at": head.created_at.isoformat(),
        "updated_at": head.updated_at.isoformat(),
        "model": head.model,
        "total_cost": None if head.total_cost is None else format(head.total_cost, "f"),
        "tags": list(head.tags),
        "leaf": head.leaf,
        "messages": [_message(message) for message in messages],
    }


def _message(stored: StoredMessage) -> dict[str, Any]:
    return {
        "id": stored.id,
        "parent_id": stored.parent_id,
        "ts": stored.ts.isoformat(),
        "model": stored.model,
        "request_id": stored.request_id,
        "status": stored.status,
        "pinned": stored.pinned,
        **to_json(stored.message),
    }
