"""Dictionaries that hold secrets and do not show them, not even where a traceback shows local variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

__all__ = ["Hidden"]

V = TypeVar("V")


class Hidden(dict[str, V]):
    """A dictionary whose `repr` has the names only."""

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{name!r}: …" for name in self) + "}"

    __str__ = __repr__

    def merged(self, other: Mapping[str, V]) -> Hidden[V]:
        """This and the other's, whose values win."""
        return Hidden({**self, **other})
