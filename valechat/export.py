"""Conversations as files for people (Markdown) and for programs (JSON)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from valechat.errors import ConfigError
from valechat.ledger.base import Conversation, Ledger, StoredMessage
from valechat.messages import to_json

__all__ = ["as_json", "as_markdown"]

_SPEAKERS = {"user": "You", "assistant": "Model", "tool": "Tool", "system": "System"}


def as_json(ledger: Ledger, ids: Sequence[str]) -> str:
    """The conversations with all parts of all messages, as one JSON document; costs are text.

    Raises:
        ConfigError: There is no conversation of one of these ids.
    """
    conversations = [_conversation(_found(ledger, id_), ledger.messages(id_)) for id_ in ids]
    document = {"format": "valechat conversations", "version": 1, "conversations": conversations}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def as_markdown(ledger: Ledger, ids: Sequence[str]) -> str:
    """The conversations' text as one Markdown document. Reasoning and tool traffic are left out.

    Raises:
        ConfigError: There is no conversation of one of these ids.
    """
    blocks: list[str] = []
    for id_ in ids:
        head = _found(ledger, id_)
        blocks.append(f"# {head.title or head.id}")
        cost = "" if head.total_cost is None else f" · ${head.total_cost:f}"
        blocks.append(f"*{head.created_at:%Y-%m-%d %H:%M} · {head.model}{cost}*")
        for stored in ledger.messages(id_):
            if stored.message.role in ("user", "assistant") and stored.message.text:
                speaker = stored.model or _SPEAKERS[stored.message.role]
                mark = "" if stored.status == "complete" else f" ({stored.status})"
                blocks += [f"**{speaker}**{mark}:", stored.message.text]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _found(ledger: Ledger, conversation_id: str) -> Conversation:
    found = ledger.conversation(conversation_id)
    if found is None:
        raise ConfigError(
            f"There is no conversation {conversation_id}.",
            fix="valechat sql 'select id, title from conversations' lists them.",
        )
    return found


def _conversation(head: Conversation, messages: Sequence[StoredMessage]) -> dict[str, Any]:
    return {
        "id": head.id,
        "title": head.title,
        "created_at": head.created_at.isoformat(),
        "updated_at": head.updated_at.isoformat(),
        "model": head.model,
        "total_cost": None if head.total_cost is None else format(head.total_cost, "f"),
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
        **to_json(stored.message),
    }
