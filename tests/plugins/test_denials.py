"""A refusal is found in what servers say, and only what this process itself finds there is offered."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from valechat.paths import Paths
from valechat.plugins.base import Need
from valechat.plugins.config import LocalServer, parse
from valechat.plugins.denials import Denials, suspicious

CLOSED: dict[str, Any] = {"file_read": [], "file_write": [], "network_access": False}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").touch()
    return tmp_path / "data"


def looking(tmp_path: Path, environ: dict[str, str] | None = None, **permissions: Any) -> Denials:
    own = tmp_path / "own"
    server = parse(
        {"id": "fs", "command": "serve", "env": {"HOME": str(tmp_path / "home")}, "permissions": permissions}
    )
    assert isinstance(server, LocalServer)
    return Denials(server, Paths(config=own, data=own, state=own), tells_hosts=True, environ=environ or {})


@pytest.mark.parametrize(
    "said",
    [
        "PermissionError: [Errno 13] Permission denied: '{}'",
        "FileNotFoundError: [Errno 2] No such file or directory: '{}'",
        "Error: EACCES: permission denied, open '{}'",
        "Error: ENOENT: no such file or directory, stat '{}'",
        "cat: {}: No such file or directory",
        "fatal: cannot access '{}': Permission denied",
        "before\nsomething: open {}: permission denied\nafter",
    ],
)
def test_the_file_is_found_in_what_languages_and_programs_say(said: str, tmp_path: Path, folder: Path) -> None:
    file = folder / "a.csv"
    text = said.format(file)
    assert suspicious(text)
    assert looking(tmp_path, **CLOSED).found(text) == [Need("file_read", str(file), "server")]


def test_a_path_in_the_calls_arguments_was_seen_by_the_user(tmp_path: Path, folder: Path) -> None:
    denials, said = looking(tmp_path, **CLOSED), f"No such file or directory: '{folder}/a.csv'"
    assert denials.found(said, f'{{"path": "{folder}"}}')[0].evidence == "call"
    assert denials.found(said, f'{{"path": "{folder}/a"}}')[0].evidence == "server"


def test_what_can_be_read_already_is_offered_for_writing_where_writing_was_refused(
    tmp_path: Path, folder: Path
) -> None:
    denials = looking(tmp_path, file_read=[f"{folder}/**"], file_write=[])
    assert denials.found(f"[Errno 30] Read-only file system: '{folder}/new.csv'") == [
        Need("file_write", str(folder), "server")
    ]
    assert denials.found(f"[Errno 2] No such file or directory: '{folder}/typo.csv'") == []


def test_a_link_is_offered_as_what_it_leads_to_and_not_where_that_is_secret(tmp_path: Path, folder: Path) -> None:
    secret = tmp_path / "home" / ".ssh"
    secret.mkdir(parents=True)
    (folder / "harmless").symlink_to(secret)
    assert looking(tmp_path, **CLOSED).found(f"Permission denied: '{folder}/harmless'") == []


def test_what_is_not_there_is_not_offered(tmp_path: Path) -> None:
    assert looking(tmp_path, **CLOSED).found("Permission denied: '/nowhere/at/all'") == []


def test_without_limits_nothing_is_offered(tmp_path: Path, folder: Path) -> None:
    assert looking(tmp_path).found(f"Permission denied: '{folder}' getaddrinfo ENOTFOUND example.com") == []


def test_a_network_that_is_off_is_offered_by_host_where_one_is_named(tmp_path: Path) -> None:
    denials = looking(tmp_path, **CLOSED)
    assert denials.found("getaddrinfo EAI_AGAIN api.github.com") == [Need("network_access", "api.github.com", "server")]
    assert denials.found("[Errno 101] Network is unreachable") == [Need("network_access", "", "server")]
    assert denials.found("could not resolve host: 127.0.0.1") == []


def test_a_variable_is_offered_only_where_it_is_set_and_no_key(tmp_path: Path) -> None:
    environ = {"GEMINI_API_KEY": "x", "VALECHAT_PASSPHRASE": "x", "JUPYTER_TOKEN": "x", "CARD": "1", "HOME": "/home/me"}
    said = "Missing environment variable: GEMINI_API_KEY VALECHAT_PASSPHRASE JUPYTER_TOKEN CARD HOME UNSET_ONE"
    assert looking(tmp_path, environ).found(said) == [Need("env_access", "CARD", "server")]


def test_a_long_hostile_text_takes_no_time(tmp_path: Path) -> None:
    denials, began = looking(tmp_path, **CLOSED), time.process_time()
    for text in (
        "permission denied " + "/" * 1_000_000,
        "'/a" * 300_000,
        "ENOTFOUND " + "a." * 500_000,
        "A_" * 500_000,
    ):
        suspicious(text)
        denials.found(f"{text} not set No such file")
    assert time.process_time() - began < 2
