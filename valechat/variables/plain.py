"""Arrays, dicts, lists and their like: all of it where it fits, else as much of each level as does."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any

from valechat.reply import Reply
from valechat.variables.hiding import HIDDEN, Hider
from valechat.variables.tables import library_of, nth

__all__ = ["array_text", "is_array", "is_collection", "summarised"]

MOST_VALUES = 2_000_000
"""Values of an array that are looked at."""

_LEVELS = ((1000, 4000, 12), (200, 400, 8), (50, 200, 6), (20, 100, 4), (8, 60, 3), (3, 40, 2))
"""How many items of a collection, characters of a text and levels are tried, one after the other."""


def is_collection(value: object) -> bool:
    """Whether it is one of Python's own collections, a dataclass or a pydantic model."""
    return isinstance(value, Mapping | list | tuple | AbstractSet | deque) or _fields(value) is not None


def is_array(value: object) -> bool:
    """Whether it is a NumPy array."""
    return library_of(value) == ("numpy", "ndarray")


def summarised(value: Any, most: int, hider: Hider) -> tuple[str, str]:
    """The value's text in at most `most` characters, and how much of it that is, empty for all."""
    for step, level in enumerate(_LEVELS):
        writer = _Writer(*level, most=most, hider=Hider(off=hider.off))
        text = writer.written(value, 0)
        if len(text) <= most or step == len(_LEVELS) - 1:
            break
    for what in writer.hider.hidden:
        hider.note(what)
    if len(text) > most:
        text = f"{text[:most]}…"
        writer.cut = True
    if not writer.cut:
        return text, ""
    size = f" of {len(value):,} items" if isinstance(value, Mapping | list | tuple | AbstractSet | deque) else ""
    head = f"{type(value).__name__}{size}, abridged"
    return f"{head}:\n{text}", head


class _Writer:
    """Writes a value as Python would, within bounds. `cut` says that something was left out."""

    def __init__(self, items: int, chars: int, depth: int, *, most: int, hider: Hider) -> None:
        self.cut = False
        self.hider = hider
        self._items = items
        self._chars = chars
        self._depth = depth
        self._left = 2 * most
        self._open: set[int] = set()

    def written(self, value: Any, depth: int, name: object = "") -> str:
        text = self._value(value, depth, name)
        self._left -= len(text)
        return text

    def _value(self, value: Any, depth: int, name: object) -> str:
        if isinstance(value, Reply):
            value = value.text
        if isinstance(value, str):
            return self._clip(self.hider.under(name, value), value)
        if value is None or isinstance(value, bool | int | float | complex):
            return repr(value)
        if id(value) in self._open or depth >= self._depth or self._left < 0:
            self.cut = True
            return "…"
        self._open.add(id(value))
        try:
            return self._collection(value, depth)
        finally:
            self._open.discard(id(value))

    def _collection(self, value: Any, depth: int) -> str:
        named = _fields(value)
        if named is not None:
            return f"{type(value).__name__}({self._pairs(named, depth, '=', quoted=False)})"
        if isinstance(value, Mapping):
            return f"{{{self._pairs(value, depth, ': ', quoted=True)}}}"
        if isinstance(value, list | tuple | AbstractSet | deque):
            opening, closing = "()" if isinstance(value, tuple) else "{}" if isinstance(value, AbstractSet) else "[]"
            inner = self._listed([self.written(item, depth + 1) for item in _first(value, self._items)], len(value))
            comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
            return f"{opening}{inner}{comma}{closing}"
        return self._other(value)

    def _pairs(self, pairs: Mapping[Any, Any], depth: int, between: str, *, quoted: bool) -> str:
        shown = []
        for key, item in _first(pairs.items(), self._items):
            name = repr(key) if isinstance(key, str) and quoted else self._clip(str(key))
            shown.append(f"{name}{between}{self._under(key, item, depth)}")
        return self._listed(shown, len(pairs))

    def _under(self, key: object, item: Any, depth: int) -> str:
        hideable = isinstance(item, str | bytes | int | float | Mapping | list | tuple | AbstractSet | deque)
        if hideable and item != "" and self.hider.hides(key):
            self.hider.note(f"`{key}`")
            return HIDDEN
        return self.written(item, depth + 1, key)

    def _listed(self, shown: list[str], of: int) -> str:
        if len(shown) < of:
            self.cut = True
            shown = [*shown, f"… {of - len(shown):,} more"]
        return ", ".join(shown)

    def _other(self, value: Any) -> str:
        shape = _shape(value)
        if shape:
            self.cut = True
            return f"<{type(value).__name__} {shape}>"
        try:
            text = repr(value)
        except Exception as error:  # noqa: BLE001  # a value's own __repr__ may raise anything
            text = f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"
        return self._clip(self.hider.text(text))

    def _clip(self, text: str, quoted: Any = None) -> str:
        if len(text) > self._chars:
            self.cut = True
            text = f"{text[: self._chars]}…"
        return repr(text) if isinstance(quoted, str) and text != HIDDEN else text


def array_text(value: Any, most: int) -> tuple[str, str]:
    """A NumPy array in at most `most` characters, and how much of it that is, empty for all."""
    import numpy as np

    head = f"array of shape {value.shape}, {value.dtype}"
    whole = np.array2string(value, threshold=10**9, separator=", ") if value.size <= most // 2 else ""
    if whole and len(whole) <= most:
        return (f"{head}:\n{whole}" if value.ndim else whole), ""
    if np.issubdtype(value.dtype, np.integer) or np.issubdtype(value.dtype, np.floating):
        head += _range(value)
    with np.printoptions(threshold=200, edgeitems=3, linewidth=120):
        text = f"{head}\n{value!s}"
    return text[:most], "its shape, range and first and last values"


def _range(value: Any) -> str:
    import numpy as np

    step = max(1, value.size // MOST_VALUES)
    sample = value.reshape(-1)[::step]
    present = sample[~np.isnan(sample)] if np.issubdtype(value.dtype, np.floating) else sample
    of = f" (of every {nth(step)} value)" if step > 1 else ""
    missing = f", {sample.size - present.size:,} NaN" if sample.size > present.size else ""
    if not present.size:
        return missing
    return f", {present.min():.6g} to {present.max():.6g}, mean {present.mean():.6g}{missing}{of}"


def _first(values: Any, most: int) -> list[Any]:
    return list(islice(values, most))


def _shape(value: Any) -> str:
    match library_of(value):
        case (("pandas" | "polars"), ("DataFrame" | "Series")):
            return " × ".join(f"{size:,}" for size in value.shape)
        case "numpy", "ndarray":
            return f"{value.shape} {value.dtype}"
    return ""


def _fields(value: object) -> dict[str, Any] | None:
    """The fields of a dataclass or a pydantic model."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name, None) for field in fields(value) if field.repr}
    names = getattr(type(value), "model_fields", None)
    if isinstance(names, dict) and hasattr(type(value), "model_dump"):
        return {name: getattr(value, name, None) for name in names}
    return None
