"""Writing to the terminal: tables, CSV, JSON, and text that cannot take the terminal over."""

from __future__ import annotations

import csv
import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from valechat.plaintext import neutral_cell, plain

__all__ = ["emit", "harmless", "note", "say", "shown"]


def say(text: str = "") -> None:
    """Write a line to standard output."""
    sys.stdout.write(f"{text}\n")


def note(text: str) -> None:
    """Write a line to standard error: about the result, not a part of it. What a terminal obeys is left out."""
    sys.stderr.write(f"{plain(text)}\n")


def harmless(text: str) -> str:
    """The text without what a terminal obeys: a model's answer must not move the cursor or set the title."""
    return plain(text) if sys.stdout.isatty() else text


def emit(columns: Sequence[str], rows: Iterable[Sequence[Any]], form: str) -> None:
    """Write rows as `table`, `csv` or `json` (a list of objects; money as text).

    In CSV a text that a spreadsheet would take for a formula begins with `'`.
    """
    if form == "json":
        json.dump([dict(zip(columns, row, strict=True)) for row in rows], sys.stdout, default=shown, indent=2)
        say()
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(cell) for cell in row] for row in rows)
    else:
        _table(columns, [list(row) for row in rows])


def shown(value: Any) -> str:
    """A value as text: amounts with all their digits and no more, an unknown one empty."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return str(value)


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Columns aligned for people, numbers to the right."""
    cells = [[_line(shown(cell)) for cell in row] for row in rows]
    numeric = [
        bool(rows)
        and all(
            cell is None or (isinstance(cell, int | float | Decimal) and not isinstance(cell, bool)) for cell in column
        )
        for column in zip(*rows, strict=True)
    ] or [False] * len(columns)
    widths = [max(_width(text) for text in column) for column in zip(columns, *cells, strict=True)]
    for row in [list(columns), ["─" * width for width in widths], *cells]:
        padded = [
            " " * (width - _width(text)) + text if right else text + " " * (width - _width(text))
            for text, width, right in zip(row, widths, numeric, strict=True)
        ]
        say("  ".join(padded).rstrip())


def _cell(value: Any) -> str:
    return harmless(neutral_cell(value)) if isinstance(value, str) else shown(value)


def _line(text: str) -> str:
    return plain(" ".join(text.splitlines()))


def _width(text: str) -> int:
    """How many cells a terminal gives the text."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
