"""What leaves the kernel for one panel: numbered, in order, and never too often.

Jupyter's iopub limit counts comm messages and silently drops what is over it, the user's own output
included. So streamed text waits here and leaves as one `deltas` message for all turns, at most
`RATE` times a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from valechat.notebook.protocol import Delta, Deltas, ToolShown

__all__ = ["Outbox"]

RATE = 30
"""Messages of streamed text a second, at most."""


class Outbox:
    """The way out to one panel. Used on the engine's loop only."""

    def __init__(self, send: Callable[..., None]) -> None:
        self._send = send
        self._seq = 0
        self._waiting: dict[str, Delta] = {}
        self._pieces: dict[tuple[str, str], list[str]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._last_sent = float("-inf")

    def send(self, message: Mapping[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send a message now, with its binary buffers, after all streamed text that waits."""
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
            self._timer = loop.call_at(max(loop.time(), self._last_sent + 1 / RATE), self.flush)
        return self._waiting.setdefault(turn, Delta(turn=turn))

    def _number(self, message: Mapping[str, Any], *buffers: list[bytes]) -> None:
        self._seq += 1
        self._send({**message, "seq": self._seq}, *buffers)
