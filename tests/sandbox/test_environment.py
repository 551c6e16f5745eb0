"""What a server sees of the kernel's environment."""

from __future__ import annotations

import pytest

from valechat.sandbox.environment import minimal_environment

KERNEL = {
    "PATH": "/usr/bin",
    "HOME": "/home/me",
    "LANG": "de_CH.UTF-8",
    "LC_TIME": "en_GB.UTF-8",
    "TMPDIR": "/var/tmp",
    "OPENAI_API_KEY": "sk-canary",
    "AWS_SECRET_ACCESS_KEY": "canary",
    "JPY_API_TOKEN": "canary",
    "PYTHONPATH": "/home/me/lib",
    "LD_PRELOAD": "/lib/hook.so",
    "PROJECT": "valley",
}


def test_what_every_program_needs_is_given() -> None:
    found = minimal_environment(KERNEL, platform="linux")
    assert found == {name: KERNEL[name] for name in ("PATH", "HOME", "LANG", "LC_TIME", "TMPDIR")}


def test_a_variable_asked_for_by_name_is_given() -> None:
    assert minimal_environment(KERNEL, access=["PROJECT"])["PROJECT"] == "valley"


def test_one_that_is_not_set_is_left_out() -> None:
    assert "ABSENT" not in minimal_environment(KERNEL, access=["ABSENT"])


@pytest.mark.parametrize("pattern", ["*", "OPENAI_*", "%", ""])
def test_a_pattern_names_nothing(pattern: str) -> None:
    assert "canary" not in str(minimal_environment(KERNEL, access=[pattern]))


def test_a_proxy_is_given_unless_its_address_holds_a_password() -> None:
    around = {"HTTPS_PROXY": "http://proxy:3128", "http_proxy": "http://me:secret@proxy:3128"}
    assert minimal_environment(around, platform="linux") == {"HTTPS_PROXY": "http://proxy:3128"}
    assert "secret" in minimal_environment(around, access=["http_proxy"], platform="linux")["http_proxy"]


def test_a_function_that_bash_exported_is_left_out() -> None:
    assert minimal_environment({"LC_ALL": "() { :; }; echo harm"}, platform="linux") == {}


def test_windows_programs_get_what_they_need() -> None:
    around = {"SYSTEMROOT": "C:\\Windows", "APPDATA": "C:\\Users\\me", "HOME": "/home/me", "GITHUB_TOKEN": "canary"}
    assert minimal_environment(around, platform="win32") == {
        "SYSTEMROOT": "C:\\Windows",
        "APPDATA": "C:\\Users\\me",
    }
