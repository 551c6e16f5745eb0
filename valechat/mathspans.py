r"""Where Markdown may hold mathematics for some reader, which takes it out before it looks for code.

`$…$`, `$$…$$`, `\(…\)`, `\[…\]`, the same with two backslashes, and `\begin{…}…\end{…}`: JupyterLab knows some
of them, nbconvert others, and each lets them reach over other borders. What lies between two marks can be a
fence or a backtick, so what CommonMark calls code need not be code for them.
(https://github.com/jupyterlab/jupyterlab/blob/main/packages/rendermime/src/latex.ts,
https://github.com/jupyter/nbconvert/blob/main/nbconvert/filters/markdown_mistune.py)
"""

from __future__ import annotations

import re
from bisect import bisect, bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations, product

__all__ = ["MARK", "jupyterlab_spans", "may_cross"]

MARK = re.compile(r"\$|\\(?:begin|end|[()\[\]])")
"""What begins or ends mathematics for any reader."""

_ENDS: Mapping[str, str] = {"$": "$", "$$": "$$", "(": ")", "[": "]", "begin": "end"}
# Some readers write `\(`, others `\\(`; some know `\$` for a plain sign.
_WRITTEN = tuple(
    re.compile(rf"{escaped}(?P<mark>\$\$|\$)|{slash}(?P<bracket>[()\[\]])|\\(?P<word>begin|end)")
    for slash in (r"\\", r"\\\\")
    for escaped in ("", r"(?<!\\)")
)
_SPAN = re.compile(r"(?<![\\`])(`+)(?!`)([^\n]*?[^`\n])\1(?!`)")
_DOLLAR = re.compile(r"(?<!\$)\$(?!\$)")
_ANY_DOLLAR = re.compile(r"\$")
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n")


def may_cross(markdown: str, borders: Sequence[int], code: Iterable[tuple[int, int]]) -> bool:
    r"""Whether for some reader mathematics reaches over one of these borders.

    Args:
        markdown: The text; its lines end with `\n`.
        borders: Offsets where code begins or ends, ascending.
        code: Offsets of code that every reader knows as such when they look for `$`, not when they
            look for the other marks.
    """
    spans = chain(jupyterlab_spans(markdown), _imagined(markdown, code))
    return any(bisect_right(borders, start) < bisect_left(borders, end) for start, end in spans)


def _imagined(markdown: str, code: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What readers may see that know any of the marks, in any writing, and code spans or not."""
    hidden = _masked(markdown, code, _DOLLAR)
    spans = [(found.start(), found.end()) for found in _SPAN.finditer(hidden)]
    for text, written in product((hidden, _masked(hidden, spans, _ANY_DOLLAR)), _WRITTEN):
        marks = [
            (found["mark"] or found["bracket"] or found["word"], found.start()) for found in written.finditer(text)
        ]
        kinds = [kind for kind in _ENDS if any(mark == kind for mark, _ in marks)]
        ends = [found.start() for found in _PARAGRAPH_END.finditer(text)]
        for size in range(1, len(kinds) + 1):
            for known in combinations(kinds, size):
                yield from _regions(marks, set(known), ends)


def _masked(text: str, ranges: Iterable[tuple[int, int]], what: re.Pattern[str]) -> str:
    pieces, last = [], 0
    for start, end in ranges:
        pieces += [text[last:start], what.sub(lambda found: " " * len(found[0]), text[start:end])]
        last = end
    return "".join([*pieces, text[last:]])


def _regions(marks: Sequence[tuple[str, int]], known: set[str], ends: Sequence[int]) -> Iterator[tuple[int, int]]:
    """From each mark that begins one to the first that ends it; `$` never goes on in another paragraph."""
    at = 0
    while at < len(marks):
        mark, start = marks[at]
        at += 1
        if mark not in known:
            continue
        wanted = _ENDS[mark]
        after = next((n for n in range(at, len(marks)) if marks[n][0] == wanted), None)
        if after is None:
            known = known - {mark}
        elif mark != "$" or bisect(ends, start) == bisect(ends, marks[after][1]):
            yield start, marks[after][1] + len(wanted)
            at = after + 1


_LAB_FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,})[^`\n]*\n[\s\S]*?^(?P=fence)`*$", re.MULTILINE)
_LAB_SPAN = re.compile(r"(?:^|[^\\])(`+)[^\n]*?[^`\n]\1(?!`)", re.MULTILINE)
_LAB_BLOCK = re.compile(
    r"\$\$?|\\(?:begin|end)\{[a-z]*\*?\}|\\[{}$]|[{}]|(?:\n\s*)+|@@\d+@@|\\\\[()\[\]]", re.IGNORECASE
)


def jupyterlab_spans(markdown: str) -> Iterator[tuple[int, int]]:
    """The offsets of what JupyterLab takes out as mathematics, by its own rule."""
    for code in (_LAB_FENCE, _LAB_SPAN):
        if "`" in markdown or "~~~" in markdown:
            markdown = _masked(markdown, [found.span() for found in code.finditer(markdown)], _ANY_DOLLAR)
    blocks = [*_LAB_BLOCK.finditer(markdown)]
    start, last, wanted, braces, at = -1, -1, "", 0, 0
    while at < len(blocks):
        block, here = blocks[at][0], at
        at += 1
        if block.startswith("@"):
            continue
        if start < 0:
            wanted = _lab_end(block)
            start, last, braces = (here if wanted else -1), -1, 0
        elif block == wanted and braces == 0:
            yield blocks[start].start(), blocks[here].end()
            start = -1
        elif block == wanted:
            last = here
        elif re.search(r"\n.*\n", block):
            if last >= 0:
                yield blocks[start].start(), blocks[last].end()
                at = last + 1
            start = -1
        else:
            braces = max(0, braces + {"{": 1, "}": -1}.get(block, 0))
    if start >= 0 and last >= 0:
        yield blocks[start].start(), blocks[last].end()


def _lab_end(block: str) -> str:
    """What ends the mathematics that a block begins; empty where it begins none."""
    if block in ("$", "$$"):
        return block
    if block in (r"\\(", r"\\["):
        return block[:-1] + {"(": ")", "[": "]"}[block[-1]]
    return rf"\end{block[6:]}" if block[1:6] == "begin" else ""
