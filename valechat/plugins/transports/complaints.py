"""What a server writes to stderr, and what it writes to stdout that is no message: to the log, in bounds.

A pipe that nobody reads stops the server, and a server may write without end. So everything is read, at a
bounded pace, and what is more than a person can follow is counted instead of kept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from valechat.plugins.transports.framing import LineReader, TooLong
from valechat.plugins.transports.pipes import Stream

__all__ = ["BoundedLog", "drain"]

BURST = 200
"""Lines that may come at once."""

RATE = 20.0
"""Lines a second after that."""

LINE = 4096
"""Bytes of a line that are shown."""

FLOOD = 16 * 1024 * 1024
"""Bytes a second that are read of a server that writes more than is kept."""


class BoundedLog:
    """Passes on so many lines and counts the others.

    Args:
        log: Takes source, level and text.
        source: Where the lines come from: `stderr` or `valechat`.
        level: Their level.
        clock: Seconds, as `time.monotonic`.
    """

    def __init__(
        self,
        log: Callable[[str, str, str], None],
        source: str,
        level: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log, self._source, self._level, self._clock = log, source, level, clock
        self._room, self._seen = float(BURST), clock()
        self._left_out = 0

    @property
    def full(self) -> bool:
        """Whether the next line would only be counted."""
        now = self._clock()
        self._room, self._seen = min(float(BURST), self._room + (now - self._seen) * RATE), now
        return self._room < 1

    def add(self, text: str) -> None:
        """A line."""
        if self.full:
            self.left_out(1)
            return
        self._room -= 1
        self.flush()
        self._log(self._source, self._level, text)

    def left_out(self, lines: int) -> None:
        """So many lines more were not worth reading."""
        self._left_out += lines

    def flush(self) -> None:
        """Tells how many lines were left out, if any were."""
        if self._left_out:
            lines = "1 line was" if self._left_out == 1 else f"{self._left_out:,} lines were"
            self._log("valechat", "warning", f"{lines} left out: too many at once.")
            self._left_out = 0


async def drain(stream: Stream, log: BoundedLog) -> None:
    """Reads the stream to its end, line by line into the log."""
    reader = LineReader(LINE)
    while data := await stream.read():
        if log.full:
            log.left_out(data.count(b"\n"))
            await asyncio.sleep(len(data) / FLOOD)
            continue
        for line in reader.feed(data):
            log.add(_text(line))
    for line in reader.rest():
        log.add(_text(line))
    log.flush()


def _text(line: bytes | TooLong) -> str:
    if isinstance(line, TooLong):
        return f"{line.head.decode('utf-8', 'replace')}… ({line.size:,} bytes)"
    return line.decode("utf-8", "replace").rstrip()
