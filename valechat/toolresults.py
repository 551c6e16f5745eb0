"""What a Python function returned: text and images for its model, the beginning of a table for the user."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from valechat.variables.describing import Description, describe
from valechat.variables.pictures import picture_of
from valechat.variables.tables import library_of, table_of

__all__ = ["told"]


def told(value: Any, *, budget: int, most: int) -> Description:
    """A result as it is told, its text of at most `most` characters.

    Tables, arrays and figures are described as variables are, in `budget` tokens; what a function returns is meant
    to be told, so nothing is hidden in it. All else is JSON where it has that form, and Python's own text where not.
    """
    found = value if isinstance(value, Description) else _rich(value, budget)
    found = Description(_plain(value)) if found is None else found
    more = len(found.text) - most
    return replace(found, text=f"{found.text[:most]}\n… {more:,} more characters") if more > 0 else found


def _rich(value: Any, budget: int) -> Description | None:
    if isinstance(value, str | int | float | bool | dict | list | tuple | None):
        return None
    if table_of(value) is None and library_of(value) != ("numpy", "ndarray") and picture_of(value) is None:
        return None
    return describe(value, budget=budget, reveal=True, head=True)


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return to_json(value).decode()
    except PydanticSerializationError:
        return repr(value)
