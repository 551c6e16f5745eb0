"""What went wrong in the notebook's cells: `{Err[3]}` and `%valechat fix`."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import IPython

from valechat.errors import ValeChatError

__all__ = ["Failure", "Failures", "written"]

MOST_KEPT = 100
MOST_CHARS = 8_000
"""Most characters kept of one traceback: its beginning and its end."""

_IPYTHON = str(Path(IPython.__file__).parent)


@dataclass(frozen=True, slots=True)
class Failure:
    """A cell that raised, its traceback as plain text, and its number where it is known."""

    cell: str
    traceback: str
    number: int | None = None


class Failures:
    """The cells that raised, by execution count; the latest hundred."""

    def __init__(self) -> None:
        self._kept: dict[int, Failure] = {}

    def record(self, result: Any) -> None:
        """Take note of a cell's `ExecutionResult`. What a magic of ours raised is not the cell's fault."""
        error = result.error_in_exec or result.error_before_exec
        cell = result.info.raw_cell if result.info is not None else ""
        if error is None or isinstance(error, KeyboardInterrupt) or _is_ours(cell, error):
            return
        # A cell that is run without a place in the history has no number; the next one's is as good.
        number = result.execution_count or getattr(IPython.core.getipython.get_ipython(), "execution_count", 0)
        self._kept[number] = Failure(cell, written(error), number)
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]

    @property
    def texts(self) -> Mapping[int, str]:
        """`Err`: tracebacks by execution count."""
        return {number: failure.traceback for number, failure in self._kept.items()}

    def last(self, history: list[str]) -> Failure | None:
        """The latest failure. One from before the extension was loaded is found in `sys.last_value`."""
        if self._kept:
            return self._kept[max(self._kept)]
        error = getattr(sys, "last_value", None)
        if error is None or hasattr(error, "_render_traceback_"):
            # Nothing failed, or only a magic of ours did.
            return None
        cells = [cell for cell in history if cell.strip() and not cell.lstrip().startswith("%")]
        return Failure(cells[-1] if cells else "", written(error))


def written(error: BaseException) -> str:
    """An exception's traceback as plain text, IPython's own frames left out."""
    told = traceback.TracebackException.from_exception(error)
    _leave_out_ipython(told)
    text = "".join(told.format())
    if len(text) <= MOST_CHARS:
        return text.rstrip()
    half = MOST_CHARS // 2
    return f"{text[:half]}\n…\n{text[-half:]}".rstrip()


def _is_ours(cell: str, error: BaseException) -> bool:
    """Whether a magic of ours failed, and no code of the user's."""
    lines = cell.strip().splitlines()
    alone = len(lines) == 1 and lines[0].startswith("%valechat")
    shown_in_one_line = isinstance(error, ValeChatError) and hasattr(error, "_render_traceback_")
    return alone or cell.lstrip().startswith("%%valechat") or shown_in_one_line


def _leave_out_ipython(told: traceback.TracebackException) -> None:
    """Leave out IPython's own frames, which stand at the beginning, and below magics such as `%%time`."""
    seen: set[int] = set()
    waiting: list[traceback.TracebackException | None] = [told]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.stack = traceback.StackSummary.from_list(
            [frame for frame in one.stack if not frame.filename.startswith(_IPYTHON)]
        )
        waiting += [one.__cause__, one.__context__, *(one.exceptions or ())]
