"""Answers put beside the rows they belong to, as what the rows came as."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from valechat.ledger.jobs import JobRow
from valechat.rows.source import Source

__all__ = ["added", "names_of", "whole"]

PREFIX = "map_"
"""Stands before an added column whose name the rows have already."""

ABOUT = ("status", "error", "cost", "request_id", "model")
"""What is added to each row besides its answer. `cost` is a Decimal in USD, None when unknown."""


def names_of(schema: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The columns that answers fill: the fields of the form asked for, or `answer`."""
    fields = (schema or {}).get("properties")
    return tuple(fields) if isinstance(fields, Mapping) and fields else ("answer",)


def added(row: JobRow | None, fields: Sequence[str], *, structured: bool, model: str) -> dict[str, Any]:
    """What is added to one row; None everywhere for a row that was not asked."""
    if row is None:
        return {**dict.fromkeys(fields), **dict.fromkeys(ABOUT), "status": "waiting", "model": model}
    if not structured:
        values: dict[str, Any] = {"answer": row.answer}
    elif isinstance(row.parsed, Mapping) and fields != ("answer",):
        values = {name: row.parsed.get(name) for name in fields}
    else:
        values = dict.fromkeys(fields) if fields != ("answer",) else {"answer": row.parsed}
    about = {"status": row.status, "error": row.error, "cost": row.cost, "request_id": row.request_id}
    return {**values, **about, "model": row.model}


def whole(source: Source | None, found: Iterable[tuple[Mapping[str, Any] | None, dict[str, Any]]]) -> Any:
    """The rows with what was added, as the kind of table they came as; a list of dicts where they came as none.

    Args:
        source: Where the rows came from; None when they are known from the ledger only.
        found: Each row, in order, and what is added to it. The row itself is not needed for a table.
    """
    if source is None or source.kind in ("list", "once"):
        return [_beside(row or {}, more) for row, more in found]
    columns: dict[str, list[Any]] = {}
    for _, more in found:
        for name, value in more.items():
            columns.setdefault(name, []).append(value)
    given = source.given
    match source.kind:
        case "pandas":
            return _pandas(given, columns)
        case "polars":
            return _polars(given, columns)
        case "arrow":
            return _arrow(given, columns)
    table = _arrow(_streamed(given), columns)
    # The relation's own library, which is loaded where there is a relation.
    return sys.modules["duckdb"].from_arrow(table)


def _beside(row: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, **{_free(name, row): value for name, value in more.items()}}


def _free(name: str, taken: Iterable[Any]) -> str:
    return PREFIX + name if name in set(taken) else name


def _pandas(frame: Any, columns: Mapping[str, list[Any]]) -> Any:
    import pandas as pd

    made = {_free(name, frame.columns): pd.Series(values, index=frame.index) for name, values in columns.items()}
    return frame.assign(**made)


def _polars(frame: Any, columns: Mapping[str, list[Any]]) -> Any:
    import polars as pl

    made = []
    for name, values in columns.items():
        kind = pl.Decimal(38, 20) if name == "cost" else None
        made.append(pl.Series(_free(name, frame.columns), values, dtype=kind, strict=False))
    return frame.with_columns(made)


def _arrow(table: Any, columns: Mapping[str, list[Any]]) -> Any:
    import pyarrow as pa

    if isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    taken = list(table.column_names)
    for name, values in columns.items():
        kind = pa.decimal128(38, 20) if name == "cost" else None
        table = table.append_column(_free(name, taken), _column(pa, values, kind))
    return table


def _streamed(relation: Any) -> Any:
    import pyarrow as pa

    return pa.table(relation)


def _column(pa: Any, values: list[Any], kind: Any) -> Any:
    try:
        return pa.array(values, type=kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        # Answers of several kinds in one column are written as text.
        return pa.array([None if value is None else str(value) for value in values])
