"""What a column holds, in a phrase: nulls, distinct values, range, mean, the commonest values."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from valechat.variables.hiding import HIDDEN, Hider
from valechat.variables.tables import MOST_COLUMNS, Table, nth

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SECONDS", "Statistics", "statistics"]

CELLS = 2_000_000
"""Cells that are looked at; of a larger table, so many evenly spread ones."""

SECONDS = 1.0
"""The time that all columns together may take; the columns after it go without."""

LEAST_ROWS = 1_000
_SHOWN = 3
_LONGEST = 40


class Statistics:
    """A phrase for each column, in their order; empty where nothing is known of it.

    `note` says of which rows, where it is not all of them, and which columns were left out.
    """

    def __init__(self, phrases: list[str], note: str) -> None:
        self.phrases = phrases
        self.note = note


def statistics(table: Table, hider: Hider, *, clock: Callable[[], float] = time.monotonic) -> Statistics:
    """Describe the table's columns by what they hold. What `hider` hides by its name has no values here."""
    import_module("pyarrow.compute")  # takes a while the first time, which is not the columns'

    columns = table.columns[:MOST_COLUMNS]
    most = max(LEAST_ROWS, CELLS // max(1, len(columns)))
    until = clock() + SECONDS
    phrases: list[str] = []
    for place, (name, _) in enumerate(columns):
        if clock() > until:
            break
        values = table.column(place, most)
        phrases.append("" if values is None else _phrase(values, name, hider))
    notes: list[str] = []
    if table.rows > most:
        step = -(-table.rows // most)
        notes.append(f"every {nth(step)} row" if table.spread else f"the first {most:,} rows")
    left = len(columns) - len(phrases)
    if left:
        notes.append(f"the first {len(phrases):,} columns")
    return Statistics([*phrases, *[""] * left], " of ".join(notes[::-1]))


def _phrase(values: pa.ChunkedArray, name: str, hider: Hider) -> str:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    said = [f"{values.null_count:,} null"] if values.null_count else []
    if len(values) == values.null_count:
        return said[0] if said else ""
    try:
        if pa.types.is_boolean(kind):
            said.append(f"{pc.sum(values).as_py():,} true")
        elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            ends = pc.min_max(values).as_py()
            said += [f"{_number(ends['min'])} to {_number(ends['max'])}", f"mean {_number(pc.mean(values).as_py())}"]
        elif pa.types.is_temporal(kind) and not pa.types.is_duration(kind):
            ends = pc.min_max(values).as_py()
            said.append(f"{ends['min']} to {ends['max']}")
        elif _is_text(kind) or pa.types.is_dictionary(kind):
            said += _words(values.cast(pa.large_string()), name, hider)
    except (pa.ArrowException, OverflowError):
        # A type that Arrow cannot compare or add up has no statistics but its nulls.
        pass
    return ", ".join(said)


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return kind in (pa.string(), pa.large_string(), pa.string_view())


def _words(values: Any, name: str, hider: Hider) -> list[str]:
    import pyarrow.compute as pc

    counted = pc.value_counts(values.drop_null())
    distinct = len(counted)
    said = [f"{distinct:,} distinct"]
    if distinct == 0 or hider.hides(name):
        return said
    total = len(values) - values.null_count
    order = pc.select_k_unstable(counted.field("counts"), k=min(_SHOWN, distinct), sort_keys=[("", "descending")])
    top = counted.take(order).to_pylist()
    if distinct > _SHOWN and top[0]["counts"] < max(2, total // 100):
        return said
    quiet = Hider(off=hider.off)
    shown = [f"{_quoted(one['values'], name, quiet)} {100 * one['counts'] / total:.0f} %" for one in top]
    return [*said, "most often " + ", ".join(shown)]


def _quoted(value: str, name: str, hider: Hider) -> str:
    text = hider.under(name, value)
    text = " ".join(text.split())
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return text if text == HIDDEN else f'"{text}"'


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{float(value):.6g}"
