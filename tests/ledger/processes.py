"""Starting `tests.ledger.worker` and listening to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


@contextmanager
def worker(verb: str, folder: Path, name: str = "w") -> Iterator[subprocess.Popen[str]]:
    """A worker process; killed at the end if it still runs."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.worker", verb, str(folder), name],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    """The next line the worker says."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go(process: subprocess.Popen[str]) -> None:
    """Let a worker that waits go on."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()
