"""`sql`: the ledger in DuckDB SQL."""

from __future__ import annotations

from typing import Any

from valechat.errors import ConfigError
from valechat.notebook.arguments import split_output
from valechat.notebook.interpolate import interpolate
from valechat.notebook.verbs.registry import Call, verb
from valechat.queries import sql as query

__all__ = ["sql"]


@verb(
    "sql QUERY",
    "DuckDB SQL over every request and conversation; as `%%valechat sql` with the query below",
    most=None,
    cell=True,
    gives=True,
)
def sql(call: Call) -> Any:
    """Run a query over the ledger's views. With `-o VAR` (or `VAR << sql …`) the variable gets a DataFrame.

    Raises:
        ConfigError: The query is not valid; DuckDB's message says where.
    """
    output, text = _output(call)
    if not text.strip():
        raise ConfigError("There is no query.", fix="`%valechat sql select * from spend_by_day`.")
    # A query goes to no model, so nothing in it is hidden.
    result = interpolate(text, call.host.names, reveal=call.host.names)
    try:
        # A statement that gives no rows gives None, whatever DuckDB's types say.
        relation: Any = query(result.text)
        if output is None:
            return relation
        frame = None if relation is None else relation.df()
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("duckdb", "_duckdb"):
            raise
        raise ConfigError(f"The query is not valid: {error}") from error
    call.host.assign(output, frame)
    return None


def _output(call: Call) -> tuple[str | None, str]:
    """The variable and the query; `-o VAR` may stand before the query too."""
    return (call.output, call.text) if call.output is not None else split_output(call.text)
