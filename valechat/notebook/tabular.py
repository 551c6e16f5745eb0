"""Small tables below a cell."""

from __future__ import annotations

from collections.abc import Sequence

from valechat.notebook.formats import Bundle
from valechat.notebook.outputs import escaped

__all__ = ["table"]


def table(head: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[int] = ()) -> Bundle:
    """A table as HTML and as aligned text. `right` are the columns of numbers."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    return {"text/html": _html(cells, right), "text/plain": _plain(cells, right)}


def _html(cells: list[list[str]], right: Sequence[int]) -> str:
    def row(texts: list[str], tag: str) -> str:
        drawn = (
            f'<{tag} style="text-align: {"right" if place in right else "left"}">{escaped(text)}</{tag}>'
            for place, text in enumerate(texts)
        )
        return f"<tr>{''.join(drawn)}</tr>"

    body = "\n".join(row(texts, "td") for texts in cells[1:])
    return f"<table>\n<thead>{row(cells[0], 'th')}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _plain(cells: list[list[str]], right: Sequence[int]) -> str:
    widths = [max(len(row[place]) for row in cells) for place in range(len(cells[0]))]
    lines = (
        "  ".join(
            text.rjust(width) if place in right else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )
    return "\n".join(lines)
