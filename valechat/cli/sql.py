"""`valechat sql`, and the query behind `valechat spend`."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from valechat.cli.output import emit
from valechat.errors import ConfigError
from valechat.ledger import open_ledger
from valechat.paths import user_paths

__all__ = ["query", "run"]


def run(options: argparse.Namespace) -> int:
    """Run a query over the ledger's views."""
    text = sys.stdin.read() if options.query == "-" else options.query
    columns, rows = query(text)
    if columns:
        emit(columns, rows, options.format)
    return 0


def query(text: str, parameters: list[Any] | None = None) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns and rows of a query; no columns for a statement without a result.

    Raises:
        ConfigError: DuckDB refused the query; what it said is the message.
        LedgerError: The ledger cannot be read.
    """
    ledger = open_ledger(user_paths())
    try:
        with ledger.connect() as connection:
            result = connection.execute(text, parameters)
            return [column[0] for column in result.description or ()], result.fetchall()
    except Exception as error:  # only the ledger may import duckdb, so its errors are known by their module
        if type(error).__module__.partition(".")[0] not in ("duckdb", "_duckdb"):
            raise
        said = str(error).strip()
    finally:
        ledger.close()
    raise ConfigError(said, fix="The views are listed by: valechat sql 'show tables'")
