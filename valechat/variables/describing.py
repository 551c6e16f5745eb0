"""A value as a model should read it, and what the user should know of that.

A table goes as its schema, statistics and a few rows, a figure as an image, a function or class as its source,
a collection as far as its budget allows, anything else as `str()` gives it. What was left out is said, so the
model does not take a part for the whole.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, replace
from typing import Any

from valechat.messages import ImagePart, Message
from valechat.reply import Reply
from valechat.tablehead import MOST_ROWS as HEAD_ROWS
from valechat.tablehead import TableHead
from valechat.variables.heads import head_of
from valechat.variables.hiding import HIDDEN, Hider
from valechat.variables.pictures import picture_of
from valechat.variables.plain import array_text, is_array, is_collection, summarised
from valechat.variables.statistics import statistics
from valechat.variables.tables import MOST_COLUMNS, Table, table_of

__all__ = ["BUDGET", "Description", "describe"]

BUDGET = 1_500
"""Tokens of a description, where no setting says otherwise."""

CHARS_PER_TOKEN = 3.5

LONGEST_TEXT = 50_000
"""Characters of a text; a longer one is better attached as a file."""

_NUMBER = re.compile(r"u?(?:int|float|double|decimal|bool|date|time)|(?:tiny|small|big|huge)int", re.IGNORECASE)

_NUMBERS = "biufcmM"
"""Kinds of NumPy's types that hold no text."""

MOST_ROWS = 10
MOST_CELL = 120
_MOST_READ = 2_000
_SCHEMA_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class Description:
    """A value as it is sent.

    Attributes:
        text: What the model reads.
        what: How it is described, where that is not all of it: `schema and 5 of 1,000 rows`.
        images: What the model sees.
        hidden: What was hidden because it looks like a secret, a phrase each.
        table: The beginning of a table, for the user's eyes.
        lines: Whether its last line stands for itself: a row, or code. What follows belongs on another.
    """

    text: str
    what: str = ""
    images: tuple[ImagePart, ...] = ()
    hidden: tuple[str, ...] = ()
    table: TableHead | None = None
    lines: bool = False

    @property
    def tokens(self) -> int:
        """About how many tokens it costs."""
        from valechat.billing.estimate import likely_input, size_of

        empty = likely_input(size_of([Message.user("")]))
        return max(1, likely_input(size_of([Message.user(self.text, *self.images)])) - empty)


def describe(
    value: Any, name: str = "", *, budget: int = BUDGET, reveal: bool = False, head: bool = False
) -> Description:
    """A value as a model should read it, in about `budget` tokens.

    Args:
        value: The value. Its own `__str__` or `__repr__` may be called.
        name: The name it is known by; one that sounds like a secret hides a text.
        budget: Tokens for a table or a collection. Source and texts go whole.
        reveal: Hide nothing.
        head: Also give the beginning of a table as the user is shown it.

    Raises:
        Exception: Whatever the value's own `__str__` raises.
    """
    hider = Hider(off=reveal)
    description = _described(value, name, round(budget * CHARS_PER_TOKEN), hider, head=head)
    return replace(description, hidden=hider.hidden)


def _described(value: Any, name: str, most: int, hider: Hider, *, head: bool) -> Description:
    secret = hider.hides(name)
    if secret and (isinstance(value, str | bytes) or is_array(value) or is_collection(value)):
        hider.note(f"`{name}`")
        return Description(HIDDEN)
    if isinstance(value, Reply):
        value = value.text
    if isinstance(value, str | int | float | complex | None):
        return _clipped(hider.under(name, str(value)) if isinstance(value, str) else str(value), LONGEST_TEXT)
    if (table := table_of(value, name if secret else "")) is not None:
        return _table(table, most, hider, head=head)
    if (picture := picture_of(value)) is not None:
        return Description(picture.text, picture.what, picture.images)
    if inspect.isroutine(value) or inspect.isclass(value):
        return _source(value, hider)
    if is_array(value):
        text, what = array_text(value, most)
        return Description(text if value.dtype.kind in _NUMBERS else hider.text(text), what)
    if is_collection(value):
        return Description(*summarised(value, most, hider))
    return _clipped(hider.text(str(value)), most)


def _clipped(text: str, most: int) -> Description:
    if len(text) <= most:
        return Description(text)
    return Description(
        f"{text[:most]}\n… {len(text) - most:,} more characters", f"the first {most:,} of {len(text):,} characters"
    )


