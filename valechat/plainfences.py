"""Fenced code as viewers draw it that trust the text: its language is put into the page, and a diagram is drawn.

JupyterLab writes the info string into an attribute as it stands, and its Mermaid puts the labels of a diagram into
the page to measure them, where an image in one is asked for. So an info string keeps no character that HTML knows,
and a diagram that could hold more than words is shown as text.
"""

from __future__ import annotations

import re
from itertools import zip_longest

__all__ = ["plain_fences"]

_FENCE = re.compile(
    r"(?:^|(?<=\r))(?P<before>[ \t>*+\-\d.)]*)(?P<mark>`{3,}(?=[^`\n\r]*(?:[\n\r]|\Z))|~{3,})(?P<info>[^\n\r]*)",
    re.MULTILINE,
)
_MARKUP = re.compile(r"""[<>"'&=$@\\]""")
_DIAGRAM = re.compile(r"(\s*\{?\s*)mermaid\b", re.IGNORECASE)
_MORE_THAN_WORDS = re.compile(
    r"<(?!br\s*/?>)[a-z/!?]|&|\\|#\w+;|//|:/|\burl\b|@|\bimg\b|\bhref\b|\bclick\b|\blinks?\b|%%\s*\{|^\s*---\s*$",
    re.IGNORECASE | re.MULTILINE,
)


def plain_fences(markdown: str) -> str:
    """The same with plain languages, and with diagrams that are words and arrows only."""
    if "```" not in markdown and "~~~" not in markdown:
        return markdown
    fences = [*_FENCE.finditer(markdown)]
    parts, last = [], 0
    for found, following in zip_longest(fences, fences[1:]):
        info = _MARKUP.sub("", found["info"])
        if _DIAGRAM.match(info) and not _is_words(markdown, found, following):
            info = _DIAGRAM.sub(r"\1text", info, count=1)
        parts += [markdown[last : found.start("info")], info]
        last = found.end()
    return "".join([*parts, markdown[last:]])


def _is_words(markdown: str, opening: re.Match[str], closing: re.Match[str] | None) -> bool:
    """Whether every reader sees the diagram end there, and there is nothing in it but words and arrows."""
    if closing is None or opening["before"].strip() or closing["info"].strip():
        return False
    same = (opening["before"], opening["mark"]) == (closing["before"], closing["mark"])
    return same and not _MORE_THAN_WORDS.search(markdown, opening.end(), closing.start())
