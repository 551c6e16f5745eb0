"""A value of the notebook as text for a model.

A table goes as its schema and a few rows, a function or class as its source, anything else as
`str()` gives it. What was left out is said, so the model does not take a part for the whole.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Sent", "as_text"]

TABLE_CHARS = 4_000
"""Most characters of a table's description (about 1,000 tokens)."""

MOST_ROWS = 10
MOST_COLUMNS = 100
MOST_CELL = 200


@dataclass(frozen=True, slots=True)
class Sent:
    """A value as it is sent. `what` says how, when that is not all of it (`schema and 5 of 1,000 rows`)."""

    text: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class _Table:
    """What is asked of a table, whichever library made it."""

    kind: str
    rows: int
    columns: list[tuple[str, str]]
    head: Callable[[int], list[list[str]]]


def as_text(value: Any) -> Sent:
    """A value as a model should read it.

    Raises:
        Exception: Whatever the value's own `__str__` raises.
    """
    if isinstance(value, str):
        return Sent(value)
    table = _table(value)
    if table is not None:
        return _described(table)
    if inspect.isroutine(value) or inspect.isclass(value):
        return _source(value)
    return Sent(str(value))


def _source(value: Any) -> Sent:
    try:
        return Sent(inspect.getsource(value).rstrip(), "source")
    except (OSError, TypeError):
        return Sent(str(value))


def _described(table: _Table) -> Sent:
    shown = table.columns[:MOST_COLUMNS]
    hidden = len(table.columns) - len(shown)
    schema = ", ".join(f"{name} ({kind})" for name, kind in shown) + (f", and {hidden:,} more" if hidden else "")
    head = [f"{table.kind}, {table.rows:,} rows × {len(table.columns):,} columns", f"Columns: {schema}"]
    text = "\n".join(head)[:TABLE_CHARS]
    rows = [_line(row) for row in table.head(min(MOST_ROWS, table.rows))]
    fitting: list[str] = []
    left = TABLE_CHARS - len(text) - len(_line(name for name, _ in shown))
    for row in rows:
        left -= len(row) + 1
        if left < 0:
            break
        fitting.append(row)
    if fitting:
        count = "All rows" if len(fitting) == table.rows else f"First {len(fitting)} of {table.rows:,} rows"
        text += "\n" + "\n".join([f"{count}:", _line(name for name, _ in shown), *fitting])
    what = f"schema and {len(fitting):,} of {table.rows:,} rows"
    return Sent(text, what)


def _line(cells: Any) -> str:
    return " | ".join(_cell(cell) for cell in cells)


def _cell(cell: object) -> str:
    text = " ".join(str(cell).split())
    return text if len(text) <= MOST_CELL else text[: MOST_CELL - 1] + "…"


def _table(value: Any) -> _Table | None:
    """The value as a table, by the library its class comes from; no library is imported for it."""
    library = type(value).__module__.partition(".")[0]
    kind = type(value).__name__
    match library, kind:
        case "pandas", "DataFrame":
            return _pandas(value)
        case "pandas", "Series":
            name = value.name if value.name is not None else "value"
            return _pandas(value.to_frame(name), kind)
        case "polars", "DataFrame":
            return _polars(value)
        case "polars", "Series":
            return _polars(value.to_frame(), kind)
        case "pyarrow", "Table" | "RecordBatch":
            return _arrow(value)
        case (("duckdb" | "_duckdb"), "DuckDBPyRelation"):
            return _relation(value)
    return None


def _pandas(frame: Any, kind: str = "DataFrame") -> _Table:
    def head(most: int) -> list[list[str]]:
        part = frame.iloc[:most, :MOST_COLUMNS]
        return [list(row) for row in part.itertuples(index=False, name=None)]

    columns = [(str(name), str(dtype)) for name, dtype in zip(frame.columns, frame.dtypes, strict=True)]
    return _Table(f"pandas {kind}", len(frame), columns, head)


def _polars(frame: Any, kind: str = "DataFrame") -> _Table:
    def head(most: int) -> list[list[str]]:
        return [list(row[:MOST_COLUMNS]) for row in frame.head(most).rows()]

    columns = [(name, str(dtype)) for name, dtype in frame.schema.items()]
    return _Table(f"polars {kind}", frame.height, columns, head)


def _arrow(table: Any) -> _Table:
    def head(most: int) -> list[list[str]]:
        columns = [column.to_pylist() for column in table.slice(0, most).columns[:MOST_COLUMNS]]
        return [list(row) for row in zip(*columns, strict=True)]

    columns = [(field.name, str(field.type)) for field in table.schema]
    return _Table(f"Arrow {type(table).__name__}", table.num_rows, columns, head)


def _relation(relation: Any) -> _Table:
    def head(most: int) -> list[list[str]]:
        return [list(row[:MOST_COLUMNS]) for row in relation.limit(most).fetchall()]

    columns = [(name, str(kind)) for name, kind in zip(relation.columns, relation.types, strict=True)]
    return _Table("DuckDB relation", relation.count("*").fetchall()[0][0], columns, head)
