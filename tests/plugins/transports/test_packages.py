"""What `npx` and `uvx` commands run, and that real servers run confined from where they were installed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.sandbox.confinement import Allowed
from valechat.errors import ConfigError, PluginError
from valechat.plugins.transports.packages import Package, installed, named
from valechat.sandbox import bubblewrap
from valechat.sandbox.base import Command
from valechat.sandbox.confine import confine

HELLO = (
    b'{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", '
    b'"capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}\n'
)
ENVIRONMENT: Mapping[str, str] = os.environ


@pytest.mark.parametrize(
    ("line", "package"),
    [
        ("npx -y @scope/server /data --flag", Package("npm", ("@scope/server",), "", ("/data", "--flag"))),
        ("npx server@1.2.3", Package("npm", ("server@1.2.3",), "", ())),
        ("npx --yes --package=server@1 -p other tool a", Package("npm", ("server@1", "other"), "tool", ("a",))),
        ("/usr/bin/npx.cmd -y server", Package("npm", ("server",), "", ())),
        (
            "uvx mcp-server-git --repository .",
            Package("uv", ("mcp-server-git",), "mcp-server-git", ("--repository", ".")),
        ),
        ("uvx tool@1.2", Package("uv", ("tool==1.2",), "tool", ())),
        ("uvx tool@latest", Package("uv", ("tool",), "tool", ())),
        ("uvx --from package==2 --with mcp<2 tool", Package("uv", ("package==2", "mcp<2"), "tool", ())),
        ("uvx --python=3.12 tool", Package("uv", ("tool",), "tool", (), "3.12")),
        ("uv tool run tool x", Package("uv", ("tool",), "tool", ("x",))),
    ],
)
def test_a_command_names_its_package(line: str, package: Package) -> None:
    command, *arguments = line.split()
    assert named(command, arguments) == package


@pytest.mark.parametrize(
    "line", ["node server.js", "npx --unknown server", "npx", "uvx --offline tool", "uv run server.py"]
)
def test_a_command_that_is_not_understood_is_left_as_it_is(line: str) -> None:
    command, *arguments = line.split()
    assert named(command, arguments) is None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("servers")


@pytest.mark.slow
@pytest.mark.skipif(bool(bubblewrap.unavailable()), reason=bubblewrap.unavailable())
@pytest.mark.parametrize("line", ["npx -y @modelcontextprotocol/server-filesystem {data}", "uvx mcp-server-time"])
async def test_a_real_server_runs_without_network_and_with_one_folder_to_read(
    folder: Path, tmp_path: Path, line: str
) -> None:
    package = named(line.split(maxsplit=1)[0], line.format(data=tmp_path).split()[1:])
    assert package is not None
    said: list[str] = []
    argv, place = await installed(package, folder, ENVIRONMENT, said.append)
    again, _ = await installed(package, folder, ENVIRONMENT, said.append)
    assert again == argv
    assert len(said) == 1  # installed once
    allowed = Allowed(file_read=[str(tmp_path)], file_write=[], network_access=False)
    command = Command(argv, {}, str(tmp_path), code=(str(place),))
    prepared = confine(command, allowed, temporary=tmp_path)
    done = subprocess.run(
        prepared.argv,
        env=dict(prepared.env),
        cwd=prepared.cwd,
        input=HELLO,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b'"serverInfo"' in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("line", ["npx -y valechat-no-such-package-9f3", "uvx valechat-no-such-package-9f3"])
async def test_a_package_that_does_not_exist_leaves_nothing_behind(folder: Path, line: str) -> None:
    command, *arguments = line.split()
    package = named(command, arguments)
    assert package is not None
    before = set(folder.iterdir())
    with pytest.raises(PluginError, match="valechat-no-such-package-9f3 could not be installed: "):
        await installed(package, folder, ENVIRONMENT, lambda _: None)
    assert set(folder.iterdir()) == before


@pytest.mark.slow
async def test_a_package_without_the_program_says_which_it_has(folder: Path) -> None:
    package = Package("npm", ("@modelcontextprotocol/server-filesystem",), "no-such-program", ())
    with pytest.raises(ConfigError) as failed:
        await installed(package, folder, ENVIRONMENT, lambda _: None)
    assert failed.value.fix == "It has: mcp-server-filesystem."


async def test_without_the_installing_program_the_error_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(ConfigError, match="npm is needed to install the server") as failed:
        await installed(Package("npm", ("other",), "", ()), folder, {"PATH": "/nowhere"}, lambda _: None)
    assert "nodejs.org" in failed.value.fix
