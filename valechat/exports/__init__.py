"""Conversations as files: for people (Markdown, a notebook) and for programs (JSON), which can be read back.

What models, tools and servers said is untrusted: Markdown and notebooks are harmless wherever they are
opened; JSON is data, and what reads it decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from valechat.exports.markdown import as_markdown
from valechat.exports.notebook import as_notebook
from valechat.exports.plainjson import as_json
from valechat.ledger.base import Ledger

__all__ = ["FORMATS", "Format", "as_json", "as_markdown", "as_notebook", "file_name"]


@dataclass(frozen=True, slots=True)
class Format:
    """A form a conversation can be written in. `write` takes the ledger and ids, and raises `ConfigError`."""

    suffix: str
    media_type: str
    write: Callable[[Ledger, Sequence[str]], str]


FORMATS: Mapping[str, Format] = {
    "markdown": Format(".md", "text/markdown", as_markdown),
    "json": Format(".json", "application/json", as_json),
    "notebook": Format(".ipynb", "application/x-ipynb+json", as_notebook),
}
"""All forms, by the name a user writes."""


def file_name(title: str, suffix: str) -> str:
    """A file's name for a conversation of this title, without what file systems refuse."""
    return (re.sub(r"\W+", "-", title.lower()).strip("-")[:50] or "conversation") + suffix
