"""`{name}` in a catalogue's entry: replaced by what the user entered.

In a list, a text that is one `{name}` alone becomes as many as were entered. A text, in a list or a table,
that refers to something that was not entered is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["Given", "filled", "names_in"]

Given = Mapping[str, str | Sequence[str]]
"""What was entered, by name; of one that takes several, a list."""

_NAME = re.compile(r"(?<!\$)\{([a-z][a-z0-9_]*)\}")


class _LeftOut(Exception):
    pass


def filled(value: Any, given: Given) -> Any:
    """The value with what was entered in place."""
    if isinstance(value, str):
        return _text(value, given)
    if isinstance(value, list):
        return [item for part in value for item in _items(part, given)]
    if isinstance(value, dict):
        found = {key: _items(item, given) for key, item in value.items()}
        return {key: items[0] for key, items in found.items() if items}
    return value


def names_in(value: Any) -> set[str]:
    """All names a value refers to."""
    if isinstance(value, str):
        return set(_NAME.findall(value))
    if isinstance(value, list | dict):
        inner = value.values() if isinstance(value, dict) else value
        return {name for item in inner for name in names_in(item)}
    return set()


def _items(part: Any, given: Given) -> list[Any]:
    if not isinstance(part, str):
        return [filled(part, given)]
    several = [name for name in _NAME.findall(part) if not isinstance(given.get(name, ""), str)]
    try:
        if not several:
            return [_text(part, given)]
        return [_text(part, {**given, several[0]: each}) for each in given[several[0]]]
    except _LeftOut:
        return []


def _text(text: str, given: Given) -> str:
    def value(match: re.Match[str]) -> str:
        found = given.get(match[1])
        if not found:
            raise _LeftOut
        return found if isinstance(found, str) else ",".join(found)

    return _NAME.sub(value, text)
