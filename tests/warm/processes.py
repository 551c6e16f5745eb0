"""Command lines of Python programs that start at once, forked from a process that has done their imports.

What is started so is a process like any other: its environment, folder, streams, signals and end are its own.
Only what is imported when it begins is not: a test of that starts `python -m` itself.
"""

from __future__ import annotations

import atexit
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

__all__ = ["command"]

ROOT = Path(__file__).parents[2]


def command(module: str) -> list[str]:
    """What to put in the place of `python -m MODULE`; the program's arguments follow it."""
    if sys.platform != "linux":
        return [sys.executable, "-m", module]
    launcher = str(Path(__file__).with_name("launcher.py"))
    return [sys.executable, "-I", "-S", launcher, _server(), module]


@cache
def _server() -> str:
    """The socket of the run's server, which ends with the run."""
    folder = tempfile.TemporaryDirectory(prefix="warm-")
    address = str(Path(folder.name) / "socket")
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.warm.server", address],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    assert server.stdout.readline() == b"up\n"
    server.stdout.close()

    def close() -> None:
        assert server.stdin is not None
        server.stdin.close()
        server.wait(10)
        folder.cleanup()

    atexit.register(close)
    return address
