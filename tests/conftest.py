"""No test touches the user's folders, keys, keychain or time zone by accident."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder of the test's own, with no keys in the environment and no keychain."""
    folder = tmp_path / "valechat-home"
    folder.mkdir()
    for name in list(os.environ):
        if name.endswith("_API_KEY") or name.startswith("VALECHAT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("VALECHAT_HOME", str(folder))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    return folder


@pytest.fixture
async def time_that_only_sleep_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's loop has a clock that stands still but where all wait, and then jumps to what is due first.

    So a test of time limits is exact, however busy the machine is. For tests that wait for nothing else than time.
    """
    loop: Any = asyncio.get_running_loop()
    now, select = loop.time(), loop._selector.select

    def jump(timeout: float | None) -> Any:
        nonlocal now
        found = select(None if timeout is None else 0)
        if not found and timeout:
            now += timeout + 1e-6
        return found

    monkeypatch.setattr(loop, "time", lambda: now)
    monkeypatch.setattr(loop._selector, "select", jump)
