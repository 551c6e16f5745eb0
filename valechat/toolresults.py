"""What a Python function returned, as its model gets it: text, and images where it is a picture."""

from __future__ import annotations

from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from valechat.messages import ImagePart
from valechat.variables.describing import Description, describe
from valechat.variables.pictures import picture_of
from valechat.variables.tables import library_of, table_of

__all__ = ["told"]


def told(value: Any, *, budget: int, most: int) -> tuple[str, tuple[ImagePart, ...]]:
    """A result's text of at most `most` characters, and its images.

    Tables, arrays and figures are described as variables are, in `budget` tokens; what a function returns is meant
    to be told, so nothing is hidden in it. All else is JSON where it has that form, and Python's own text where not.
    """
    found = value if isinstance(value, Description) else _rich(value, budget)
    text, images = (found.text, found.images) if found is not None else (_plain(value), ())
    if len(text) > most:
        text = f"{text[:most]}\n… {len(text) - most:,} more characters"
    return text, images


def _rich(value: Any, budget: int) -> Description | None:
    if isinstance(value, str | int | float | bool | dict | list | tuple | None):
        return None
    if table_of(value) is None and library_of(value) != ("numpy", "ndarray") and picture_of(value) is None:
        return None
    return describe(value, budget=budget, reveal=True)


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return to_json(value).decode()
    except PydanticSerializationError:
        return repr(value)
