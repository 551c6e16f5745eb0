from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.warm.processes import command

Run = Callable[..., subprocess.CompletedProcess[str]]

COMMAND = [sys.executable, "-m", "valechat.cli"]
"""The command as its users start it."""


@pytest.fixture
def run(tmp_path: Path, home: Path) -> Run:
    """Runs the command in an empty folder, its imports done; standard input is empty unless given."""
    folder = tmp_path / "work"
    folder.mkdir()
    warm = command("valechat.cli")

    def run(*arguments: str, piped: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*warm, *arguments],
            cwd=folder,
            input=piped,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        sys.stderr.write(done.stderr)  # so that pytest shows it with a failed test
        return done

    return run
