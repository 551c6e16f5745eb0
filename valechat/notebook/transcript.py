"""The conversation in the saved notebook.

A widget alone reopens as "model not found". Beside the panel stands a second output of the same
cell, which holds the transcript as Markdown and is updated after each turn, so that JupyterLab,
Notebook 7, nbconvert and static viewers show it. While the panel lives it is hidden by CSS.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import publish_display_data
from markdown_it import MarkdownIt

from valechat.harmless import closed, harmless
from valechat.ids import new_id
from valechat.ledger.base import StoredMessage
from valechat.messages import FilePart, ImagePart, Message, ToolResultPart
from valechat.reply import citations

__all__ = ["Transcript", "bundle", "saved_markdown", "transcript_markdown"]


_ADDRESS = re.compile(r"https?://[^\s<>\x00-\x20]+", re.IGNORECASE)

MOST = 100_000
"""Characters of one text in a transcript: a notebook is saved whole, again and again."""

ALL = 100_000
"""Characters of a saved transcript's messages; one is there in any case. Drawing twice as many takes a page 60 ms."""


class Transcript:
    """One output of a cell, updated in place from any thread."""

    def __init__(self) -> None:
        self.id = new_id()

    def show(self, markdown: str) -> None:
        """Put the transcript below the output being made now."""
        publish_display_data(bundle(markdown, self.id), transient={"display_id": self.id})

    def update(self, markdown: str) -> None:
        """Replace the transcript, wherever it stands."""
        if InteractiveShell.initialized():
            publish_display_data(bundle(markdown, self.id), transient={"display_id": self.id}, update=True)


def bundle(markdown: str, mark: str) -> dict[str, str]:
    """A transcript in the forms a viewer may choose from; HTML is the one they prefer.

    `mark` tells it from the transcripts of other panels.
    """
    opened, closed = f'<div class="vc-transcript" data-vc="{mark}">\n\n', "\n\n</div>"
    return {
        "text/html": opened + _drawn(markdown) + closed,
        "text/markdown": opened + markdown + closed,
        "text/plain": markdown,
    }


def _drawn(markdown: str) -> str:
    """The transcript drawn without raw HTML, for viewers that do not sanitise."""
    drawn: str = _Reader("commonmark", {"html": False}).enable("table").disable("image").render(markdown)
    return drawn


class _Reader(MarkdownIt):
    """Draws links that go where a stranger's link may go, as the panel does."""

    def validateLink(self, url: str) -> bool:  # noqa: N802  # markdown-it's name
        return url.strip().lower().startswith(("https://", "http://", "mailto:"))


def transcript_markdown(messages: Sequence[StoredMessage]) -> str:
    """A conversation as Markdown, one block a message, harmless wherever it is drawn.

    What was said is kept as it was written; raw HTML in it is escaped outside code, because a static
    viewer may not sanitise, and images become links, because drawing one tells its server.
    """
    said = [(_speaker(stored), closed(_body(stored))) for stored in messages]
    return harmless("\n\n---\n\n".join(f"**{speaker}**\n\n{body}" for speaker, body in said if body))


def saved_markdown(messages: Sequence[StoredMessage]) -> str:
    """A conversation's newest messages for a notebook that is saved again and again: the last `ALL` characters."""
    room, start = ALL, len(messages)
    while start > 0 and (room >= (size := len(_body(messages[start - 1]))) or start == len(messages)):
        room -= size
        start -= 1
    markdown = transcript_markdown(messages[start:])
    left_out = f"*{start:,} earlier messages are kept in the conversation; `%valechat export` has them all.*"
    return f"{left_out}\n\n---\n\n{markdown}" if start else markdown


def _speaker(stored: StoredMessage) -> str:
    if stored.message.role == "user":
        return "You"
    return stored.model or "Tool"


def _body(stored: StoredMessage) -> str:
    message = stored.message
    lines = [_clipped(message.text)] if message.text else []
    if attached := [_named(part) for part in message.parts if isinstance(part, ImagePart | FilePart)]:
        lines.append(f"*Attached: {', '.join(attached)}*")
    lines += [f"Called `{call.name}`:\n\n{_fenced(_clipped(call.arguments), 'json')}" for call in message.tool_calls]
    lines += [
        f"`{part.name}` {'failed' if part.is_error else 'answered'}:\n\n{_fenced(_clipped(part.text))}"
        for part in message.parts
        if isinstance(part, ToolResultPart)
    ]
    lines += _sources(message)
    if stored.status in ("cancelled", "failed", "limit"):
        lines.append(
            {"cancelled": "*(stopped)*", "failed": "*(broke off)*", "limit": "*(limit reached)*"}[stored.status]
        )
    return "\n\n".join(lines)


def _sources(message: Message) -> list[str]:
    """The sources that were named, numbered. Their titles are a stranger's words and kept as code."""
    cited = [(source, " ".join(source.title.replace("`", "").split())) for source in citations([message])]
    links = [(f"<{source.url}>" if _ADDRESS.fullmatch(source.url) else "", title) for source, title in cited]
    named = [" ".join(filter(None, [link, f"`{title}`" if title else ""])) for link, title in links]
    listed = [f"{number}. {name}" for number, name in enumerate(filter(None, named), 1)]
    return ["Sources:\n\n" + "\n".join(listed)] if listed else []


def _named(part: ImagePart | FilePart) -> str:
    name = part.name.replace("`", "") or ("image" if isinstance(part, ImagePart) else "file")
    return f"`{name}` ({len(part.data):,} bytes)"


def _clipped(text: str) -> str:
    """A text for a saved notebook; the conversation keeps all of a longer one."""
    rest = len(text) - MOST
    return text if rest <= 0 else f"{text[:MOST]}\n\n… {rest:,} more characters, which are kept in the conversation"


def _fenced(text: str, language: str = "") -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
