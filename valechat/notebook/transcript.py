"""The conversation in the saved notebook.

A widget alone reopens as "model not found". Beside the panel stands a second output of the same
cell, which holds the transcript as Markdown and is updated after each turn, so that JupyterLab,
Notebook 7, nbconvert and static viewers show it. While the panel lives it is hidden by CSS.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import publish_display_data

from valechat.ids import new_id
from valechat.ledger.base import StoredMessage
from valechat.messages import ToolResultPart

__all__ = ["Transcript", "transcript_markdown"]


class Transcript:
    """One output of a cell, updated in place from any thread."""

    def __init__(self) -> None:
        self._display_id = new_id()

    def show(self, markdown: str) -> None:
        """Put the transcript below the output being made now."""
        publish_display_data(_bundle(markdown), transient={"display_id": self._display_id})

    def update(self, markdown: str) -> None:
        """Replace the transcript, wherever it stands."""
        if InteractiveShell.initialized():
            publish_display_data(_bundle(markdown), transient={"display_id": self._display_id}, update=True)


def _bundle(markdown: str) -> dict[str, Any]:
    return {"text/markdown": markdown, "text/plain": _plain(markdown)}


def _plain(markdown: str) -> str:
    return re.sub(r"</?div[^>]*>\n*", "", markdown)


def transcript_markdown(messages: Sequence[StoredMessage], *, footer: str = "") -> str:
    """A conversation as Markdown, one block a message, harmless wherever it is drawn.

    What was said is kept as it was written; raw HTML in it is escaped outside code, because a static
    viewer may not sanitise, and images become links, because drawing one tells its server.
    """
    blocks = [f"**{_speaker(stored)}**\n\n{_harmless(_body(stored))}" for stored in messages if _body(stored)]
    if footer:
        blocks.append(f"*{footer}*")
    if not blocks:
        return '<div class="vc-transcript"></div>'
    return '<div class="vc-transcript">\n\n' + "\n\n---\n\n".join(blocks) + "\n\n</div>"


def _speaker(stored: StoredMessage) -> str:
    if stored.message.role == "user":
        return "You"
    return stored.model or "Tool"


def _body(stored: StoredMessage) -> str:
    message = stored.message
    lines = [message.text] if message.text else []
    for call in message.tool_calls:
        lines.append(f"Called `{call.name}`:\n\n{_fenced(call.arguments, 'json')}")
    for part in message.parts:
        if isinstance(part, ToolResultPart):
            lines.append(f"`{part.name}` {'failed' if part.is_error else 'answered'}:\n\n{_fenced(part.text)}")
    if stored.status in ("cancelled", "failed", "limit"):
        lines.append({"cancelled": "*(stopped)*", "failed": "*(broke off)*", "limit": "*(limit reached)*"}[stored.status])
    return "\n\n".join(lines)


def _fenced(text: str, language: str = "") -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


_CODE = re.compile(r"(^ {0,3}(`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}\2[`~]*[ \t]*$|\Z)|(?<!`)(`+)(?!`).+?(?<!`)\3(?!`))", re.S | re.M)


def _harmless(markdown: str) -> str:
    """Escape HTML and defuse images and scripts' addresses outside code."""
    pieces: list[str] = []
    end = 0
    for code in _CODE.finditer(markdown):
        pieces += [_defused(markdown[end : code.start()]), code.group(0)]
        end = code.end()
    return "".join([*pieces, _defused(markdown[end:])])


def _defused(text: str) -> str:
    text = html.escape(text, quote=False).replace("&gt;", ">")
    text = re.sub(r"!(?=\[)", "", text)
    return re.sub(r"(?i)(javascript|vbscript|data)(\s*:)", r"\1&#58;", text)
