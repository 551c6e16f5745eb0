"""Conversations as a Jupyter notebook: what was said as Markdown cells, an answer's Python as code cells.

The form is nbformat 4.5 (https://nbformat.readthedocs.io/en/latest/format_description.html), written as
plain JSON. No cell has an output and nothing runs when the notebook is opened.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from valechat.attachments import media_type_of
from valechat.exports.markdown import attachments, spoken_by
from valechat.exports.said import Said, heading, said
from valechat.harmless import closed, harmless
from valechat.ledger.base import Ledger
from valechat.messages import ImagePart

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["as_notebook"]

_PYTHON = ("python", "python3", "py", "ipython")
_LINE_END = re.compile(r"\r\n?|\n")
_DRAWN = ("image/png", "image/jpeg", "image/gif", "image/webp")


def as_notebook(ledger: Ledger, ids: Sequence[str], *, code_cells: bool = True) -> str:
    """The conversations as one notebook.

    Args:
        ledger: Where they are.
        ids: Which.
        code_cells: Make a code cell of each block of Python in an answer; else it stays in the text.

    Raises:
        ConfigError: There is no conversation of one of these ids.
    """
    cells: list[dict[str, Any]] = []
    for id_ in ids:
        head, messages = said(ledger, id_)
        cells.append(_text_cell(heading(head)))
        for message in messages:
            cells += _question(message) if message.asked else _answer(message, code_cells=code_cells)
    document = {
        "cells": [{"id": f"cell-{number}", **cell} for number, cell in enumerate(cells, 1)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _question(message: Said) -> list[dict[str, Any]]:
    """A question's cell, with its images inside."""
    pictures: dict[str, dict[str, str]] = {}
    for part in message.attached:
        kind = media_type_of(part.data, "") if isinstance(part, ImagePart) else ""
        if kind in _DRAWN:
            pictures[f"image-{len(pictures) + 1}"] = {kind: base64.b64encode(part.data).decode("ascii")}
    drawn = "\n\n".join(f"![{name}](attachment:{name})" for name in pictures)
    words = harmless("\n\n".join(filter(None, [spoken_by(message), closed(message.text), attachments(message)])))
    cell = _markdown("\n\n".join(filter(None, [words, drawn])))
    return [{**cell, "attachments": pictures} if pictures else cell]


def _answer(message: Said, *, code_cells: bool) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = []
    said_by = spoken_by(message)
    for is_code, text in _pieces(message.text) if code_cells else [(False, message.text)]:
        if is_code:
            cells += [_text_cell(said_by)] if said_by else []
            cells.append(_code(text))
        else:
            cells.append(_text_cell("\n\n".join(filter(None, [said_by, text]))))
        said_by = ""
    return cells


def _pieces(markdown: str) -> Iterator[tuple[bool, str]]:
    """An answer's text and its blocks of Python, in order."""
    lines = _LINE_END.split(markdown)
    at = 0
    for fence in _python_blocks(markdown):
        first, after = fence.map or (0, 0)
        if text := "\n".join(lines[at:first]).strip("\n"):
            yield False, text
        yield True, fence.content.rstrip("\n")
        at = after
    if text := "\n".join(lines[at:]).strip("\n"):
        yield False, text


def _python_blocks(markdown: str) -> list[Token]:
    from markdown_it import MarkdownIt

    blocks = MarkdownIt("commonmark").parse(markdown)
    return [
        token
        for token in blocks
        if token.type == "fence"
        and token.level == 0
        and token.info.strip().partition(" ")[0].lower() in _PYTHON
        and token.content.strip()
    ]


def _text_cell(markdown: str) -> dict[str, Any]:
    return _markdown(harmless(closed(markdown)))


def _markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _code(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": source, "execution_count": None, "outputs": []}
