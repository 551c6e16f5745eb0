"""Tools of the product's own, for models that are to work with the notebook. None is offered unless it is named.

    chat = valechat.Chat(tools=["notebook"])              # all of them
    chat = valechat.Chat(tools=["notebook/query_data"])   # one

They see what the user sees: variables as they are described anywhere, what looks like a secret hidden. Running code is
asked about each time.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from valechat.errors import ConfigError, ToolFailed
from valechat.functions import ToolOptions, marked_as
from valechat.ledger.bounded import Rows, frames_select, ledger_select
from valechat.services import services
from valechat.toolpacks import pack_tools, packs
from valechat.variables.describing import Description, describe
from valechat.variables.listing import listed, offered, snapshot
from valechat.variables.paths import described
from valechat.variables.reading import read
from valechat.variables.tables import library_of
from valechat.variables.workspace import workspace

__all__ = [
    "NOTEBOOK",
    "TOOLS",
    "describe_variable",
    "expanded",
    "is_named",
    "list_variables",
    "query_data",
    "query_ledger",
    "read_cell",
    "run_code",
]

NOTEBOOK = "notebook"
"""The name under which all are offered; `notebook/run_code` is one of them."""

MOST_ROWS = 200
MOST_NAMED = 50
_QUERYABLE = {("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table")}


async def list_variables() -> str:
    """List the notebook's variables: name, kind, size."""
    found = await asyncio.to_thread(lambda: listed(workspace().names()))
    return "\n".join(", ".join(filter(None, (f"{one.name}: {one.kind}", one.size))) for one in found) or "None yet."


async def describe_variable(path: str) -> Description:
    """Describe a variable of the notebook: a table by schema, statistics and rows, a figure as an image.

    Args:
        path: Its name, with attributes, literal indexes and keys: df, df.price, rows[0]["id"].
    """
    budget = services().settings.variables.tokens
    return await read(lambda: described(path, workspace().names(), budget=budget, head=True), what=f"`{path}`")


async def read_cell(number: int | None = None) -> Description:
    """Read a cell that ran: its code, its result, its error.

    Args:
        number: Its number, as in In[3]; left out, the last one. Negative numbers count from the end.
    """
    cells = await asyncio.to_thread(lambda: workspace().cells())
    by_number = {cell.number: cell for cell in cells}
    wanted = -1 if number is None else number
    cell = by_number.get(wanted) if wanted > 0 else cells[wanted] if -len(cells) <= wanted < 0 else None
    if cell is None:
        known = f"{cells[0].number} to {cells[-1].number}" if cells else "none yet"
        raise ToolFailed(f"There is no cell {wanted}; there are {known}.")
    budget = services().settings.variables.tokens
    code = describe(cell.code)
    pieces = [f"In[{cell.number}]:\n{code.text}"]
    images: Sequence[Any] = ()
    table = None
    if cell.value is not None:
        value = await read(lambda: describe(cell.value, budget=budget, head=True), what=f"`Out[{cell.number}]`")
        images, table = value.images, value.table
        pieces.append(f"Out[{cell.number}]:\n{value.text}")
    if cell.error:
        pieces.append(f"Error:\n{cell.error}")
    return Description("\n\n".join(pieces), images=tuple(images), table=table)


async def run_code(code: str) -> Description:
    """Run Python code in the notebook's kernel, with its variables. The user is asked first, each time.

    Args:
        code: The code, as a cell would have it. What it prints, its last value and its figures come back.
    """
    ran = await workspace().run(code)
    budget = services().settings.variables.tokens
    value = Description("") if ran.value is None else describe(ran.value, budget=budget, head=True)
    pieces = [ran.output.rstrip(), value.text and f"Result: {value.text}", ran.error]
    text = "\n".join(piece for piece in pieces if piece) or "Done; nothing was printed."
    return replace(value, text=describe(text).text, images=(*ran.images, *value.images))


async def query_data(sql: str) -> Description:
    """Query DataFrames of the notebook with DuckDB SQL, under their variables' names. Reads only.

    Args:
        sql: One SELECT, such as: select region, sum(price) from sales group by all.
    """
    words = set(re.findall(r"[^\W\d]\w*", sql))
    known = await read(lambda: _tables(workspace().names(), words), what="The DataFrames")
    folded = {word.lower() for word in words}
    tables = {name: value for name, value in known.items() if name.lower() in folded}
    try:
        rows = await asyncio.to_thread(frames_select, sql, tables, MOST_ROWS)
    except ToolFailed as error:
        if tables or not known:
            raise
        names = ", ".join(list(known)[:MOST_NAMED])
        raise ToolFailed(f"{error}\nThe DataFrames are: {names}.") from error
    return _told(rows)


