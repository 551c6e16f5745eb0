r"""Where Markdown may hold mathematics for some reader, which takes it out before it looks for code.

`$…$`, `$$…$$`, `\(…\)`, `\[…\]`, the same with two backslashes, and `\begin{…}…\end{…}`: JupyterLab knows some
of them, nbconvert others, and each lets them reach over other borders. What lies between two marks can be a
fence or a backtick, so what CommonMark calls code need not be code for them.
(https://github.com/jupyterlab/jupyterlab/blob/main/packages/rendermime/src/latex.ts,
https://github.com/jupyter/nbconvert/blob/main/nbconvert/filters/markdown_mistune.py)
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

__all__ = ["MARK", "may_cross"]

MARK = re.compile(r"\$|\\(?:begin|end|[()\[\]])")
"""What begins or ends mathematics for any reader."""

_ENDS: Mapping[str, str] = {
    "$": "$",
    "$$": "$$",
    r"\(": r"\)",
    r"\[": r"\]",
    r"\begin": r"\end",
}
_MARKS = re.compile(r"\$\$|\$|\\\(|\\\)|\\\[|\\\]|\\begin|\\end")
_SPAN = re.compile(r"(?<![\\`])(`+)(?!`)([^\n]*?[^`\n])\1(?!`)")
_DOLLAR = re.compile(r"(?<!\$)\$(?!\$)")
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n")


def may_cross(markdown: str, borders: Sequence[int], code: Iterable[tuple[int, int]]) -> bool:
    r"""Whether for some reader mathematics reaches over one of these borders.

    Args:
        markdown: The text.
        borders: Offsets where code begins or ends, ascending.
        code: Offsets of code that every reader knows as such when they look for `$`, not when they
            look for the other marks.
    """
    hidden = _without_dollar(markdown, code)
    for text in (hidden, _without_dollar(hidden, ((span.start(), span.end()) for span in _SPAN.finditer(hidden)))):
        marks = [(found[0], found.start()) for found in _MARKS.finditer(text)]
        kinds = [kind for kind in _ENDS if any(mark == kind for mark, _ in marks)]
        ends = [found.start() for found in _PARAGRAPH_END.finditer(text)]
        for known in (set(some) for size in range(1, len(kinds) + 1) for some in combinations(kinds, size)):
            for start, end in _regions(marks, known, ends):
                if any(start < border < end for border in borders):
                    return True
    return False


def _without_dollar(text: str, ranges: Iterable[tuple[int, int]]) -> str:
    pieces, last = [], 0
    for start, end in ranges:
        pieces += [text[last:start], _DOLLAR.sub(" ", text[start:end])]
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
