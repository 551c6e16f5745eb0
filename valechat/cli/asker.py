"""Asking the person at the terminal whether a plugin may do something."""

from __future__ import annotations

import asyncio
import os
import sys

from valechat.asking import Asker, use_asker
from valechat.engine import engine
from valechat.typedasker import TypedAsker

__all__ = ["TerminalLine", "ask_at_the_terminal", "somebody_is_there"]


class TerminalLine:
    """The terminal this process runs in. Questions go to standard error: output may be piped on."""

    def __init__(self) -> None:
        self._typed = b""

    async def show(self, text: str) -> None:
        """Write some lines."""
        sys.stderr.write(f"{text}\n")

    async def read(self, prompt: str) -> str | None:
        """One typed line. The wait ends at once when it is cancelled, where the system can watch a terminal."""
        sys.stderr.write(prompt)
        sys.stderr.flush()
        if os.name == "posix":
            line: str | None = await engine().on_main(self._watched)
        else:
            line = await engine().on_main(lambda: sys.stdin.readline() or None)
        return line

    async def _watched(self) -> str | None:
        source = sys.stdin.fileno()
        loop = asyncio.get_running_loop()
        while b"\n" not in self._typed:
            readable = asyncio.Event()
            loop.add_reader(source, readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(source)
            piece = os.read(source, 4096)
            if not piece:
                return None
            self._typed += piece
        line, _, self._typed = self._typed.partition(b"\n")
        return line.decode(errors="replace")


def somebody_is_there() -> bool:
    """Whether a person can see a question and answer it."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def ask_at_the_terminal() -> Asker | None:
    """Let questions of this process be asked at its terminal; None, and all refused, where nobody is there."""
    if not somebody_is_there():
        return None
    asker: Asker = TypedAsker(TerminalLine(), browser=True)
    use_asker(asker)
    return asker
