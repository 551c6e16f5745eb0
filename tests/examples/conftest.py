"""The example packages, installed as a user installs them, and programs that run beside them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

Run = Callable[..., str]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all examples in it."""
    folder = tmp_path_factory.mktemp("installed")
    packages = [str(path.parent) for path in sorted(EXAMPLES.glob("*/pyproject.toml"))]
    uv = Path(sys.executable).with_name("uv")
    # What builds them is here already, so nothing is fetched.
    command = [str(uv), "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--python", sys.executable]
    subprocess.run([*command, "--target", str(folder), *packages], check=True, timeout=100)
    return folder


@pytest.fixture
def run(installed: Path, home: Path, tmp_path: Path) -> Run:
    """Runs a program where the examples are installed; what it printed."""

    def run(program: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={
                **os.environ,
                "PYTHONPATH": f"{installed}:{EXAMPLES.parent}",
                "VALECHAT_HOME": str(home),
                **environment,
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