async def query_ledger(sql: str) -> Description:
    """Query the user's ledger of model requests with DuckDB SQL: what was asked, of which model, for how much.

    Views: usage, conversations, messages, tool_calls, prices, limits, spend_by_day, spend_by_model,
    spend_by_conversation. Costs are US dollars.

    Args:
        sql: One SELECT, such as: select model, sum(cost) from usage group by all.
    """
    opened = services()

    def select() -> Rows:
        opened.publish()
        return ledger_select(opened.ledger.connect(), str(opened.paths.ledger / "published"), sql, MOST_ROWS)

    return _told(await asyncio.to_thread(select))


def _tables(names: Mapping[str, Any], words: set[str]) -> dict[str, Any]:
    """What can be queried. SQL knows no capitals: of names that differ in them alone, one of `words` is meant."""
    found: dict[str, tuple[str, Any]] = {}
    for name, value in snapshot(names):
        queryable = offered(name, value) and library_of(value) in _QUERYABLE
        if queryable and (name in words or name.lower() not in found):
            found[name.lower()] = (name, value)
    return dict(found.values())


def _told(rows: Rows) -> Description:
    found = describe(rows.table, budget=4_000, head=True)
    text = found.text if rows.table.num_rows > MOST_ROWS else _lines(rows)
    kind = f"Query result, cut at {MOST_ROWS} rows" if rows.more else "Query result"
    table = None if found.table is None else replace(found.table, kind=kind)
    return Description(
        f"{text}\nThere are more rows; these are the first {MOST_ROWS}." if rows.more else text, table=table
    )


def _lines(rows: Rows) -> str:
    """All rows, a line each; secrets hidden as in any table."""
    from valechat.variables.hiding import HIDDEN, Hider

    hider = Hider()
    names = rows.table.column_names
    hidden = [hider.hides(name) for name in names]
    lines = [" | ".join(names)]
    for row in rows.table.to_pylist():
        cells = zip(names, row.values(), hidden, strict=True)
        lines.append(" | ".join(HIDDEN if secret else hider.under(name, str(cell)) for name, cell, secret in cells))
    return "\n".join(lines) if rows.table.num_rows else f"{lines[0]}\nNo rows."


def _own(function: Callable[..., Any], **how: Any) -> Callable[..., Any]:
    return marked_as(function, ToolOptions(runs="engine", **how))


TOOLS: Mapping[str, Callable[..., Any]] = {
    "list_variables": _own(list_variables),
    "describe_variable": _own(describe_variable),
    "read_cell": _own(read_cell),
    "query_data": _own(query_data),
    "query_ledger": _own(query_ledger),
    "run_code": _own(run_code, approve="always", timeout=0),
}
"""All of them by name. The first ones only read; `run_code` can do what a cell can."""


def is_named(name: str) -> bool:
    """Whether a name is that of these tools, or of one of them."""
    first, slash, one = name.partition("/")
    return first == NOTEBOOK and (not slash or one in TOOLS)


def _of_name(name: str) -> list[Callable[..., Any]]:
    if is_named(name):
        one = name.partition("/")[2]
        return [TOOLS[one]] if one else list(TOOLS.values())
    pack = pack_tools(name)
    if pack is None:
        names = ", ".join([NOTEBOOK, *(f"{NOTEBOOK}/{one}" for one in TOOLS), *packs()])
        raise ConfigError(f"There is no tool named {name!r}.", fix=f"Pass a function, or one of {names}.")
    return pack


def expanded(tools: Sequence[Callable[..., Any] | str]) -> list[Callable[..., Any]]:
    """Functions, with those of the product and of packs in the place of their names, each once.

    Raises:
        ConfigError: There is no tool of such a name.
    """
    found: dict[int, Callable[..., Any]] = {}
    for tool in tools:
        chosen = _of_name(tool) if isinstance(tool, str) else [tool]
        found.update((id(function), function) for function in chosen)
    return list(found.values())
