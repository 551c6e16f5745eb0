"""What was said in a conversation, as a reader meets it: questions, and each answer as one text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from valechat.branches import shown_path
from valechat.conversations import as_title, found
from valechat.ledger.base import Conversation, Ledger, StoredMessage
from valechat.messages import FilePart, ImagePart

__all__ = ["Said", "heading", "said"]


@dataclass(frozen=True, slots=True)
class Said:
    """A question (`asked`) or an answer. `speaker` is `You` or the model; `status` is empty when it is complete."""

    asked: bool
    speaker: str
    text: str
    status: str
    attached: Sequence[ImagePart | FilePart]


def said(ledger: Ledger, conversation_id: str) -> tuple[Conversation, list[Said]]:
    """A conversation's head, and what was said on the path that is shown. Reasoning and tool traffic are left out.

    Raises:
        ConfigError: There is no conversation of this id.
    """
    head = found(ledger, conversation_id)
    shown = [_said(stored) for stored in shown_path(ledger, conversation_id)]
    return head, [one for one in shown if one is not None]


def heading(head: Conversation) -> str:
    """A conversation's title and a line about it, as Markdown."""
    cost = "" if head.total_cost is None else f" · ${head.total_cost:f}"
    return f"# {as_title(head.title) or head.id}\n\n*{head.created_at:%Y-%m-%d %H:%M} · {head.model}{cost}*"


def _said(stored: StoredMessage) -> Said | None:
    message = stored.message
    attached = [part for part in message.parts if isinstance(part, ImagePart | FilePart)]
    if message.role not in ("user", "assistant") or not (message.text or attached):
        return None
    asked = message.role == "user"
    speaker = "You" if asked else as_title(stored.model or "") or "Model"
    return Said(asked, speaker, message.text, "" if stored.status == "complete" else stored.status, attached)
