"""Event streams out of bytes: server-sent events, and JSON lines.

Both parsers take bytes as they come and give whole events, however the bytes were cut. The format
of server-sent events is the WHATWG HTML standard's, section 9.2.6; one deviation: an event without
its final blank line is given at the end of the stream (`finish`), marked `cut`, because servers
forget that line after their last event.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

__all__ = [
    "MOST_EVENT_BYTES",
    "EventParser",
    "EventTooLarge",
    "JsonDocument",
    "JsonLines",
    "ServerEvent",
    "ServerSentEvents",
]

MOST_EVENT_BYTES = 32 * 1024 * 1024
"""Default size limit of one event."""

_BOM = b"\xef\xbb\xbf"


class EventTooLarge(ValueError):
    """One event is larger than the limit."""


class ServerEvent(NamedTuple):
    """One event: its name (empty where the wire has none) and its data, not decoded.

    `cut` marks data that the end of the stream ended, not a line break or blank line.
    """

    data: bytes
    name: str = ""
    cut: bool = False


class EventParser(Protocol):
    """Takes bytes, gives events."""

    def feed(self, data: bytes) -> list[ServerEvent]:
        """The events that these bytes complete.

        Raises:
            EventTooLarge: An event is larger than the limit.
        """
        ...

    def finish(self) -> list[ServerEvent]:
        """What is left when the stream has ended: nothing, or one event."""
        ...


class _Lines:
    """Lines ended by LF, CR or CRLF, in linear time however they were cut."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._pieces: list[bytes] = []
        self._size = 0
        self._after_cr = False

    @property
    def idle(self) -> bool:
        """Whether the next byte begins a line."""
        return not self._pieces and not self._after_cr

    def feed(self, data: bytes) -> list[bytes]:
        if self._after_cr and data:
            self._after_cr = False
            if data[0] == 0x0A:
                data = data[1:]
        if not data:
            return []
        lines = data.splitlines()
        rest = b""
        if data[-1] == 0x0D:
            self._after_cr = True
        elif data[-1] != 0x0A:
            rest = lines.pop()
        if lines and self._pieces:
            self._pieces.append(lines[0])
            lines[0] = b"".join(self._pieces)
            self._pieces, self._size = [], 0
        if rest:
            self._pieces.append(rest)
            self._size += len(rest)
            if self._size > self._most:
                raise EventTooLarge(f"A line is larger than {self._most} bytes.")
        return lines

    def finish(self) -> bytes:
        return b"".join(self._pieces)


class ServerSentEvents:
    """Parser of `text/event-stream`. Comments, ids and retry times are passed over."""

    def __init__(self, most_bytes: int = MOST_EVENT_BYTES) -> None:
        self._most = most_bytes
        self._lines = _Lines(most_bytes)
        self._start: bytes | None = b""
        self._data: list[bytes] = []
        self._size = 0
        self._name = ""

    def feed(self, data: bytes) -> list[ServerEvent]:
        if self._start is not None:
            data = self._without_mark(data)
        elif (event := self._one_event(data)) is not None:
            return [event]
        events: list[ServerEvent] = []
        for line in self._lines.feed(data):
            if not line:
                if self._data:
                    events.append(self._event())
                self._name = ""
            else:
                self._read(line)
        return events

    def finish(self) -> list[ServerEvent]:
        lines = self._lines.feed(self._start) if self._start else []
        for line in (*lines, self._lines.finish()):
            self._read(line)
        return [self._event(cut=True)] if self._data else []

    def _one_event(self, data: bytes) -> ServerEvent | None:
        """What most servers send at a time, read several times as fast: a data line, with or without a name."""
        end = len(data) - 2
        simple = data.endswith(b"\n\n") and data.find(b"\r") < 0 and end <= self._most
        if not simple or self._data or self._name or not self._lines.idle:
            return None
        first = data.find(b"\n")
        if first == end and data.startswith(b"data: "):
            return ServerEvent(data[6:end])
        after = first + 1
        if data.startswith(b"event: ") and data.startswith(b"data: ", after) and data.find(b"\n", after) == end:
            return ServerEvent(data[after + 6 : end], data[7:first].decode("utf-8", "replace"))
        return None

    def _read(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            value = line[6:] if line[5:6] == b" " else line[5:]
            self._size += len(value) + 1
            if self._size > self._most:
                raise EventTooLarge(f"An event is larger than {self._most} bytes.")
            self._data.append(value)
        elif line == b"data":
            self._data.append(b"")
        elif line.startswith(b"event:"):
            self._name = line[6:].removeprefix(b" ").decode("utf-8", "replace")

    def _event(self, *, cut: bool = False) -> ServerEvent:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        event = ServerEvent(data, self._name, cut)
        self._data, self._size, self._name = [], 0, ""
        return event

    def _without_mark(self, data: bytes) -> bytes:
        data = (self._start or b"") + data
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._start = data
            return b""
        self._start = None
        return data.removeprefix(_BOM)


class JsonLines:
    """Parser of one JSON value a line (`application/x-ndjson`). Empty lines are passed over."""

    def __init__(self, most_bytes: int = MOST_EVENT_BYTES) -> None:
        self._lines = _Lines(most_bytes)

    def feed(self, data: bytes) -> list[ServerEvent]:
        return [ServerEvent(line) for line in self._lines.feed(data) if line.strip()]

    def finish(self) -> list[ServerEvent]:
        line = self._lines.finish()
        return [ServerEvent(line, cut=True)] if line.strip() else []


class JsonDocument:
    """One JSON value over the whole body, given at its end: what a server sends that does not stream."""

    def __init__(self, most_bytes: int = MOST_EVENT_BYTES) -> None:
        self._most = most_bytes
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[ServerEvent]:
        self._pieces.append(data)
        self._size += len(data)
        if self._size > self._most:
            raise EventTooLarge(f"The body is larger than {self._most} bytes.")
        return []

    def finish(self) -> list[ServerEvent]:
        return [ServerEvent(b"".join(self._pieces))]
