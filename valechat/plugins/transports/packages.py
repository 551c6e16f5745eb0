"""`npx` and `uvx` for a server that is confined: the package is installed outside, and run from there.

Confined, neither could fetch anything or write its cache. So the package goes into a folder of its own
among the user's data, without running any script of it (`--ignore-scripts`; no building of source
distributions), and the server is started from that folder, which it can read and not write.

A command that is understood only in part is left as it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from valechat.errors import ConfigError, PluginError

__all__ = ["Package", "installed", "named"]

SECONDS = 300.0
"""How long an installation may take."""

NPX_SWITCHES = {"-y", "--yes", "-q", "--quiet"}
UVX_SWITCHES = {"-q", "--quiet", "--no-progress"}


@dataclass(frozen=True, slots=True)
class Package:
    """What an `npx` or `uvx` command runs.

    Attributes:
        manager: `npm` or `uv`.
        install: What is installed: names with versions, the one that brings the program first.
        program: The program's name; empty for the only one the package has.
        arguments: The server's own.
        python: The Python version asked for, if any.
    """

    manager: str
    install: tuple[str, ...]
    program: str
    arguments: tuple[str, ...]
    python: str = ""


def named(command: str, arguments: Sequence[str]) -> Package | None:
    """The package a command line runs; None where it is no `npx` or `uvx`, or uses an option unknown here."""
    name = Path(command).name.lower().removesuffix(".cmd").removesuffix(".exe")
    words = list(arguments)
    if name == "npx":
        return _npx(words)
    if name == "uvx":
        return _uvx(words)
    if name == "uv" and words[:2] == ["tool", "run"]:
        return _uvx(words[2:])
    return None


def _npx(words: list[str]) -> Package | None:
    wanted: list[str] = []
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word in NPX_SWITCHES:
            continue
        if word in ("-p", "--package") and words:
            wanted.append(words.pop(0))
        elif word.startswith("--package="):
            wanted.append(word.partition("=")[2])
        elif word == "--":
            break
        else:
            return None
    if not words:
        return None
    program, *arguments = words
    return Package("npm", tuple(wanted) or (program,), program if wanted else "", tuple(arguments))


def _uvx(words: list[str]) -> Package | None:
    source, besides, python = "", [], ""
    while words and words[0].startswith("-"):
        option, equals, value = words.pop(0).partition("=")
        if option in UVX_SWITCHES:
            continue
        if option not in ("--from", "--with", "-w", "--python", "-p") or not (equals or words):
            return None
        value = value if equals else words.pop(0)
        if option == "--from":
            source = value
        elif option in ("--python", "-p"):
            python = value
        else:
            besides.append(value)
    if not words:
        return None
    program, *arguments = words
    tool, _, version = program.partition("@")
    requirement = source or (f"{tool}=={version}" if version and version != "latest" else tool)
    return Package("uv", (requirement, *besides), tool, tuple(arguments), python)


async def installed(
    package: Package, folder: Path, env: Mapping[str, str], log: Callable[[str], None]
) -> tuple[tuple[str, ...], Path]:
    """The command line that runs the package from where it is installed, and that place; installs it if need be.

    Args:
        package: What to install.
        folder: Where installations are kept.
        env: For the installing program: registries, proxies, `PATH`.
        log: Takes a sentence for the plugin's log.

    Raises:
        ConfigError: npm or uv is missing, or the package has no program of that name.
        PluginError: It could not be installed; the last lines say why.
    """
    place = folder / f"{package.manager}-{_key(package)}"
    if not place.is_dir():
        log(f"Installing {', '.join(package.install)} with {package.manager}, to run it confined.")
        await asyncio.to_thread(_install_beside, package, place, env)
    command = _npm_program(package, place, env) if package.manager == "npm" else _uv_program(package, place)
    return (*command, *package.arguments), place


def _key(package: Package) -> str:
    return hashlib.sha256(json.dumps([package.install, package.python]).encode()).hexdigest()[:16]


def _install_beside(package: Package, place: Path, env: Mapping[str, str]) -> None:
    """Into a folder beside, which takes its name when it is whole: the first of several that install wins."""
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=place.parent, ignore_cleanup_errors=True) as beside:
        new = Path(beside) / "package"
        for command in _commands(package, new, env):
            _run(command, env, package)
        with contextlib.suppress(OSError):
            new.rename(place)
    if not place.is_dir():
        raise PluginError(
            f"{package.install[0]} could not be moved to {place}.", fix="Look at the folder's permissions."
        )


def _commands(package: Package, place: Path, env: Mapping[str, str]) -> list[list[str]]:
    if package.manager == "npm":
        npm = _tool("npm", env, "Install Node.js, which brings it: https://nodejs.org")
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
        return [[npm, "install", "--prefix", str(place), *quiet, *package.install]]
    uv = _tool("uv", env, "Install uv: pip install uv")
    python = ["--python", package.python] if package.python else []
    return [
        [uv, "venv", "--quiet", "--no-project", "--relocatable", *python, str(place)],
        [uv, "pip", "install", "--quiet", "--no-build", "--python", str(_uv_python(place)), *package.install],
    ]


def _run(command: list[str], env: Mapping[str, str], package: Package) -> None:
    try:
        done = subprocess.run(
            command,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PluginError(
            f"{package.install[0]} was not installed within {SECONDS:.0f} s.",
            fix="Look at the network, and restart it.",
        ) from None
    if done.returncode != 0:
        said = " ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-4:])
        raise PluginError(f"{package.install[0]} could not be installed: {said}")


def _tool(name: str, env: Mapping[str, str], fix: str) -> str:
    beside = os.pathsep.join([env.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    found = shutil.which(name, path=beside)
    if found is None:
        raise ConfigError(f"{name} is needed to install the server, and is not there.", fix=fix)
    return found


def _npm_program(package: Package, place: Path, env: Mapping[str, str]) -> list[str]:
    node = _tool("node", env, "Install Node.js: https://nodejs.org")
    folder = place / "node_modules" / _npm_name(package.install[0])
    programs = json.loads((folder / "package.json").read_text()).get("bin", {})
    if isinstance(programs, str):
        programs = {folder.name: programs}
    wanted = package.program or (folder.name if folder.name in programs else next(iter(programs), ""))
    if wanted not in programs:
        raise ConfigError(
            f"{package.install[0]} has no program {wanted}." if wanted else f"{package.install[0]} has no program.",
            fix=f"It has: {', '.join(programs)}." if programs else "It is a library; is its name right?",
        )
    return [node, str(folder / programs[wanted])]


def _npm_name(spec: str) -> str:
    """`@scope/name@1.2` without the version."""
    at = spec.find("@", 1)
    return spec if at < 0 else spec[:at]


def _uv_program(package: Package, place: Path) -> list[str]:
    scripts = place / ("Scripts" if sys.platform == "win32" else "bin")
    program = scripts / (f"{package.program}.exe" if sys.platform == "win32" else package.program)
    if not program.is_file():
        raise ConfigError(
            f"{package.install[0]} has no program {package.program}.",
            fix="Write `--from PACKAGE PROGRAM` where the two have different names.",
        )
    return [str(_uv_python(place)), str(program)]


def _uv_python(place: Path) -> Path:
    return place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
