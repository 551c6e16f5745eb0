"""Conversations as Markdown, harmless wherever it is drawn."""

from __future__ import annotations

from collections.abc import Sequence

from valechat.exports.said import Said, heading, said
from valechat.harmless import closed, harmless
from valechat.ledger.base import Ledger

__all__ = ["as_markdown", "attachments", "spoken_by"]


def as_markdown(ledger: Ledger, ids: Sequence[str]) -> str:
    """The conversations' text as one document, raw HTML escaped and images as links.

    Raises:
        ConfigError: There is no conversation of one of these ids.
    """
    blocks: list[str] = []
    for id_ in ids:
        head, messages = said(ledger, id_)
        blocks.append(heading(head))
        blocks += [_block(message) for message in messages]
    return harmless("\n\n".join(blocks)) + "\n" if blocks else ""


def spoken_by(message: Said) -> str:
    """The line above a message."""
    return f"**{message.speaker}**{f' ({message.status})' if message.status else ''}:"


def attachments(message: Said) -> str:
    """A line that names what was attached; empty when nothing was."""
    names = [f"`{part.name.replace('`', '') or 'image'}` ({len(part.data):,} bytes)" for part in message.attached]
    return f"*Attached: {', '.join(names)}*" if names else ""


def _block(message: Said) -> str:
    parts = [spoken_by(message), closed(message.text), attachments(message)]
    return "\n\n".join(part for part in parts if part)
