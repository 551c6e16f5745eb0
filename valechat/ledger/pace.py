"""When published files are sealed, merged and dropped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

__all__ = ["Pace"]


@dataclass(frozen=True, slots=True)
class Pace:
    """When files are sealed, merged and dropped.

    Attributes:
        seal_rows: Rows of a small file.
        lag_rows: Newest rows that stay in the tail, where a change is cheap.
        merge_rows: Rows of a large file, a multiple of `seal_rows`.
        mark_after: How long a file is in place before it counts; longer than a query takes from
            listing the files to reading the watermark.
        empty_after: How long a file that no longer counts keeps its rows; longer than any query runs.
    """

    seal_rows: int = 5_000
    lag_rows: int = 1_000
    merge_rows: int = 1_000_000
    mark_after: timedelta = timedelta(seconds=10)
    empty_after: timedelta = timedelta(minutes=10)

    @property
    def full_tail(self) -> int:
        """How many rows a tail has when its oldest are sealed."""
        return self.seal_rows + self.lag_rows

    def files(self, newest: int) -> list[tuple[str, int, int]]:
        """How `newest` rows are published at once: the kind, first and last row of each file.

        The newest rows are left to the tail.
        """
        found = []
        last = 0
        while newest - last >= self.merge_rows + self.lag_rows:
            found.append(("large", last + 1, last + self.merge_rows))
            last += self.merge_rows
        while newest - last >= self.full_tail:
            found.append(("small", last + 1, last + self.seal_rows))
            last += self.seal_rows
        return found
