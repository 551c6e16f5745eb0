"""A model's Markdown, made safe to draw anywhere, and otherwise left as it was written.

JupyterLab sanitises what it draws, but loads remote images, which tells their server what the model
was asked to put into the address; a static viewer may not even sanitise. So outside code raw HTML is
shown as text and an image becomes a link. Code and mathematics stay byte for byte as they are.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

__all__ = ["closed", "harmless"]

_SUSPICIOUS = re.compile(r"!\[|<[A-Za-z/!?]")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_IMAGE = re.compile(r"!(?=\[)")
_LINE_END = re.compile(r"(\r\n?|\n)")


def harmless(markdown: str) -> str:
    """The same Markdown without raw HTML and without images, both outside code."""
    while risky := _risky(markdown):
        # Defusing a line can turn what followed it from code into text, so it is read again.
        defused = _defused(markdown, risky)
        if defused == markdown:
            return _defused(markdown, [(0, len(markdown))])
        markdown = defused
    return markdown


def closed(markdown: str) -> str:
    """The same with its last fence closed, so that it does not swallow what follows it."""
    tokens = _parser().parse(markdown)
    if not tokens or tokens[-1].type != "fence" or markdown.rstrip().splitlines()[-1].strip() == tokens[-1].markup:
        return markdown
    return f"{markdown}\n{tokens[-1].markup}"


def _defused(markdown: str, risky: list[tuple[int, int]]) -> str:
    pieces = _LINE_END.split(markdown)
    for first, after in risky:
        for number in range(first * 2, min(after * 2, len(pieces)), 2):
            pieces[number] = _IMAGE.sub("", _TAG.sub("&lt;", pieces[number]))
    return "".join(pieces)


def _risky(markdown: str) -> list[tuple[int, int]]:
    """The line ranges that hold HTML, or an image, that a viewer would act upon."""
    if not _SUSPICIOUS.search(markdown):
        return []
    tokens = _parser().parse(markdown)
    return [(token.map[0], token.map[1]) if token.map else (0, 0) for token in tokens if _acts(token)]


def _acts(token: Token) -> bool:
    return token.type in ("html_block", "html_inline", "image") or any(map(_acts, token.children or ()))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable(["table", "strikethrough"])
