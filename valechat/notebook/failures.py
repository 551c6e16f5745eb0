"""What went wrong in the notebook's cells: `{Err[3]}` and `%valechat fix`."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import IPython

__all__ = ["Failure", "Failures", "written"]

MOST_KEPT = 100
MOST_CHARS = 8_000
"""Most characters kept of one traceback: its beginning and its end."""

_IPYTHON = str(Path(IPython.__file__).parent)


@dataclass(frozen=True, slots=True)
class Failure:
    """A cell that raised, and its traceback as plain text."""

    cell: str
    traceback: str


class Failures:
    """The cells that raised, by execution count; the latest hundred."""

    def __init__(self) -> None:
        self._kept: dict[int, Failure] = {}

    def record(self, result: Any) -> None:
        """Take note of a cell's `ExecutionResult`. What a magic of ours raised is not the cell's fault."""
        error = result.error_in_exec or result.error_before_exec
        cell = result.info.raw_cell if result.info is not None else ""
        if error is None or isinstance(error, KeyboardInterrupt) or cell.lstrip(" %").startswith("valechat"):
            return
        # A cell that is run without a place in the history has no number; the next one's is as good.
        number = result.execution_count or getattr(IPython.core.getipython.get_ipython(), "execution_count", 0)
        self._kept[number] = Failure(cell, written(error))
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
    text = "".join(traceback.format_exception(type(error), error, _own_frames(error.__traceback__)))
    if len(text) <= MOST_CHARS:
        return text.rstrip()
    half = MOST_CHARS // 2
    return f"{text[:half]}\n…\n{text[-half:]}".rstrip()


def _own_frames(frames: TracebackType | None) -> TracebackType | None:
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_IPYTHON):
        frames = frames.tb_next
    return frames
