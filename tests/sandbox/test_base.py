"""What every platform has: the environment, the limits of one process, and a report that claims nothing more."""

from __future__ import annotations

import os

import pytest

from valechat.plugins.config import Permissions
from valechat.sandbox.base import OPEN_FILES, SUBJECTS, Command, prepare

COMMAND = Command(argv=("/usr/bin/serve", "--stdio"), env={"TOKEN": "its own"}, cwd="/srv")


def test_the_command_and_its_folder_stay_as_they_are() -> None:
    prepared = prepare(COMMAND, None)
    assert (prepared.argv, prepared.cwd) == (COMMAND.argv, "/srv")


def test_its_own_variables_win_over_the_usual_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "C")
    prepared = prepare(Command(("/bin/true",), {"LANG": "fr_FR.UTF-8"}, "/"), None)
    assert prepared.env["LANG"] == "fr_FR.UTF-8"


def test_the_path_of_a_program_found_elsewhere_is_the_servers() -> None:
    prepared = prepare(Command(("/env/bin/npx",), {}, "/", path="/usr/bin:/env/bin"), None)
    assert prepared.env["PATH"] == "/usr/bin:/env/bin"


def test_permissions_name_further_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROJECT", "valley")
    assert "PROJECT" not in prepare(COMMAND, Permissions()).env
    assert prepare(COMMAND, Permissions(env_access=["PROJECT"])).env["PROJECT"] == "valley"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no resource limits")
def test_a_server_dumps_no_core_and_opens_a_bounded_number_of_files() -> None:
    assert prepare(COMMAND, None).limits == {"core": (0, 0), "nofile": (OPEN_FILES, OPEN_FILES)}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no resource limits")
def test_permissions_set_the_limits_of_each_process() -> None:
    limits = prepare(COMMAND, Permissions(open_files=64, memory_mb=100)).limits
    assert (limits["nofile"], limits["data"]) == ((64, 64), (104_857_600, 104_857_600))


@pytest.mark.parametrize("permissions", [None, Permissions(memory_mb=100, file_read=[], network_access=False)])
def test_nothing_is_claimed_that_does_not_hold(permissions: Permissions | None) -> None:
    assert prepare(COMMAND, permissions).report == dict.fromkeys(SUBJECTS, "none")
