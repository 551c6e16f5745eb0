"""SQL over the whole ledger, from any cell: `valechat.sql`, `valechat.connect`, `valechat.database`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from valechat.services import services

if TYPE_CHECKING:
    import duckdb

__all__ = ["connect", "names", "sql"]


def sql(query: str, *, params: Any = None) -> duckdb.DuckDBPyRelation:
    """Run a query over the ledger's views and give a DuckDB relation; fresh to the last request.

    Views: usage, conversations, messages, tool_calls, prices, spend_by_day, spend_by_model,
    spend_by_conversation, spend_by_plugin, discrepancies_by_model, plugin_use, plugin_runs, plugin_uptime,
    limits, key_access. Costs are DECIMAL(38,20); SUM keeps them exact, AVG and
    `/` give DOUBLE.
    """
    return connect().sql(query, params=params)


def connect() -> duckdb.DuckDBPyConnection:
    """A DuckDB connection with the ledger's views; writing to it changes nothing in the ledger."""
    opened = services()
    opened.publish()
    return opened.ledger.connect()


def names() -> list[str]:
    """The names that a query can begin with a letter of: the ledger's views, then their columns."""
    from valechat.ledger.views import NAMES

    with connect() as connection:
        return [name for (name,) in connection.execute(NAMES).fetchall()]


def __getattr__(name: str) -> Any:
    if name == "database":
        opened = services()
        opened.publish()
        return str(opened.ledger.database)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
