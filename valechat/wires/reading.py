"""Reading counts out of JSON that may hold anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

__all__ = ["Reader", "amount", "last", "mapping"]

_MOST = 10**15
"""No request has more tokens; above it a number is a fault of the server's (or an attack)."""
_MOST_MONEY = Decimal(10) ** 12
_MOST_DECIMALS = 30


class Reader:
    """Takes counts from one wire's objects and remembers what made no sense.

    A count that is absent or null is simply unknown. One that is there and is no count (a string,
    a negative number, a boolean) is unknown too, gets a note, and makes every sum it belongs to
    unknown.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []

    def count(self, source: Mapping[str, Any], *path: str) -> int | None:
        """The count at a path of keys, or None."""
        return self._read(source, path)[0]

    def need(self, source: Mapping[str, Any], *path: str) -> int | None:
        """The count at a path of keys, with a note when the server left it out."""
        value, garbage = self._read(source, path)
        if value is None and not garbage:
            self.note(f"{'.'.join(path)} is missing")
        return value

    def total(self, source: Mapping[str, Any], first: str, *others: str) -> int | None:
        """The sum of a count and of those of the others that are there."""
        total = self.need(source, first)
        for name in others:
            value, garbage = self._read(source, (name,))
            if garbage:
                total = None
            elif value is not None and total is not None:
                total += value
        return total

    def part(self, part: int | None, whole: int | None, name: str) -> int | None:
        """A count that is part of another; None with a note when it exceeds the whole."""
        if part is not None and whole is not None and part > whole:
            self.note(f"{name} exceeds the count it is part of")
            return None
        return part

    def note(self, text: str) -> None:
        """Remember what made no sense, once."""
        if text not in self.notes:
            self.notes.append(text)

    def details(self, **found: Any) -> dict[str, Any]:
        """The details that are there, and the notes."""
        kept = {name: value for name, value in found.items() if value not in (None, {}, [], "")}
        if self.notes:
            kept["notes"] = list(self.notes)
        return kept

    def _read(self, source: Mapping[str, Any], path: Sequence[str]) -> tuple[int | None, bool]:
        value: Any = source
        for key in path:
            if not isinstance(value, Mapping):
                return None, False
            value = value.get(key)
        if value is None:
            return None, False
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
            self.note(f"{'.'.join(path)} is no token count")
            return None, True
        return value, False


def mapping(source: Any, *path: str) -> Mapping[str, Any]:
    """The object at a path of keys, empty when there is none."""
    for key in path:
        source = source.get(key) if isinstance(source, Mapping) else None
    return source if isinstance(source, Mapping) else {}


def last(events: Sequence[Mapping[str, Any]], *paths: Sequence[str]) -> Any:
    """The last word or object the events have at one of the paths; None when there is none."""
    found = None
    for event in events:
        for path in paths:
            value = mapping(event, *path[:-1]).get(path[-1])
            if isinstance(value, str | Mapping):
                found = value
                break
    return found


def amount(value: Any) -> Decimal | None:
    """A sum of money as the server wrote it, or None when it is none.

    A float is read by its shortest text, which is what the JSON said for up to 17 digits.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        money = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except InvalidOperation:
        return None
    if not money.is_finite() or not 0 <= money < _MOST_MONEY:
        return None
    exponent = money.as_tuple().exponent
    return money if isinstance(exponent, int) and exponent >= -_MOST_DECIMALS else None
