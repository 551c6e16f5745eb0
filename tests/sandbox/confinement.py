"""Runs a few lines of Python inside a confinement, and says what came of them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from valechat.sandbox.base import Prepared

PREAMBLE = "import os, signal, socket, sys, ctypes\n"


@dataclass(frozen=True)
class Allowed:
    """Permissions; what is left out is not limited."""

    file_read: list[str] | None = None
    file_write: list[str] | None = None
    network_access: bool | list[str] | None = None
    env_access: list[str] | None = None
    memory_mb: float | None = None
    cpu_percent: float | None = None
    open_files: int | None = None
    processes: int | None = None
    wall_seconds: float | None = None


def program(code: str) -> tuple[str, ...]:
    """The command line for some code, with the interpreter that runs the tests."""
    return (sys.executable, "-I", "-c", PREAMBLE + code)


def said(prepared: Prepared, timeout: float = 30) -> str:
    """What the program printed, or the last line of its error."""
    done = subprocess.run(
        prepared.argv,
        env=dict(prepared.env),
        cwd=prepared.cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
    return lines[-1] if lines else f"exit {done.returncode}"


def canary(folder: Path) -> Path:
    """A file that must not be read."""
    file = folder / "secret.txt"
    file.write_text("canary")
    return file
