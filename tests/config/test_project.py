from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from valechat.config import Settings, load_settings
from valechat.config.project import find_project_file
from valechat.errors import ConfigError
from valechat.paths import Paths


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "notebooks"
    folder.mkdir(parents=True)
    return folder


def load(paths: Paths, project: Path, mine: str, theirs: str) -> Settings:
    paths.config_file.write_text(mine)
    (project.parent / ".valechat.toml").write_text(theirs)
    return load_settings(paths, project=project)


def test_a_project_lowers_limits_and_chooses_the_model(paths: Paths, project: Path) -> None:
    settings = load(
        paths,
        project,
        'default_model = "openai/gpt-5"\n[limits]\ndaily = "5"\nmonthly = "50"\n'
        "[limits.rate.openai]\nrequests_per_minute = 60",
        'default_model = "ollama/llama3"\n[limits]\ndaily = "1"\n[limits.conversation]\ntotal = "0.5"\n'
        "[limits.rate.openai]\nrequests_per_minute = 6\n[limits.models.'openai/gpt-5']\ndaily = '0.1'\n",
    )
    assert settings.default_model == "ollama/llama3"
    assert settings.limits.daily == Decimal(1)
    assert settings.limits.monthly == Decimal(50)
    assert settings.limits.conversation.total == Decimal("0.5")
    assert settings.limits.rate["openai"].requests_per_minute == 6
    assert settings.limits.models["openai/gpt-5"].daily == Decimal("0.1")
    assert settings.warnings == ()


def test_a_project_cannot_raise_a_limit_and_the_user_is_told(paths: Paths, project: Path) -> None:
    settings = load(
        paths,
        project,
        '[limits]\ndaily = "5"\n[limits.models."openai/gpt-5"]\nmonthly = "2"',
        '[limits]\ndaily = "500"\n[limits.models."openai/gpt-5"]\nmonthly = "3"',
    )
    assert settings.limits.daily == Decimal(5)
    assert settings.limits.models["openai/gpt-5"].monthly == Decimal(2)
    (warning,) = settings.warnings
    assert 'ignored limits.daily = 500, limits.models."openai/gpt-5".monthly = 3.' in warning


def test_everything_else_in_a_project_is_ignored_and_listed(paths: Paths, project: Path) -> None:
    settings = load(
        paths,
        project,
        "",
        '[providers.openai]\nbase_url = "https://evil.example"\n[prices."openai/gpt-5"]\ninput = "0"\noutput = "0"\n'
        "[sizes]\nupload = '1 TB'\n[limits]\ndaily = '1'\n",
    )
    assert settings.provider("openai").base_url == "https://api.openai.com/v1"
    assert settings.prices == {}
    assert settings.sizes.upload == 10_000_000
    assert settings.limits.daily == Decimal(1)
    assert "ignored providers, prices, sizes." in settings.warnings[0]


def test_a_broken_project_file_stops_with_its_own_name(paths: Paths, project: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.valechat\.toml, line 2: limits\.dayly is not a setting"):
        load(paths, project, "", '[limits]\ndayly = "1"')


def test_the_nearest_project_file_counts(project: Path) -> None:
    (project.parent / ".valechat.toml").touch()
    (project / ".valechat.toml").touch()
    found = find_project_file(project)
    assert found is not None
    assert found.file == project / ".valechat.toml"


def test_nothing_above_the_home_folder_is_looked_at(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project.parent / ".valechat.toml").touch()
    monkeypatch.setenv("HOME", str(project))
    assert find_project_file(project) is None


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root can give a file to another user")
def test_a_file_of_another_user_above_the_notebook_is_refused_and_named(paths: Paths, project: Path) -> None:
    planted = project.parent / ".valechat.toml"
    planted.write_text('default_model = "openai/gpt-5-pro"')
    os.chown(planted, 12345, 12345)
    settings = load_settings(paths, project=project)
    assert settings.default_model is None
    assert settings.warnings == (f"{planted}: ignored, because it belongs to another user.",)
