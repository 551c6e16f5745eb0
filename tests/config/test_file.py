from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from valechat.config import SettingsFile
from valechat.errors import ConfigError
from valechat.paths import Paths


def test_a_limit_edited_by_hand_counts_the_next_time(paths: Paths) -> None:
    file = SettingsFile(paths)
    assert file.current().limits.daily is None
    paths.config_file.write_text('[limits]\ndaily = "5"\n')
    assert file.current().limits.daily == Decimal(5)


def test_a_change_of_the_same_length_is_noticed(paths: Paths) -> None:
    paths.config_file.write_text('[limits]\ndaily = "5"\n')
    file = SettingsFile(paths)
    assert file.current().limits.daily == Decimal(5)
    paths.config_file.write_text('[limits]\ndaily = "6"\n')
    later = paths.config_file.stat().st_mtime_ns + 1_000_000
    os.utime(paths.config_file, ns=(later, later))
    assert file.current().limits.daily == Decimal(6)


def test_an_unchanged_file_is_not_read_again(paths: Paths) -> None:
    paths.config_file.write_text('[limits]\ndaily = "5"\n')
    file = SettingsFile(paths)
    assert file.current() is file.current()


def test_a_file_that_breaks_is_an_error_until_it_is_mended(paths: Paths) -> None:
    file = SettingsFile(paths)
    file.current()
    paths.config_file.write_text("[limits\n")
    for _ in range(2):
        with pytest.raises(ConfigError, match="line 1"):
            file.current()
    paths.config_file.write_text('[limits]\ndaily = "1"\n')
    assert file.current().limits.daily == Decimal(1)


def test_a_project_file_that_appears_counts_the_next_time(paths: Paths, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    file = SettingsFile(paths, project=folder)
    assert file.current().limits.daily is None
    (folder / ".valechat.toml").write_text('[limits]\ndaily = "1"\n')
    assert file.current().limits.daily == Decimal(1)