def _source(value: Any, hider: Hider) -> Description:
    try:
        return Description(hider.text(inspect.getsource(value).rstrip()), "source", lines=True)
    except (OSError, TypeError):
        return Description(str(value))


def _table(table: Table, most: int, hider: Hider, *, head: bool) -> Description:
    columns = [*((name, "") for name in table.labels), *table.columns[:MOST_COLUMNS]]
    names = [name for name, _ in columns]
    secret = [hider.hides(name) and not _NUMBER.match(kind) for name, kind in columns]
    for name, hidden in zip(names, secret, strict=True):
        if hidden:
            hider.note(f"column `{name}`")
    text = "\n".join(_schema(table, round(most * _SCHEMA_SHARE), hider))[:most]
    # More rows than are there cannot be had, and a relation must not run for none.
    rows = table.head(min(HEAD_ROWS if head else MOST_ROWS, table.rows)) if table.rows and names else []
    seen = Hider(off=hider.off)
    lines = [
        _line(
            [
                HIDDEN if hidden else _cell(cell, name, seen)
                for cell, name, hidden in zip(row, names, secret, strict=True)
            ]
        )
        for row in rows[:MOST_ROWS]
    ]
    labels = len(table.labels)
    named = _line([_named(name) if name or place >= labels else "(index)" for place, name in enumerate(names)])
    left = most - len(text) - len(named)
    fitting: list[str] = []
    for line in lines:
        left -= len(line) + 1
        if left < 0:
            break
        fitting.append(line)
    for what in seen.hidden if fitting else ():
        hider.note(what)
    if fitting:
        count = "All rows" if len(fitting) == table.rows else f"First {len(fitting)} of {table.rows:,} rows"
        text += "\n" + "\n".join([f"{count}:", named, *fitting])
    what = f"schema, statistics and {len(fitting):,} of {table.rows:,} rows"
    shown = head_of(table, rows, secret, reveal=hider.off) if head else None
    return Description(text, what, table=shown, lines=True)


def _schema(table: Table, most: int, hider: Hider) -> list[str]:
    """The table's size and columns: with statistics where they fit, else by name and type."""
    shown = table.columns[:MOST_COLUMNS]
    head = [f"{table.kind}, {table.rows:,} rows × {len(table.columns):,} columns"]
    if table.index:
        head.append(f"Index: {table.index}{_ends(table, hider)}")
    if table.rows:
        found = statistics(table, hider)
        of = f" (statistics of {found.note})" if found.note else ""
        lines = [
            f"- {_named(name)} ({kind})" + (f": {phrase}" if phrase else "")
            for (name, kind), phrase in zip(shown, found.phrases, strict=True)
        ]
        if sum(len(line) + 1 for line in lines) <= most and len(shown) == len(table.columns):
            return [*head, f"Columns{of}:", *lines]
    return [*head, f"Columns: {_names(table, most - sum(map(len, head)))}"]


def _names(table: Table, most: int) -> str:
    """Names and types of as many columns as fit."""
    fitting: list[str] = []
    for name, kind in table.columns:
        most -= len(_named(name)) + len(kind) + 5
        if most < 0 and fitting:
            break
        fitting.append(f"{_named(name)} ({kind})")
    more = len(table.columns) - len(fitting)
    return ", ".join(fitting) + (f", and {more:,} more" if more else "")


def _line(cells: list[str]) -> str:
    return " | ".join(cells)


def _ends(table: Table, hider: Hider) -> str:
    """From which label of a row to which; what looks like a secret in them is told of with the rows."""
    seen = Hider(off=hider.off)

    def written(part: object, name: str) -> str:
        return HIDDEN if seen.hides(name) else _cell(part, name, seen)

    ends = [", ".join(map(written, end, table.labels)) for end in table.ends]
    return f", from {ends[0]} to {ends[1]}" if ends else ""


def _named(name: str) -> str:
    """A column's name on one line, and in quotes where it could be missed."""
    plain = name if name and name == " ".join(name.split()) else repr(name)
    return _short(plain)


def _cell(cell: object, name: str, hider: Hider) -> str:
    try:
        text = " ".join(str(cell)[:_MOST_READ].split())
    except Exception as error:  # noqa: BLE001  # a value's own __str__ may raise anything
        text = f"<{type(cell).__name__}, whose text raises {type(error).__name__}>"
    # Hidden first: the part of a secret that is left after cutting looks like none.
    return _short(hider.under(name, text) if isinstance(cell, str) else hider.text(text))


def _short(text: str) -> str:
    return text if len(text) <= MOST_CELL else f"{text[: MOST_CELL - 1]}…"
