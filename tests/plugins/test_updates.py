from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import pytest

from valechat.plugins.config import Definition, parse
from valechat.plugins.offer import Package
from valechat.plugins.updates import newest_version, package_of, updated_args, updates


def plugin(command: str, *args: str, id: str = "a") -> Definition:  # noqa: A002 - the field's name
    return parse(
        {"id": id, "command": command, "args": args and list(args)} if args else {"id": id, "command": command}
    )


@pytest.mark.parametrize(
    ("definition", "package"),
    [
        (plugin("npx", "-y", "@scope/server@1.2.3", "/x"), ("npm", "@scope/server", "1.2.3")),
        (plugin("npx", "server@1.0.0-beta.1"), ("npm", "server", "1.0.0-beta.1")),
        (plugin("uvx", "mcp-server-git@2026.10.19"), ("pypi", "mcp-server-git", "2026.10.19")),
        (plugin("uvx", "--from", "thing[all]==2.0", "run-it"), ("pypi", "thing", "2.0")),
        (
            plugin("uvx", "--with", "mcp==1.0", "mcp-server-sqlite@2025.4.25"),
            ("pypi", "mcp-server-sqlite", "2025.4.25"),
        ),
    ],
)
def test_the_version_a_plugin_runs_is_read_from_its_arguments(
    definition: Definition, package: tuple[str, str, str]
) -> None:
    found = package_of(definition)
    assert found is not None
    assert (found.registry, found.name, found.version) == package
    assert updated_args(definition, "9.9")[0:] != getattr(definition, "args", [])
    assert any(argument.endswith("9.9") for argument in updated_args(definition, "9.9"))


@pytest.mark.parametrize(
    "definition",
    [
        plugin("npx", "-y", "@scope/server"),
        plugin("npx", "server@latest"),
        plugin("node", "server@1.0"),
        plugin("docker", "run", "image@1.0"),
        plugin("uvx"),
        parse({"id": "a", "url": "https://example.com/x@1.0"}),
    ],
)
def test_where_no_version_is_written_down_there_is_none(definition: Definition) -> None:
    assert package_of(definition) is None
    with pytest.raises(ValueError, match="no version"):
        updated_args(definition, "9.9")


@pytest.fixture
def registries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An `npm` and a `uv` that know one package each and write down what they were asked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    scripts = {
        "npm": 'echo "npm $*" >> {log}\ncase "$*" in *known*) echo \'"2.0.0"\';; *) echo oops; exit 1;; esac',
        "uv": 'read name\necho "uv $* $name" >> {log}\n[ "$name" = known ] && echo "known==1.0" || exit 1',
    }
    for name, body in scripts.items():
        script = folder / name
        script.write_text(f"#!/bin/sh\n{body}\n".replace("{log}", str(tmp_path / "log")))
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    return tmp_path / "log"


async def test_only_what_is_newer_is_told_and_each_package_is_asked_for_once(registries: Path) -> None:
    found = await updates(
        [
            plugin("npx", "known@1.9.9", id="older"),
            plugin("npx", "known@1.0.0", id="oldest"),
            plugin("npx", "known@2.0.0", id="same"),
            plugin("npx", "known@3.0.0", id="ahead"),
            plugin("npx", "absent@1.0.0", id="absent"),
            plugin("uvx", "known@0.9", id="python"),
            plugin("uvx", "known@1.0", id="current"),
        ]
    )
    assert [(update.plugin, update.newest) for update in found] == [
        ("older", "2.0.0"),
        ("oldest", "2.0.0"),
        ("python", "1.0"),
    ]
    assert sorted(line.split()[0] for line in registries.read_text().splitlines()) == ["npm", "npm", "uv"]


@pytest.mark.parametrize("registry", ["npm", "pypi"])
async def test_without_the_client_nothing_is_known(registry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("valechat.plugins.transports.programs.shutil.which", lambda *_, **__: None)
    assert await newest_version(Package(registry=registry, name="known", version="1")) is None


async def test_a_registry_that_does_not_answer_is_given_up_and_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "npm"
    script.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert await newest_version(Package(registry="npm", name="x", version="1"), timeout=2) is None
    pid = int((tmp_path / "pid").read_text())
    assert not psutil.pid_exists(pid)
