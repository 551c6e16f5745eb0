"""A plugin's log: the newest lines, bounded in number and size, filled from any thread."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, cast

from valechat.plugins.base import LogLine

__all__ = ["MOST_BYTES", "MOST_LINES", "PluginLog"]

MOST_LINES = 2_000
MOST_BYTES = 1_000_000
LONGEST_LINE = 10_000
FLUSH_SECONDS = 0.1
MOST_TOLD = 100
"""New lines told of at once; of a flood, only the newest."""


class PluginLog:
    """The newest lines. `tell` hears of new ones, on the loop, a tenth of a second late and not of every one."""

    def __init__(self, tell: Callable[[LogLine], None]) -> None:
        self._tell = tell
        self._lines: deque[LogLine] = deque()
        self._bytes = 0
        self._untold: deque[LogLine] = deque(maxlen=MOST_TOLD)
        self._lock = threading.Lock()
        self._telling = False
        self._loop = asyncio.get_running_loop()

    def add(self, source: str, level: str, text: str) -> None:
        """Take a line; from any thread."""
        text = text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]} …"
        known = cast("Literal['stderr', 'server', 'valechat']", source)
        line = LogLine(datetime.now(UTC), known, level, text)
        with self._lock:
            self._lines.append(line)
            self._bytes += len(text)
            while len(self._lines) > MOST_LINES or self._bytes > MOST_BYTES:
                self._bytes -= len(self._lines.popleft().text)
            self._untold.append(line)
            due, self._telling = not self._telling, True
        if due and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.call_later, FLUSH_SECONDS, self._flush)

    def lines(self) -> list[LogLine]:
        """All there are, the oldest first."""
        with self._lock:
            return [*self._lines]

    def last_words(self, since: datetime) -> str:
        """The last line on stderr since then that says something; empty when there is none."""
        for line in reversed(self.lines()):
            if line.at < since:
                break
            if line.source == "stderr" and line.text.strip():
                return line.text.strip()
        return ""

    def _flush(self) -> None:
        with self._lock:
            untold, self._telling = [*self._untold], False
            self._untold.clear()
        for line in untold:
            self._tell(line)
