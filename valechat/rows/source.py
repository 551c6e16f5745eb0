"""What is mapped over, read row by row: tables of any library, lists, iterators.

No library is imported for it; a table is known by the class it is. Rows are read as they are needed, so
what is not in memory never is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Literal

from valechat.errors import ConfigError

__all__ = ["TEXT", "Kind", "Source", "source_of"]

Kind = Literal["pandas", "polars", "arrow", "duckdb", "list", "once"]

TEXT = "text"
"""The column of what is no mapping: a list of texts, a Series."""

_BATCH = 2_000
_SAMPLE = 200


class Source:
    """Rows to ask about.

    Attributes:
        kind: What they came as; `once` for an iterator, which can be read only once.
        given: What came.
        count: How many rows there are; None where only reading tells.
    """

    def __init__(
        self, kind: Kind, given: Any, count: int | None, read: Callable[[], Iterator[Mapping[str, Any]]]
    ) -> None:
        self.kind = kind
        self.given = given
        self.count = count
        self._read = read
        self._ahead: list[Mapping[str, Any]] = []
        self._rest: Iterator[Mapping[str, Any]] | None = None

    @property
    def once(self) -> bool:
        """Whether the rows can be read only once."""
        return self.kind == "once"

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """The rows, from the first."""
        if not self.once:
            yield from self._read()
            return
        yield from self._ahead
        yield from self._once()

    def sample(self) -> list[Mapping[str, Any]]:
        """Some rows: spread over all of them where their number is known, else the first; none when there are none."""
        if self.once:
            if not self._ahead:
                self._ahead = list(islice(self._once(), _SAMPLE))
            return self._ahead
        step = max(1, (self.count or 0) // _SAMPLE) if self.kind in ("pandas", "list") else 1
        return list(islice(self._read(), 0, step * _SAMPLE, step))

    def _once(self) -> Iterator[Mapping[str, Any]]:
        if self._rest is None:
            self._rest = self._read()
        return self._rest


def source_of(data: Any) -> Source:
    """What a user gave as rows.

    Raises:
        ConfigError: It is nothing that rows can be read from.
    """
    if (table := _table(data)) is not None:
        return table
    if isinstance(data, str | bytes | Mapping) or not isinstance(data, Iterable):
        raise ConfigError(
            f"{type(data).__name__} is nothing that rows can be read from.",
            fix="Pass a DataFrame, an Arrow table, a DuckDB relation, or an iterable of mappings or texts.",
        )
    if isinstance(data, list | tuple):
        return Source("list", data, len(data), lambda: map(_mapping, data))
    return Source("once", data, None, lambda: map(_mapping, data))


def _table(data: Any) -> Source | None:
    """The rows of a table, by the library its class comes from."""
    match type(data).__module__.partition(".")[0], type(data).__name__:
        case "pandas", "DataFrame":
            return Source("pandas", data, len(data), lambda: _pandas(data))
        case "polars", "DataFrame":
            return Source("polars", data, data.height, lambda: data.iter_rows(named=True))
        case "pandas" | "polars", "Series":
            return _table(data.to_frame(data.name or TEXT))
        case "polars", "LazyFrame":
            return _table(data.collect())
        case "pyarrow", "Table" | "RecordBatch":
            return Source("arrow", data, data.num_rows, lambda: _arrow(data))
        case "pyarrow", "RecordBatchReader":
            return Source("once", data, None, lambda: (row for batch in data for row in batch.to_pylist()))
        case "duckdb" | "_duckdb", "DuckDBPyRelation":
            return Source("duckdb", data, data.shape[0], lambda: _stream(data))
    return None


def _pandas(frame: Any) -> Iterator[Mapping[str, Any]]:
    names = [str(name) for name in frame.columns]
    return (dict(zip(names, values, strict=True)) for values in frame.itertuples(index=False, name=None))


def _arrow(table: Any) -> Iterator[Mapping[str, Any]]:
    for start in range(0, table.num_rows, _BATCH):
        yield from table.slice(start, _BATCH).to_pylist()


def _stream(table: Any) -> Iterator[Mapping[str, Any]]:
    """Rows of whatever streams itself as Arrow (the Arrow PyCapsule interface)."""
    import pyarrow as pa

    for batch in pa.RecordBatchReader.from_stream(table):
        for start in range(0, batch.num_rows, _BATCH):
            yield from batch.slice(start, _BATCH).to_pylist()


def _mapping(row: Any) -> Mapping[str, Any]:
    if isinstance(row, Mapping):
        return row
    if isinstance(row, str):
        return {TEXT: row}
    raise ConfigError(f"A row is a {type(row).__name__}.", fix="Let each row be a mapping or a text.")
