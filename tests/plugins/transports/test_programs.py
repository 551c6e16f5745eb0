"""Where a command is found, and what is said when it is not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from valechat.errors import InvalidCommand
from valechat.plugins.transports.programs import find_program


def program(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def found(command: str, cwd: Path, **env: str) -> tuple[str, str | None]:
    return find_program(command, plugin="git", env=env, cwd=str(cwd))


def test_a_name_is_looked_up_in_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    there = program(tmp_path / "serve")
    assert found("serve", tmp_path) == (there, None)


def test_the_definitions_own_path_counts(tmp_path: Path) -> None:
    there = program(tmp_path / "own" / "serve")
    assert found("serve", tmp_path, PATH=str(tmp_path / "own")) == (there, None)


def test_a_relative_path_starts_from_the_servers_folder(tmp_path: Path) -> None:
    there = program(tmp_path / "bin" / "serve")
    assert found("bin/serve", tmp_path) == (there, None)


def test_a_path_is_not_followed_to_what_it_links_to(tmp_path: Path) -> None:
    there = tmp_path / "npx"
    there.symlink_to(program(tmp_path / "npx-cli.js"))
    assert found(str(there), tmp_path) == (str(there), None)


def test_a_program_beside_python_is_found_and_its_folder_put_on_the_servers_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = program(tmp_path / "env" / "npx")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "env" / "python"))
    monkeypatch.setenv("PATH", "/nowhere")
    assert found("npx", tmp_path) == (there, os.pathsep.join(["/nowhere", str(tmp_path / "env")]))


@pytest.mark.parametrize(
    ("command", "how"),
    [
        ("npx", "Install Node.js"),
        ("npx.cmd", "Install Node.js"),
        ("node", "Install Node.js"),
        ("uvx", "pip install uv"),
        ("docker", "Install Docker"),
        ("serve-this", "write its full path"),
    ],
)
def test_a_missing_program_is_named_with_how_to_install_it(
    command: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("valechat.plugins.transports.programs._further", lambda: [tmp_path])
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InvalidCommand, match=f"git needs the program {command}, which is not installed") as raised:
        found(command, tmp_path)
    assert how in raised.value.fix
    assert raised.value.plugin == "git"


def test_a_path_to_nothing_is_told_from_a_file_that_may_not_be_run(tmp_path: Path) -> None:
    with pytest.raises(InvalidCommand, match="there is no program"):
        found(str(tmp_path / "absent"), tmp_path)
    (tmp_path / "text").write_text("no program")
    with pytest.raises(InvalidCommand, match="may not be run") as raised:
        found(str(tmp_path / "text"), tmp_path)
    assert "chmod +x" in raised.value.fix
