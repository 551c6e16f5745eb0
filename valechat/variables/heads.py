"""A table's first rows for the user's eyes: each column's values written alike, and what looks like a secret hidden."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time
from math import isfinite, isnan
from numbers import Number
from typing import Any

from valechat.tablehead import MOST_CELL, MOST_COLUMNS, MOST_ROWS, TableColumn, TableHead, bounded
from valechat.variables.hiding import HIDDEN, Hider
from valechat.variables.tables import Table

__all__ = ["head_of"]

_NUMBER = re.compile(r"u?(?:int|float|double|decimal|half)|(?:tiny|small|u?big|huge)int", re.IGNORECASE)

DECIMALS = 6
_LARGE, _SMALL = 1e15, 1e-4
"""Between them a number is written out, beyond them with its power of ten."""


def head_of(table: Table, rows: Sequence[Sequence[Any]], secret: Sequence[bool], *, reveal: bool) -> TableHead:
    """The table's head.

    Args:
        table: The table.
        rows: Its first rows, each with its labels before its cells.
        secret: Whether the values of a column are hidden, the labels' columns included.
        reveal: Hide nothing.
    """
    labels = len(table.labels)
    columns = [*((name, "") for name in table.labels), *table.columns][:MOST_COLUMNS]
    shown = rows[:MOST_ROWS]
    hider = Hider(off=reveal)
    return bounded(
        TableHead(
            table.kind,
            table.rows,
            len(table.columns),
            tuple(
                replace(
                    TableColumn(name, kind, (HIDDEN,) * len(shown))
                    if secret[place]
                    else _column(name, kind, [row[place] for row in shown], hider),
                    label=place < labels,
                )
                for place, (name, kind) in enumerate(columns)
            ),
        )
    )


def _column(name: str, kind: str, values: list[Any], hider: Hider) -> TableColumn:
    missing = tuple(place for place, value in enumerate(values) if _is_missing(value))
    present = [value for place, value in enumerate(values) if place not in missing]
    numbers = all(map(_is_number, present)) if present else _NUMBER.match(kind) is not None
    texts = iter(_written(present))
    cells = [str(value) if place in missing else next(texts) for place, value in enumerate(values)]
    hidden = [
        hider.under(name, cell) if isinstance(value, str) else hider.text(cell)
        for cell, value in zip(cells, values, strict=True)
    ]
    return TableColumn(name, kind, tuple(hidden), missing, numbers)


def _written(values: list[Any]) -> list[str]:
    """Values that are there, as text: floats with as many decimals, and days without their midnight."""
    if values and all(isinstance(value, float) for value in values):
        return _floats(values)
    if values and all(isinstance(value, datetime) and value.time() == time.min for value in values):
        return [str(value.date()) for value in values]
    return [_line(value) for value in values]


def _floats(values: list[float]) -> list[str]:
    sizes = [abs(value) for value in values if value and isfinite(value)]
    if sizes and (max(sizes) >= _LARGE or min(sizes) < _SMALL):
        return [f"{value:.{DECIMALS}g}" for value in values]
    written = [f"{size:.{DECIMALS}f}".rstrip("0").partition(".")[2] for size in sizes]
    decimals = max(map(len, written), default=0)
    return [f"{value:.{decimals}f}" for value in values]


def _line(value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    return " ".join(text[: 4 * MOST_CELL].split())


def _is_missing(value: Any) -> bool:
    """None, NaN and what pandas has for it."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and isnan(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, Number) and not isinstance(value, bool | complex)
