"""A model's Markdown, made safe to draw anywhere, and otherwise left as it was written.

JupyterLab sanitises nothing in a cell that the user ran, and loads remote images, which tells their server
what the model was asked to put into the address; a static viewer may not sanitise either. So outside code raw
HTML is shown as text, an image becomes a link, and a link to anything but a page or mail becomes text. Code and
mathematics stay byte for byte as they are, except for a space where a reader that knows mathematics could see
a tag or an image in them. Lines end with a line feed.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect
from collections.abc import Callable
from functools import cache
from html import unescape
from itertools import accumulate, groupby
from typing import TYPE_CHECKING

from valechat.mathspans import MARK, jupyterlab_spans, may_cross
from valechat.plainfences import plain_fences

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

__all__ = ["closed", "harmless"]

_SUSPICIOUS = re.compile(r"!\[|<[A-Za-z/!?]")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_IMAGE = re.compile(r"!+(?=\[)")
_BEGUN = re.compile(r"<(?=[A-Za-z/!?])|!(?=\[)")
_LINK = re.compile(
    r"\](?=[(:][\s>]*(?P<to><[^>\n]*|[^\s)>]*))|<(?=(?:javascript|vbscript|data|file|blob):)", re.IGNORECASE
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_HARMLESS_SCHEME = re.compile(r"(?:https?|mailto):", re.IGNORECASE)
_IGNORED_IN_ADDRESSES = re.compile(r"[\x00-\x20\\]")
_LINE_END = re.compile(r"\r\n?")
# How far a tab after a mark of a list or quotation moves what follows it is read differently.
_TAB = re.compile(r"[ \t]*[>*+\-\d][ >*+\-\d.)]*\t")
_CODE = re.compile(r"(`+)[^`]*\1")
_MARKS = re.compile(r"`{3,}|~{3,}")
_ALL = (0, sys.maxsize)


def harmless(markdown: str) -> str:
    """The same Markdown without raw HTML, images and links to anything but pages and mail, all outside code."""
    markdown = plain_fences(_LINE_END.sub("\n", markdown))
    while risky := _risky(markdown):
        # Defusing a line can turn what followed it from code into text, so it is read again.
        defused = _defused(markdown, risky)
        if defused == markdown:
            return _unquoted(_unlinked(_spaced(markdown, [_ALL]), []))
        markdown = defused
    fences = _fences(markdown)
    if _SUSPICIOUS.search(markdown):
        markdown = _spaced(markdown, [_ALL] if fences is None else _ambiguous_paragraphs(markdown, fences))
    return _unquoted(_unlinked(markdown, fences or []))


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
    lines = markdown.split("\n")
    for first, after in ranges:
        lines[first:after] = map(change, lines[first:after])
    return "\n".join(lines)


def _unlinked(markdown: str, fences: list[tuple[int, int]]) -> str:
    """With a space in each link, outside fences, that a browser might run and not open."""
    if not _LINK.search(markdown):
        return markdown
    starts = _starts(markdown.split("\n"))
    fenced = [(starts[first], starts[after]) for first, after in fences]

    def kept(found: re.Match[str]) -> str:
        at = bisect(fenced, (found.start(), sys.maxsize)) - 1
        if at >= 0 and found.start() < fenced[at][1]:
            return found[0]
        # As browsers read an address: control characters do not count.
        address = _IGNORED_IN_ADDRESSES.sub("", unescape(found["to"] or "")).removeprefix("<")
        harmless = found["to"] is not None and (_HARMLESS_SCHEME.match(address) or not _SCHEME.match(address))
        return found[0] if harmless else f"{found[0]} "

    return _LINK.sub(kept, markdown)


def _unquoted(markdown: str) -> str:
    """With primes for quotation marks in what JupyterLab takes for mathematics.

    It puts that back after the text was drawn, and so into an attribute where the address of a link had it.
    """
    if '"' not in markdown or not MARK.search(markdown):
        return markdown
    parts, last = [], 0
    for start, end in jupyterlab_spans(markdown):
        parts += [markdown[last:start], markdown[start:end].replace('"', "''")]
        last = end
    return "".join([*parts, markdown[last:]])


def _risky(markdown: str) -> list[tuple[int, int]]:
    """The line ranges that hold HTML, or an image, that a viewer would act upon."""
    if not _SUSPICIOUS.search(markdown):
        return []
    tokens = _parser().parse(markdown)
    return [(token.map[0], token.map[1]) if token.map else (0, 0) for token in tokens if _acts(token)]


def _acts(token: Token) -> bool:
    return token.type in ("html_block", "html_inline", "image") or any(map(_acts, token.children or ()))


def _fences(markdown: str) -> list[tuple[int, int]] | None:
    """The line ranges of fenced code; None where some reader may see others."""
    if "```" not in markdown and "~~~" not in markdown:
        return []
    lines = markdown.split("\n")
    tokens = _parser().parse(markdown)
    fences = [(token.map[0], token.map[1]) for token in tokens if token.type == "fence" and token.map]
    if any(_TAB.match(lines[first]) for first, _ in fences):
        return None
    if MARK.search(markdown):
        starts = _starts(lines)
        # Within each run of marks, also of those that begin no fence as they stand, and where a first line ends.
        borders = [found.start() + 1 for found in _MARKS.finditer(markdown)]
        borders += [starts[first + 1] - 1 for first, _ in fences]
        known = [(starts[first], starts[after]) for first, after in fences if _is_plain(lines[first:after])]
        if may_cross(markdown, sorted(borders), known):
            return None
    return fences


def _starts(lines: list[str]) -> list[int]:
    """The offset of each line, and of what would follow the last."""
    return [0, *accumulate(len(line) + 1 for line in lines)]


def _is_plain(fence: list[str]) -> bool:
    """Whether also a reader that looks for fences by a pattern finds this one."""
    opened, closing = re.match(r"(`{3,}|~{3,})[^`]*$", fence[0]), fence[-1]
    return opened is not None and len(fence) > 1 and closing == opened[1]


def _ambiguous_paragraphs(markdown: str, fences: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Runs of lines, neither empty nor in a fence, of which readers disagree what is code in them."""
    lines = markdown.split("\n")
    fenced = {number for first, after in fences for number in range(first, after)}
    found = []
    for is_text, run in groupby(range(len(lines)), lambda number: bool(lines[number].strip()) and number not in fenced):
        numbers = list(run)
        if is_text and _is_ambiguous(lines[numbers[0] : numbers[-1] + 1]):
            found.append((numbers[0], numbers[-1] + 1))
    return found


def _is_ambiguous(lines: list[str]) -> bool:
    """Whether there is mathematics, or code that is not in pairs of equal marks on a line each.

    Some readers look for the end of an image's text before they look for code.
    """
    for line in lines:
        marks = re.findall(r"`+", line)
        if MARK.search(line) or "\\`" in line or len(marks) % 2 or len(set(marks)) > 1 or _TAB.match(line):
            return True
        if "![" in _CODE.sub("", line):
            return True
    return False


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable(["table", "strikethrough"])
