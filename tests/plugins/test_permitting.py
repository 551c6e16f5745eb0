"""One permission more or less in an entry: exactly what was shown, and nothing that could stand for more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from valechat.errors import ConfigError
from valechat.paths import Paths
from valechat.plugins.base import Permit
from valechat.plugins.config import LocalServer, parse
from valechat.plugins.permitting import covered, entries, host_entry, narrowed, offerable, widened


def server(**permissions: Any) -> LocalServer:
    found = parse({"id": "fs", "command": "serve", "permissions": permissions})
    assert isinstance(found, LocalServer)
    return found


def test_a_folder_stands_for_all_below_it_and_a_file_for_itself(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    assert widened(server(file_read=[]), "file_read", str(tmp_path))["permissions"]["file_read"] == [f"{tmp_path}/**"]
    one = widened(server(file_read=[]), "file_read", f"{tmp_path}/a.txt")
    assert one["permissions"]["file_read"] == [f"{tmp_path}/a.txt"]


def test_a_name_that_looks_like_a_pattern_stands_for_itself_alone(tmp_path: Path) -> None:
    for name in ("a*", "ab", "[ab]*"):
        (tmp_path / name).touch()
    (entry,) = widened(server(file_read=[]), "file_read", f"{tmp_path}/a*")["permissions"]["file_read"]
    assert covered(tmp_path / "a*", [entry])
    assert not covered(tmp_path / "ab", [entry])


def test_a_link_is_granted_as_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    found = widened(server(file_read=[]), "file_read", f"{tmp_path}/link/../link")
    assert found["permissions"]["file_read"] == [f"{tmp_path}/real/**"]


@pytest.mark.parametrize("value", ["${HOME}", "/nowhere/at/all", "relative", "~/notes", "/tmp\u202e", ""])
def test_no_variable_nothing_relative_and_nothing_unseen_is_granted_as_a_path(value: str) -> None:
    with pytest.raises(ConfigError):
        widened(server(file_read=[]), "file_read", value)


LOCAL = ("localhost:80", "127.0.0.1:8888", "[::1]:80", "10.0.0.5:443", "169.254.169.254:80", "intranet:80")
NO_HOSTS = ("*.com:443", "*", "a b.com:1", "x.com:0", "x.com:99999", "evil.com/..", "-a.com", "2130706433:80")


@pytest.mark.parametrize("host", [*LOCAL, *NO_HOSTS])
def test_no_pattern_and_nothing_of_the_local_network_is_granted_as_a_host(host: str) -> None:
    with pytest.raises(ConfigError):
        host_entry(host)


def test_a_host_is_granted_with_its_port() -> None:
    assert host_entry("API.github.com:443") == "api.github.com:443"


def test_what_may_be_done_already_is_no_permission_more(tmp_path: Path) -> None:
    given: dict[Permit, str] = {"file_read": str(tmp_path), "file_write": str(tmp_path), "network_access": ""}
    for permit, value in given.items():
        with pytest.raises(ConfigError, match="already"):
            widened(server(), permit, value)


GRANTED: list[tuple[dict[str, Any], Permit, str, Any]] = [
    ({"file_read": ["/a", "/b"]}, "file_read", "/a", ["/b"]),
    ({"file_write": ["~/x/**"]}, "file_write", "~/x/**", []),
    ({"network_access": ["a.com", "b.com"]}, "network_access", "b.com", ["a.com"]),
    ({"network_access": True}, "network_access", "", False),
    ({"env_access": ["LANG"]}, "env_access", "LANG", []),
]


@pytest.mark.parametrize(("before", "permit", "value", "after"), GRANTED)
def test_each_permission_can_be_taken_back(before: dict[str, Any], permit: Permit, value: str, after: object) -> None:
    assert (permit, value) in entries(server(**before))
    assert narrowed(server(**before), permit, value)["permissions"][permit] == after


def test_what_is_kept_secret_is_not_offered(tmp_path: Path) -> None:
    home, own = tmp_path / "home", tmp_path / "valechat"
    paths = Paths(config=own, data=own, state=own / "state")
    refused = ["/", "/etc/passwd", "/proc/1/environ", "/usr", "/dev/sda", "/run/docker.sock"]
    refused += [str(home), str(tmp_path), str(own), str(own / "keys.enc")]
    refused += [str(home / hidden) for hidden in (".ssh/id_rsa", ".bashrc", ".config/x", ".aws")]
    assert [path for path in refused if offerable(Path(path), paths, home)] == []
    offered = [home / "projects", home / "projects" / ".git", home / ".cache" / "uv", Path("/data/set")]
    assert [path for path in offered if not offerable(path, paths, home)] == []
