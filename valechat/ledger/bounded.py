"""SQL that a model wrote: it reads what it is given, within a time, and reaches no file, network or other variable."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from valechat.errors import ToolFailed

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["Rows", "frames_select", "ledger_select"]

SECONDS = 20.0
"""The time that a query may take."""

MEMORY = "1GB"


@dataclass(frozen=True, slots=True)
class Rows:
    """A query's first rows. `more` says that there are others."""

    table: pa.Table
    more: bool


def frames_select(sql: str, tables: Mapping[str, Any], most: int, *, seconds: float = SECONDS) -> Rows:
    """Query tables (DataFrames of pandas and polars, Arrow) under their names. Blocks.

    Raises:
        ToolFailed: It is no query, it failed, or it took too long.
    """
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET python_enable_replacements = false")
        for name, table in tables.items():
            connection.register(name, table)
        return _select(connection, sql, most, seconds)


def ledger_select(
    connection: duckdb.DuckDBPyConnection, folder: str, sql: str, most: int, *, seconds: float = SECONDS
) -> Rows:
    """Query the ledger's views, whose published files lie in `folder`. Blocks; closes the connection.

    Raises:
        ToolFailed: As `frames_select`.
    """
    with connection:
        connection.execute("SET python_enable_replacements = false")
        connection.execute(f"SET allowed_directories = [{_quoted(folder)}]")
        return _select(connection, sql, most, seconds)


def _select(connection: duckdb.DuckDBPyConnection, sql: str, most: int, seconds: float) -> Rows:
    import duckdb

    connection.execute(f"SET memory_limit = '{MEMORY}'")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        if [one.type for one in connection.extract_statements(sql)] != [duckdb.StatementType.SELECT]:
            raise ToolFailed("Only one SELECT is allowed.")
        found = connection.sql(sql.strip().rstrip(";")).limit(most + 1).to_arrow_table()
    except duckdb.InterruptException as error:
        raise ToolFailed(f"The query did not end within {seconds:g} s.") from error
    except duckdb.Error as error:
        raise ToolFailed(str(error)) from error
    finally:
        timer.cancel()
    return Rows(found.slice(0, most), more=found.num_rows > most)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
