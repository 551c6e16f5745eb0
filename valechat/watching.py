"""How a job stands while it runs, and the one place a front end shows it from."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Protocol

from valechat.billing.sentences import usd

__all__ = ["Progress", "Watcher", "line", "use_watcher", "watcher"]

_WINDOW_SECONDS = 20.0
_CONTEXT = Context(prec=30)


@dataclass(slots=True)
class Progress:
    """A job's figures; changed on the engine's loop, read from anywhere.

    Attributes:
        title: The job's name.
        total: Rows in all; None while that is not known.
        kept: Rows that an earlier run had finished.
        done: Rows finished by this run.
        failed: Those of them without an answer, and `invalid` those whose answer has not the form.
        cost: USD the job has cost, earlier runs included.
        spent: USD of this run.
        waiting: Why nothing is sent at the moment; empty otherwise.
        ended: How it ended; empty while it runs.
    """

    title: str
    total: int | None = None
    kept: int = 0
    done: int = 0
    failed: int = 0
    invalid: int = 0
    cost: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    unpriced: bool = False
    waiting: str = ""
    ended: str = ""
    began: float = field(default_factory=time.monotonic)
    _marks: deque[tuple[float, int]] = field(default_factory=deque)

    @property
    def finished(self) -> int:
        """Rows that need not be asked any more."""
        return self.kept + self.done

    @property
    def left(self) -> int | None:
        """Rows still to ask."""
        return None if self.total is None else max(0, self.total - self.finished)

    def mark(self) -> None:
        """Note the time, for the speed."""
        now = time.monotonic()
        if not self._marks or now - self._marks[-1][0] >= 0.2:
            self._marks.append((now, self.done))
            while now - self._marks[0][0] > _WINDOW_SECONDS:
                self._marks.popleft()

    @property
    def rate(self) -> float | None:
        """Rows a second lately."""
        begin, count = self._marks[0] if self._marks else (self.began, 0)
        passed = time.monotonic() - begin
        return (self.done - count) / passed if passed > 0.2 and self.done > count else None

    @property
    def seconds_left(self) -> float | None:
        """How long the rest may take."""
        return self.left / self.rate if self.left is not None and self.rate else None

    @property
    def forecast(self) -> Decimal | None:
        """USD the whole job may come to, by what its rows cost so far."""
        if self.left is None or not self.done or self.unpriced:
            return None
        each = _CONTEXT.divide(self.spent, Decimal(self.done))
        return _CONTEXT.add(self.cost, _CONTEXT.multiply(each, Decimal(self.left)))


def line(progress: Progress) -> str:
    """A job's figures as one line."""
    total = "" if progress.total is None else f" of {progress.total:,}"
    parts = [f"{progress.finished:,}{total} rows"]
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    if progress.invalid:
        parts.append(f"{progress.invalid:,} invalid")
    cost = "cost not known" if progress.unpriced else usd(progress.cost)
    if progress.ended:
        return " · ".join([*parts, cost, progress.ended])
    if (forecast := progress.forecast) is not None and progress.left:
        cost += f", about {usd(forecast)} in the end"
    parts.append(cost)
    if progress.rate:
        parts.append(f"{progress.rate:.1f} rows/s")
    if (left := progress.seconds_left) is not None:
        parts.append(f"{_span(left)} left")
    return " · ".join([*parts, *([progress.waiting] if progress.waiting else [])])


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Watcher(Protocol):
    """Shows a job's progress; called where the user's code waits, ten times a second."""

    def look(self, progress: Progress) -> None:
        """Show it, if it is time to."""
        ...

    def end(self, progress: Progress) -> None:
        """Show it as it is in the end."""
        ...


_maker: Callable[[], Watcher] | None = None


def use_watcher(make: Callable[[], Watcher]) -> None:
    """Show the progress of this process's jobs with what `make` gives for each of them."""
    global _maker  # noqa: PLW0603  # a process has one front end
    _maker = make


def watcher() -> Watcher:
    """What shows the next job's progress; a line in the terminal where no front end has said otherwise."""
    if _maker is None:
        from valechat.rows.terminal import TerminalLine

        return TerminalLine()
    return _maker()
