"""A model's Markdown, made safe to draw anywhere, and otherwise left as it was written.

JupyterLab sanitises what it draws, but loads remote images, which tells their server what the model
was asked to put into the address; a static viewer may not even sanitise. So outside code raw HTML is
shown as text and an image becomes a link. Code and mathematics stay byte for byte as they are, except for a
space where a reader that knows mathematics could see a tag or an image in them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from itertools import accumulate, groupby
from typing import TYPE_CHECKING

from valechat.mathspans import MARK, may_cross

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

__all__ = ["closed", "harmless"]

_SUSPICIOUS = re.compile(r"!\[|<[A-Za-z/!?]")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_IMAGE = re.compile(r"!+(?=\[)")
_BEGUN = re.compile(r"<(?=[A-Za-z/!?])|!(?=\[)")
_LINE_END = re.compile(r"(\r\n?|\n)")
_ALL = (0, sys.maxsize)


def harmless(markdown: str) -> str:
    """The same Markdown without raw HTML and without images, both outside code."""
    while risky := _risky(markdown):
        # Defusing a line can turn what followed it from code into text, so it is read again.
        defused = _defused(markdown, risky)
        if defused == markdown:
            return _spaced(markdown, [_ALL])
        markdown = defused
    return _spaced(markdown, _beside_mathematics(markdown))


def closed(markdown: str) -> str:
    """The same with its last fence closed, so that it does not swallow what follows it."""
    tokens = _parser().parse(markdown)
    if not tokens or tokens[-1].type != "fence" or markdown.rstrip().splitlines()[-1].strip() == tokens[-1].markup:
        return markdown
    return f"{markdown}\n{tokens[-1].markup}"


def _defused(markdown: str, ranges: list[tuple[int, int]]) -> str:
    return _changed(markdown, ranges, lambda line: _IMAGE.sub("", _TAG.sub("&lt;", line)))


def _spaced(markdown: str, ranges: list[tuple[int, int]]) -> str:
    """With a space where a tag or an image would begin: the same to TeX, and still legible as code."""
    return _changed(markdown, ranges, lambda line: _BEGUN.sub(r"\g<0> ", line))


def _changed(markdown: str, ranges: list[tuple[int, int]], change: Callable[[str], str]) -> str:
    pieces = _LINE_END.split(markdown)
    for first, after in ranges:
        for number in range(first * 2, min(after * 2, len(pieces)), 2):
            pieces[number] = change(pieces[number])
    return "".join(pieces)


def _risky(markdown: str) -> list[tuple[int, int]]:
    """The line ranges that hold HTML, or an image, that a viewer would act upon."""
    if not _SUSPICIOUS.search(markdown):
        return []
    tokens = _parser().parse(markdown)
    return [(token.map[0], token.map[1]) if token.map else (0, 0) for token in tokens if _acts(token)]


def _beside_mathematics(markdown: str) -> list[tuple[int, int]]:
    """The line ranges where a reader that takes mathematics out first could find HTML or an image."""
    if not (_SUSPICIOUS.search(markdown) and MARK.search(markdown)):
        return []
    lines = _LINE_END.split(markdown)[::2]
    text = "\n".join(lines)
    offsets = [0, *accumulate(len(line) + 1 for line in lines)]
    fences = [tuple(token.map) for token in _parser().parse(text) if token.type == "fence" and token.map]
    borders = [offset for first, after in fences for offset in (offsets[first + 1] - 1, offsets[after - 1] + 1)]
    known = [(offsets[first], offsets[after]) for first, after in fences if _is_plain(lines[first:after])]
    if may_cross(text, borders, known):
        return [_ALL]
    fenced = {number for first, after in fences for number in range(first, after)}
    return [(first, after) for first, after in _paragraphs(lines, fenced) if MARK.search("\n".join(lines[first:after]))]


def _is_plain(fence: list[str]) -> bool:
    """Whether also a reader that looks for fences by a pattern finds this one."""
    opened, closing = re.match(r"(`{3,}|~{3,})[^`]*$", fence[0]), fence[-1]
    return opened is not None and len(fence) > 1 and closing == opened[1]


def _paragraphs(lines: list[str], fenced: set[int]) -> Iterator[tuple[int, int]]:
    """Runs of lines that are neither empty nor in a fence."""
    for is_text, run in groupby(range(len(lines)), lambda number: bool(lines[number].strip()) and number not in fenced):
        if is_text:
            numbers = list(run)
            yield numbers[0], numbers[-1] + 1


def _acts(token: Token) -> bool:
    return token.type in ("html_block", "html_inline", "image") or any(map(_acts, token.children or ()))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable(["table", "strikethrough"])
