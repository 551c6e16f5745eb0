"""The ledger's views as CSV and Parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from valechat.errors import ConfigError
from valechat.ledger.base import Ledger

if TYPE_CHECKING:
    import duckdb

__all__ = ["write_tables"]

_HELPERS = {"conversation_heads"}
_TEXTS = {"VARCHAR", "JSON"}


def write_tables(
    ledger: Ledger, folder: Path, form: Literal["csv", "parquet"], views: Sequence[str] = ()
) -> list[Path]:
    """Write views as files named after them, each put in place as a whole; their paths.

    In CSV a text that a spreadsheet would take for a formula begins with `'`; money keeps all its digits.

    Args:
        ledger: Whose views.
        folder: Where the files go; made if need be.
        form: What they are.
        views: Which; all of them when left out.

    Raises:
        ConfigError: There is no such view, or the folder cannot be written.
    """
    with ledger.connect() as connection:
        there = [row[0] for row in connection.execute("SHOW TABLES").fetchall() if row[0] not in _HELPERS]
        if unknown := [view for view in views if view not in there]:
            raise ConfigError(f"There is no view {unknown[0]}.", fix=f"The views are {', '.join(there)}.")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return [_write_table(connection, view, folder / f"{view}.{form}") for view in views or there]
        except OSError as error:
            raise ConfigError(f"{folder} cannot be written: {error.strerror}.", fix="Name another folder.") from error


def _write_table(connection: duckdb.DuckDBPyConnection, view: str, path: Path) -> Path:
    new = path.with_name(path.name + ".new")
    # The database's own errors would be of another kind than those of a folder.
    new.touch()
    target = new.as_posix().replace("'", "''")
    query = _neutral(connection, view) if path.suffix == ".csv" else f"FROM {view}"
    options = "FORMAT csv, HEADER" if path.suffix == ".csv" else "FORMAT parquet, COMPRESSION zstd"
    connection.execute(f"COPY ({query}) TO '{target}' ({options})")
    new.replace(path)
    return path


def _neutral(connection: duckdb.DuckDBPyConnection, view: str) -> str:
    """A query whose texts no spreadsheet runs: see "CSV Injection" at owasp.org. Numbers stay what they are."""
    columns = []
    for name, kind, *_ in connection.execute(f"DESCRIBE {view}").fetchall():
        column = f'"{name}"'
        if kind in _TEXTS:
            text = f"CAST({column} AS VARCHAR)"
            column = f"CASE WHEN {_runs(text)} THEN '''' || {text} ELSE {text} END AS {column}"
        columns.append(column)
    return f"SELECT {', '.join(columns)} FROM {view}"


def _runs(text: str) -> str:
    number = rf"regexp_full_match({text}, '[+-]?\d+(\.\d+)?')"
    return rf"regexp_matches({text}, '^\s*[=+@-]|^[\t\r\n]') AND NOT {number}"
