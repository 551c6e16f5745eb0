"""From measurements to tables: medians, their spread, and ratios taken within each round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

__all__ = ["speeds", "table"]

Rounds = Sequence[Mapping[str, Any]]


def speeds(label: str, rounds: Rounds, floor: Rounds, short: Rounds, events: int) -> list[str]:
    """One line: how fast, and how many times what the floor took in the same round.

    Args:
        label: The line's name.
        rounds: A peer's measurements, one a round.
        floor: Raw httpx's in the same rounds.
        short: Measurements of short answers, for the time to the first piece.
        events: Pieces of text in each answer of `rounds`.
    """
    wall = [one["wall_s"] for one in rounds]
    cpu = [one["cpu_s"] for one in rounds]
    return [
        label,
        f"{events / median(wall):,.0f}",
        _ratio(wall, [one["wall_s"] for one in floor]),
        f"{median(cpu) / events * 1e6:.1f}",
        _ratio(cpu, [one["cpu_s"] for one in floor]),
        _spread([one["first_ms"] for one in short], "{:.1f}"),
    ]


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *lines))


def _ratio(values: Sequence[float], floor: Sequence[float]) -> str:
    return _spread([value / least for value, least in zip(values, floor, strict=True)], "{:.2f}")


def _spread(values: Sequence[float], form: str) -> str:
    """The median, and between which values all lie."""
    return f"{form.format(median(values))} ({form.format(min(values))}–{form.format(max(values))})"
