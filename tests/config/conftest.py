from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from valechat.config import Settings, load_settings
from valechat.paths import Paths, user_paths


@pytest.fixture
def paths(home: Path) -> Paths:
    return user_paths()


@pytest.fixture
def load(paths: Paths) -> Callable[[str], Settings]:
    def load(text: str) -> Settings:
        paths.config_file.write_text(text, encoding="utf-8")
        return load_settings(paths)

    return load
