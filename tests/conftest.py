"""No test touches the user's folders, keys, keychain or time zone by accident."""

from __future__ import annotations

import os
from pathlib import Path

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
