"""What a verb has to show, for a notebook or a terminal to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from valechat.plugins.base import Answer

__all__ = ["Answered", "Block", "Code", "Note", "Outcome", "Said", "Table"]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns. `right` are the columns of numbers."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    right: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """A line that is the result."""

    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """A line about the result."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """A text to be shown as it is written: JSON, a log."""

    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What a tool answered."""

    answer: Answer


Block = Table | Said | Note | Code | Answered


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a verb. `value` is for a variable of the notebook and for `--json`."""

    blocks: Sequence[Block] = field(default_factory=tuple)
    value: Any = None
    failed: bool = False
