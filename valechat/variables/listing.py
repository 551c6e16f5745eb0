"""A notebook's variables for a menu: name, kind, size and about what each would cost.

Nothing of a value's own is called for it, whose `__repr__` or `__len__` may take minutes: sizes are asked of the
types that are known, and of no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from valechat.variables.describing import BUDGET, CHARS_PER_TOKEN
from valechat.variables.tables import library_of

__all__ = ["Listed", "listed", "offered", "snapshot"]

_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType, type)
_COLLECTIONS = (dict, list, tuple, set, frozenset)
_ANSWERS = ("valechat.reply", "valechat.rows.", "valechat.notebook.shownreply")
_IMAGE_TOKENS = 1_500
_PER_COLUMN = 12
_PER_CELL = 3
_ROWS = 10


@dataclass(frozen=True, slots=True)
class Listed:
    """A variable in a menu. `tokens` is about what it would cost, None where that is not known without reading it."""

    name: str
    kind: str
    size: str
    tokens: int | None


def offered(name: str, value: object) -> bool:
    """Whether a name is the user's own data or function, and no module, import, chat or history of IPython's."""
    if name.startswith("_") or name in ("In", "Out", "Err", "exit", "quit", "get_ipython", "open"):
        return False
    kind = type(value)
    module = str(kind.__module__)
    if issubclass(kind, ModuleType) or (module.startswith("valechat.") and not module.startswith(_ANSWERS)):
        return False
    if issubclass(kind, _FUNCTIONS):
        return getattr(value, "__module__", None) == "__main__"
    return True


def listed(names: Mapping[str, Any], *, budget: int = BUDGET) -> list[Listed]:
    """All variables that may be offered, by name. `budget` bounds what a table costs."""
    return [_listed(name, value, budget) for name, value in snapshot(names) if offered(name, value)]


def snapshot(names: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The names as they are in one moment, in order, while a cell may add some."""
    for _ in range(5):
        try:
            items: list[tuple[object, Any]] = list(names.items())
        except RuntimeError:
            # A cell changed it meanwhile.
            continue
        named = [(name, value) for name, value in items if isinstance(name, str)]
        yield from sorted(named, key=lambda item: item[0].lower())
        return


def _listed(name: str, value: Any, budget: int) -> Listed:
    kind = type(value)
    try:
        shape = _shape(value)
    except Exception:  # noqa: BLE001  # a relation over a table that is gone raises its library's own errors
        return Listed(name, kind.__name__, "", None)
    if shape is not None:
        rows, columns = shape
        cells = columns * (_ROWS if rows is None else min(rows, _ROWS))
        size = f"{columns:,} columns" if rows is None else f"{rows:,} × {columns:,}"
        return Listed(name, kind.__name__, size, min(budget, 20 + columns * _PER_COLUMN + cells * _PER_CELL))
    if library_of(value) == ("numpy", "ndarray"):
        size = " × ".join(f"{side:,}" for side in value.shape) or "1"
        return Listed(name, f"array, {value.dtype}", size, min(budget, 20 + 6 * value.size))
    if issubclass(kind, _FUNCTIONS):
        return Listed(name, "class" if issubclass(kind, type) else "function", "", None)
    return Listed(name, kind.__name__, *_plain(value, kind, budget))


def _plain(value: Any, kind: type, budget: int) -> tuple[str, int | None]:
    """The size of what is no table and no array, and about its tokens."""
    if kind is str:
        return f"{len(value):,} characters", max(1, round(len(value) / CHARS_PER_TOKEN))
    if kind is bytes:
        return f"{len(value):,} bytes", min(budget, max(1, round(len(value) / CHARS_PER_TOKEN)))
    if kind in _COLLECTIONS:
        return f"{len(value):,} items", min(budget, 5 + 8 * len(value))
    if _drawn(kind):
        return "image", _IMAGE_TOKENS
    return "", 5 if kind in (int, float, bool, complex) or value is None else None


def _shape(value: Any) -> tuple[int | None, int] | None:
    """Rows and columns of a table, as its library's own class tells them; rows are None where they must be counted."""
    library, base = library_of(value)
    if base == "DataFrame" and library in ("pandas", "polars"):
        rows, columns = value.shape
        return rows, columns
    if base == "Series" and library in ("pandas", "polars"):
        return value.shape[0], 1
    if library == "pyarrow" and base in ("Table", "RecordBatch"):
        return value.num_rows, value.num_columns
    if library == "duckdb" and base == "DuckDBPyRelation":
        return None, len(value.columns)
    return None


def _drawn(kind: type) -> bool:
    library = str(kind.__module__).partition(".")[0]
    return (
        (library == "matplotlib" and kind.__name__ in ("Figure", "Axes"))
        or (library == "plotly" and kind.__name__ == "Figure")
        or (library == "altair" and kind.__name__.endswith("Chart"))
        or library == "PIL"
    )
