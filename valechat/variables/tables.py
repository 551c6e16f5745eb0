"""Tables, whichever library made them: one shape for what is asked of a DataFrame, a relation, a Series.

No library is imported here: a value's library is loaded, or there would be no value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MOST_COLUMNS", "Table", "library_of", "nth", "table_of"]

MOST_COLUMNS = 200
"""Columns that are looked at; the others are counted."""

Sample = tuple["pa.ChunkedArray | None", str]


@dataclass(frozen=True, slots=True)
class Table:
    """What is asked of a table.

    Attributes:
        kind: What it is, as its library says: `pandas DataFrame`.
        rows: How many rows it has.
        columns: Names and types of all columns.
        head: The first rows, as cells of the first `MOST_COLUMNS` columns, the row's labels before them.
        column: The values of the column in that place, of about so many rows; None where it has no Arrow form.
        spread: Whether `column` takes its rows from all over the table, or from its beginning.
        index: What a row is named by, where that is said: a pandas index.
        ends: The first and the last of these labels, each with all its parts.
        labels: The names of the parts of that; empty where a part has none.
    """

    kind: str
    rows: int
    columns: list[tuple[str, str]]
    head: Callable[[int], list[list[Any]]]
    column: Callable[[int, int], pa.ChunkedArray | pa.Array | None]
    spread: bool = True
    index: str = ""
    ends: tuple[tuple[Any, ...], ...] = ()
    labels: tuple[str, ...] = ()


def library_of(value: object) -> tuple[str, str]:
    """The library of a value's class and the class's name, or those of the base that comes from a known library.

    Asks the type alone, never the value.
    """
    for base in type(value).__mro__:
        library = str(base.__module__).partition(".")[0].removeprefix("_")
        if library in _TABULAR or library in ("numpy", "builtins"):
            return library, base.__name__
    return str(type(value).__module__).partition(".")[0], type(value).__name__


_TABULAR = frozenset({"pandas", "polars", "pyarrow", "duckdb"})


def table_of(value: Any, name: str = "") -> Table | None:
    """The value as a table; None where it is none. `name` is what a Series is called in place of its own name."""
    match library_of(value):
        case "pandas", "DataFrame":
            return _pandas(value)
        case "pandas", "Series":
            return _pandas(value.to_frame(name or ("value" if value.name is None else value.name)), "Series")
        case "polars", "DataFrame":
            return _polars(value)
        case "polars", "Series":
            return _polars(value.to_frame(name or None), "Series")
        case "pyarrow", "Table" | "RecordBatch":
            return _arrow(value)
        case "duckdb", "DuckDBPyRelation":
            return _relation(value)
    return None


def _pandas(frame: Any, kind: str = "DataFrame") -> Table:
    index = _index(frame.index)
    labels = tuple("" if name is None else str(name) for name in frame.index.names) if index else ()

    def head(most: int) -> list[list[Any]]:
        part = frame.iloc[:most, :MOST_COLUMNS].itertuples(index=bool(labels), name=None)
        return [[*row[0], *row[1:]] if len(labels) > 1 else list(row) for row in part]

    def column(place: int, most: int) -> pa.Array | None:
        import pyarrow as pa

        # Every nth row of an index of texts takes longer than those of the column, and is not wanted.
        values = frame.iloc[:, place].set_axis(range(len(frame)))
        try:
            return pa.Array.from_pandas(values.iloc[:: _step(len(frame), most)])
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            # A column of mixed objects, or of numbers beyond 64 bits, has no type of Arrow's.
            return None

    columns = [(str(name), str(dtype)) for name, dtype in zip(frame.columns, frame.dtypes, strict=True)]
    return Table(
        f"pandas {kind}",
        len(frame),
        columns,
        head,
        column,
        index=index,
        ends=_ends(frame.index) if index else (),
        labels=labels,
    )


def _index(index: Any) -> str:
    """A pandas index that says more than the row's number."""
    names = [str(name) for name in index.names if name is not None]
    if not names and type(index).__name__ == "RangeIndex":
        return ""
    return f"{', '.join(names) or 'without a name'} ({index.dtype})"


def _ends(index: Any) -> tuple[tuple[Any, ...], ...]:
    ends = (index[0], index[-1]) if len(index) else ()
    return tuple(tuple(end) if index.nlevels > 1 else (end,) for end in ends)


def _polars(frame: Any, kind: str = "DataFrame") -> Table:
    def head(most: int) -> list[list[Any]]:
        return [list(row[:MOST_COLUMNS]) for row in frame.head(most).rows()]

    def column(place: int, most: int) -> pa.Array | None:
        import pyarrow as pa

        try:
            found: pa.Array = frame.to_series(place).gather_every(_step(frame.height, most)).to_arrow()
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            return None
        return found

    columns = [(name, str(dtype)) for name, dtype in frame.schema.items()]
    return Table(f"polars {kind}", frame.height, columns, head, column)


def _arrow(table: Any) -> Table:
    def head(most: int) -> list[list[Any]]:
        columns = [column.to_pylist() for column in table.slice(0, most).columns[:MOST_COLUMNS]]
        return [list(row) for row in zip(*columns, strict=True)]

    def column(place: int, most: int) -> pa.Array:
        import pyarrow as pa

        step = _step(table.num_rows, most)
        whole: pa.Array = table.column(place)
        return whole if step == 1 else whole.take(pa.array(range(0, table.num_rows, step)))

    columns = [(field.name, str(field.type)) for field in table.schema]
    return Table(f"Arrow {type(table).__name__}", table.num_rows, columns, head, column)


def _relation(relation: Any) -> Table:
    taken: list[Any] = []

    def head(most: int) -> list[list[Any]]:
        return [list(row[:MOST_COLUMNS]) for row in relation.limit(most).fetchall()]

    def column(place: int, most: int) -> pa.Array:
        # A relation is a query: it runs once for all columns, and only as far as its first rows.
        if not taken:
            taken.append(relation.limit(most).to_arrow_table())
        found: pa.Array = taken[0].column(place)
        return found

    columns = [(name, str(kind)) for name, kind in zip(relation.columns, relation.types, strict=True)]
    return Table("DuckDB relation", relation.count("*").fetchall()[0][0], columns, head, column, spread=False)


def nth(number: int) -> str:
    """A number as one says it in a row: 2nd, 3rd, 11th."""
    last = number % 10 if number // 10 % 10 != 1 else 0
    return f"{number:,}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(last, 'th') }"


def _step(rows: int, most: int) -> int:
    """Every how many-th row makes a sample of about `most`."""
    return max(1, -(-rows // most))
