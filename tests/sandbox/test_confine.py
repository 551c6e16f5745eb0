"""What is started for which permissions, and what is refused rather than pretended."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.sandbox.confinement import Allowed, canary, program, said
from valechat.errors import ConfigError
from valechat.sandbox import bubblewrap, landlock
from valechat.sandbox.base import Command, Prepared
from valechat.sandbox.confine import asked, confine

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tried with what Linux has")

EVERYTHING_OFF = Allowed(file_read=[], file_write=[], network_access=False)


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def without_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "unavailable", lambda: "bubblewrap is not installed")


@pytest.fixture
def without_anything(monkeypatch: pytest.MonkeyPatch, without_bubblewrap: None) -> None:
    monkeypatch.setattr(landlock, "unavailable", lambda: "Landlock is switched off")


def confined(allowed: Allowed | None, temporary: Path, code: str = "", *, degraded: bool = False) -> Prepared:
    command = Command(program(code), {}, str(temporary))
    return confine(command, allowed, temporary=temporary, allow_degraded=degraded)


def test_a_server_without_permissions_is_started_as_it_is(temporary: Path) -> None:
    prepared = confined(None, temporary)
    assert prepared.argv[0] == sys.executable
    assert set(prepared.report.values()) == {"none"}


def test_bubblewrap_comes_first(temporary: Path) -> None:
    assert confined(EVERYTHING_OFF, temporary).argv[0].endswith("/bwrap")


def test_without_bubblewrap_landlock_holds(temporary: Path, tmp_path: Path, without_bubblewrap: None) -> None:
    prepared = confined(EVERYTHING_OFF, temporary, f"open({str(canary(tmp_path))!r})")
    assert prepared.report["files"] == prepared.report["network"] == "enforced"
    assert "PermissionError" in said(prepared)


def test_without_either_it_is_not_started_and_the_error_says_why_and_what_to_do(
    temporary: Path, without_anything: None
) -> None:
    with pytest.raises(ConfigError) as refused:
        confined(EVERYTHING_OFF, temporary)
    assert refused.value.message == (
        "This system cannot hold the server to its permissions for files and network: "
        "bubblewrap is not installed, and Landlock is switched off."
    )
    assert refused.value.fix == (
        "Install bubblewrap (`sudo apt-get install bubblewrap`), "
        "or set `allow_degraded` to true to start it all the same."
    )


def test_it_is_started_all_the_same_where_the_user_allowed_it_and_the_report_says_so(
    temporary: Path, without_anything: None
) -> None:
    prepared = confined(EVERYTHING_OFF, temporary, "print('ran')", degraded=True)
    assert (prepared.report["files"], prepared.report["network"]) == ("none", "none")
    assert said(prepared) == "ran"


def test_what_only_a_watchdog_sees_is_called_watched(temporary: Path) -> None:
    report = confined(Allowed(memory_mb=100, cpu_percent=50), temporary).report
    assert (report["memory"], report["cpu"], report["files"]) == ("watched", "watched", "none")


def test_single_hosts_without_a_proxy_are_refused_rather_than_pretended(temporary: Path) -> None:
    with pytest.raises(ConfigError, match="Telling hosts apart needs Linux with bubblewrap"):
        confined(Allowed(network_access=["example.com"]), temporary)


@pytest.mark.parametrize(
    ("allowed", "subjects"),
    [
        (Allowed(), []),
        (Allowed(network_access=True), []),
        (Allowed(file_write=[]), ["files"]),
        (Allowed(network_access=[]), ["network"]),
        (Allowed(memory_mb=1, cpu_percent=1, processes=1), ["memory", "cpu", "processes"]),
    ],
)
def test_a_subject_is_asked_for_when_its_permission_limits_it(allowed: Allowed, subjects: list[str]) -> None:
    assert asked(allowed) == subjects
