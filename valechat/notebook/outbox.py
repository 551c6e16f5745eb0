"""What leaves the kernel for one panel: numbered, in order, and never too often.

Jupyter's iopub limit counts comm messages and silently drops what is over it, the user's own output
included. So streamed text waits here and leaves as one `deltas` message for all turns, at most
`RATE` times a second, and all panels together keep to one `Pace`: what comes faster leaves later, in order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from valechat.notebook.pace import Pace
from valechat.notebook.protocol import Delta, Deltas, ToolShown

__all__ = ["Outbox"]

RATE = 30
"""Messages of streamed text a second, at most."""

_of_all = Pace()


class Outbox:
    """The way out to one panel. Used on the engine's loop only. `pace` is shared by all panels unless given."""

    def __init__(self, send: Callable[..., None], pace: Pace = _of_all) -> None:
        self._send = send
        self._pace = pace
        self._queue: deque[tuple[Mapping[str, Any], list[list[bytes]]]] = deque()
        self._later: asyncio.TimerHandle | None = None
        self._seq = 0
        self._waiting: dict[str, Delta] = {}
        self._pieces: dict[tuple[str, str], list[str]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._last_sent = float("-inf")

    def send(self, message: Mapping[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send a message as soon as may be, with its binary buffers, after all streamed text that waits."""
        self.flush()
        self._number(message, *([list(buffers)] if buffers else []))

    def text(self, turn: str, text: str) -> None:
        """Add a piece of a turn's text."""
        self._piece(turn, "text", text)

    def thinking(self, turn: str, text: str) -> None:
        """Add a piece of a turn's reasoning."""
        self._piece(turn, "thinking", text)

    def tool(self, turn: str, tool: ToolShown) -> None:
        """Show a tool call, or its result."""
        tools = self._delta(turn).setdefault("tools", [])
        tools[:] = [shown for shown in tools if shown["id"] != tool["id"]]
        tools.append({**tool})

    def note(self, turn: str, note: str) -> None:
        """Add a note to a turn."""
        self._delta(turn).setdefault("notes", []).append(note)

    def more(self, turn: str, characters: int) -> None:
        """Say how many characters of a turn's text are kept back."""
        self._delta(turn)["more"] = characters

    def flush(self) -> None:
        """Send what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        for (turn, kind), pieces in self._pieces.items():
            if kind == "text":
                self._waiting[turn]["text"] = "".join(pieces)
            else:
                self._waiting[turn]["thinking"] = "".join(pieces)
        deltas = Deltas(type="deltas", seq=0, deltas=list(self._waiting.values()))
        self._waiting, self._pieces = {}, {}
        self._last_sent = asyncio.get_running_loop().time()
        self._number(deltas)

    def _piece(self, turn: str, kind: str, text: str) -> None:
        self._delta(turn)
        self._pieces.setdefault((turn, kind), []).append(text)

    def _delta(self, turn: str) -> Delta:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time(), self._last_sent + 1 / RATE), self._due)
        return self._waiting.setdefault(turn, Delta(turn=turn))

    def _due(self) -> None:
        """Send the text that waits, or let it gather while the way out is full."""
        loop = asyncio.get_running_loop()
        wait = self._pace.wait(loop.time())
        if self._queue or wait > 0:
            self._timer = loop.call_later(max(wait, 1 / RATE), self._due)
        else:
            self.flush()

    def _number(self, message: Mapping[str, Any], *buffers: list[bytes]) -> None:
        self._seq += 1
        self._queue.append(({**message, "seq": self._seq}, list(buffers)))
        if self._later is None:
            self._leave()

    def _leave(self) -> None:
        """Send as much of the queue as the pace allows."""
        loop = asyncio.get_running_loop()
        self._later = None
        while self._queue:
            now = loop.time()
            if (wait := self._pace.wait(now)) > 0:
                self._later = loop.call_later(wait, self._leave)
                return
            self._pace.sent(now)
            message, buffers = self._queue.popleft()
            self._send(message, *buffers)
