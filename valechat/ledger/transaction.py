"""A write to the ledger under way."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import datetime

__all__ = ["Transaction"]


@dataclass(slots=True)
class Transaction:
    """The connection, the moment, and what will have to be published.

    `changed` has the `seq` of added, changed and removed rows, by stream; `erased` those whose earlier version
    must go. `limits` and `prices` say that
    those snapshots are out of date.
    """

    db: sqlite3.Connection
    now: datetime
    changed: dict[str, list[int]] = field(default_factory=dict)
    erased: set[tuple[str, int]] = field(default_factory=set)
    limits: bool = False
    prices: bool = False

    def publish(self, stream: str, seq: int) -> None:
        """Note that a row was added, changed or removed."""
        self.changed.setdefault(stream, []).append(seq)

    def erase(self, stream: str, seq: int) -> None:
        """Note that a row was changed and that what it was before must leave the published files."""
        self.publish(stream, seq)
        self.erased.add((stream, seq))
