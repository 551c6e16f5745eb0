"""What tests of plugins share: which processes a test left behind, and waiting without sleeping blindly."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

import psutil

from tests.patience import Stopwatch

__all__ = ["MARKER", "described", "eventually", "gone", "marked", "new_marker", "no_process_left", "settled"]

MARKER = "VALECHAT_TEST_MARKER"
"""The environment variable by which a test knows its processes: put it into the definition's `env`."""

GRACE = 2.0
"""Seconds after which no process of a server may be left."""


def new_marker() -> str:
    """A marker that no other test has."""
    return uuid4().hex


def marked(marker: str) -> list[psutil.Process]:
    """All living processes that carry the marker, whoever's children they are by now."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARKER) == marker and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue  # it ended meanwhile, or is somebody else's
    return found


def gone(marker: str, within: float = GRACE) -> list[psutil.Process]:
    """Waits until no process carries the marker; what is left after so many seconds, ideally nothing."""
    watch = Stopwatch()
    while (left := marked(marker)) and not watch.over(within):
        psutil.wait_procs(left, timeout=0.02)
    return left


def settled(marker: str, count: int, within: float = 20) -> list[psutil.Process]:
    """Waits until so many processes carry the marker; those there are then, or after so many seconds.

    One more does for a moment: what stands between a server and its double-forked child, which ends once it is up.
    """
    deadline = time.monotonic() + within
    while len(found := marked(marker)) != count and time.monotonic() < deadline:
        time.sleep(0.02)  # a process tells nobody of its end but its parent
    return found


def described(processes: list[psutil.Process]) -> list[str]:
    """Those of them that still live, as an assertion should show them."""
    said = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                said.append(f"{process.pid}: {' '.join(process.cmdline())}")
    return said


@contextmanager
def no_process_left(within: float = GRACE) -> Iterator[str]:
    """Gives a marker; checks afterwards that its processes are gone, and ends those that are not."""
    marker = new_marker()
    try:
        yield marker
    finally:
        left = gone(marker, within)
        said = described(left)
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
    assert said == []


async def eventually(condition: Callable[[], bool], within: float = 30) -> None:
    """Waits for what tells nobody that it happened: a file, a process of somebody else's."""
    watch = Stopwatch()
    while not condition():
        assert not watch.over(within), f"not true within {within} s"
        await asyncio.sleep(0.02)
