"""The beginning of a table that a tool gave, for the user's eyes: plain values, whichever library the table is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "MOST_CELL",
    "MOST_CHARS",
    "MOST_COLUMNS",
    "MOST_ROWS",
    "TableColumn",
    "TableHead",
    "bounded",
    "from_json",
    "to_json",
]

MOST_ROWS = 50
MOST_COLUMNS = 30

MOST_CELL = 100
"""Characters of a cell, a name and a type."""

MOST_CHARS = 40_000
"""Characters of all cells: a head is stored with its conversation, and sent whenever that is opened."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column's beginning.

    Attributes:
        name: Its name.
        type: Its type, as its library says.
        cells: Its first values as text.
        missing: The places in `cells` where there is no value.
        number: Whether its values are numbers.
        label: Whether it names the rows: an index of pandas.
    """

    name: str
    type: str
    cells: tuple[str, ...]
    missing: tuple[int, ...] = ()
    number: bool = False
    label: bool = False


@dataclass(frozen=True, slots=True)
class TableHead:
    """A table's first rows and columns.

    Attributes:
        kind: What the table is: `pandas DataFrame`.
        rows: How many rows the table has.
        width: How many columns it has, without labels of rows.
        columns: The first of them, after the labels of rows.
    """

    kind: str
    rows: int
    width: int
    columns: tuple[TableColumn, ...]


def bounded(head: TableHead) -> TableHead:
    """The head within the sizes above, each column as long as the others. It may come from anybody's file."""
    columns = head.columns[:MOST_COLUMNS]
    length = min([MOST_ROWS, *(len(column.cells) for column in columns)])
    cells = [[_short(cell) for cell in column.cells[:length]] for column in columns]
    room, fitting = MOST_CHARS, 0
    for row in zip(*cells, strict=True):
        room -= sum(map(len, row))
        if room < 0:
            break
        fitting += 1
    return TableHead(
        _short(head.kind),
        _count(head.rows),
        _count(head.width),
        tuple(
            TableColumn(
                _short(column.name),
                _short(column.type),
                tuple(texts[:fitting]),
                tuple(place for place in column.missing if 0 <= place < fitting),
                column.number,
                column.label,
            )
            for column, texts in zip(columns, cells, strict=True)
        ),
    )


def to_json(head: TableHead) -> dict[str, Any]:
    """The stored form."""
    return {
        "kind": head.kind,
        "rows": head.rows,
        "width": head.width,
        "columns": [
            {
                "name": column.name,
                "type": column.type,
                "cells": list(column.cells),
                **({"missing": list(column.missing)} if column.missing else {}),
                **({"number": True} if column.number else {}),
                **({"label": True} if column.label else {}),
            }
            for column in head.columns
        ],
    }


def from_json(data: Mapping[str, Any]) -> TableHead:
    """The head of a stored form."""
    columns = (
        TableColumn(
            one["name"],
            one["type"],
            tuple(one["cells"]),
            tuple(one.get("missing", ())),
            one.get("number", False),
            one.get("label", False),
        )
        for one in data["columns"]
    )
    return TableHead(data["kind"], data["rows"], data["width"], tuple(columns))


def _count(count: int) -> int:
    """A count that JavaScript can hold."""
    return max(0, min(count, 2**53 - 1))


def _short(text: str) -> str:
    return text if len(text) <= MOST_CELL else f"{text[: MOST_CELL - 1]}…"
