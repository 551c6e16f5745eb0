"""The notebook behind a conversation, as the core sees it: its variables, its cells, a place to run code.

The front end that has one says so with `use_workspace`, as with askers. Where there is none, a Python program
for one, its `__main__` module stands for the variables, and there are no cells.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from valechat.errors import ConfigError
from valechat.messages import ImagePart

__all__ = ["Cell", "Ran", "Workspace", "use_workspace", "workspace"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that ran: its number, its code, and its value and error as text, empty where there is none."""

    number: int
    code: str
    value: Any = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """What running code gave: all that was printed, the last value, pictures, and the error, if any."""

    output: str
    value: Any = None
    images: tuple[ImagePart, ...] = ()
    error: str = ""


class Workspace(Protocol):
    """A notebook's kernel."""

    def names(self) -> Mapping[str, Any]:
        """The user's variables now; from any thread."""
        ...

    def cells(self) -> list[Cell]:
        """The cells that ran, oldest first; from any thread."""
        ...

    async def run(self, code: str) -> Ran:
        """Run code as a cell's, on the main thread; awaited on the engine's loop. Cancelling interrupts it."""
        ...


class _Program:
    """A program without a notebook."""

    def names(self) -> Mapping[str, Any]:
        return dict(vars(sys.modules["__main__"]))

    def cells(self) -> list[Cell]:
        return []

    async def run(self, code: str) -> Ran:
        del code
        raise ConfigError("There is no notebook in which code could run.", fix="Use this tool in a notebook.")


_make: Callable[[], Workspace] = _Program


def use_workspace(make: Callable[[], Workspace]) -> None:
    """Let this be where variables, cells and code are looked for; made when it is asked for."""
    global _make  # noqa: PLW0603  # one kernel a process
    _make = make


def workspace() -> Workspace:
    """The notebook of this process."""
    return _make()
