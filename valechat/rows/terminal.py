"""A job's progress as a line in a terminal."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from valechat.watching import Progress, line

__all__ = ["TerminalLine"]

FASTEST = 0.2


class TerminalLine:
    """Shows one job in one line that is written over; where that cannot be, only its end."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._next = 0.0

    def look(self, progress: Progress) -> None:
        """Show it, at most five times a second."""
        if self._stream.isatty() and time.monotonic() >= self._next:
            self._next = time.monotonic() + FASTEST
            self._stream.write(f"\r\x1b[K{line(progress)}"[:200])
            self._stream.flush()

    def end(self, progress: Progress) -> None:
        """Show it as it is in the end."""
        start = "\r\x1b[K" if self._stream.isatty() else ""
        self._stream.write(f"{start}{progress.title}: {line(progress)}\n")
        self._stream.flush()
