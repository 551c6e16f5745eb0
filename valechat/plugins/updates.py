"""Whether the package a plugin runs has a newer version.

The registry is asked through its own client, `npm view` and `uv pip compile`, so that the user's own
registry, proxy and certificates are used. Without the client or the network nothing is known, which is
no error.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

from valechat.errors import InvalidCommand
from valechat.plugins.definition import Definition, LocalServer
from valechat.plugins.offer import Package
from valechat.plugins.transports.programs import find_program

__all__ = ["Update", "newest_version", "package_of", "updated_args", "updates"]

PATIENCE = 20.0
"""Seconds a registry may take."""

_NPM = re.compile(r"((?:@[a-z0-9._~-]+/)?[a-z0-9._~-]+)@(\d[\w.+-]*)", re.ASCII)
_PYPI = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?(?:@|==)(\d[\w.!+]*)", re.ASCII)
_CLIENTS = {
    **dict.fromkeys(("npx", "npx.cmd", "bunx"), ("npm", _NPM)),
    **dict.fromkeys(("uvx", "uvx.exe", "pipx"), ("pypi", _PYPI)),
}


@dataclass(frozen=True, slots=True)
class Update:
    """A newer version of what a plugin runs.

    Attributes:
        plugin: The plugin's id.
        package: What it runs now.
        newest: The newest version there is.
    """

    plugin: str
    package: Package
    newest: str


async def updates(definitions: Iterable[Definition], *, timeout: float = PATIENCE) -> list[Update]:
    """What is newer than what these plugins run; those whose version is not written down are left out.

    Args:
        definitions: The plugins.
        timeout: Seconds a registry may take; without an answer nothing is known of that package.
    """
    pinned = [(it.id, package) for it in definitions if (package := package_of(it)) is not None]
    asked = list(dict.fromkeys((package.registry, package.name) for _, package in pinned))
    answers = await asyncio.gather(*(_newest(registry, name, timeout) for registry, name in asked))
    newest = dict(zip(asked, answers, strict=True))
    found = ((plugin, package, newest[package.registry, package.name]) for plugin, package in pinned)
    return [Update(plugin, package, new) for plugin, package, new in found if new and _is_newer(new, package.version)]


async def newest_version(package: Package, *, timeout: float = PATIENCE) -> str | None:
    """The newest version of a package; None when the registry cannot be asked."""
    return await _newest(package.registry, package.name, timeout)


def package_of(definition: Definition) -> Package | None:
    """The package and version a plugin runs through `npx` or `uvx`; None when none is written down."""
    found = _pinned(definition)
    return None if found is None else found[1]


def updated_args(definition: Definition, version: str) -> list[str]:
    """The plugin's arguments with another version of its package.

    Raises:
        ValueError: No version is written down.
    """
    found = _pinned(definition)
    if found is None or not isinstance(definition, LocalServer):
        raise ValueError("no version is written down")
    index, package = found
    args = [*definition.args]
    args[index] = args[index].removesuffix(package.version) + version
    return args


def _pinned(definition: Definition) -> tuple[int, Package] | None:
    if not isinstance(definition, LocalServer) or definition.command not in _CLIENTS:
        return None
    registry, form = _CLIENTS[definition.command]
    after_option = False
    for index, argument in enumerate(definition.args):
        if not after_option and (match := form.fullmatch(argument)):
            return index, Package.model_validate({"registry": registry, "name": match[1], "version": match[2]})
        # `--with mcp==1.0` is not the package that is run; `--from name==1.0` is.
        after_option = argument in ("--with", "--python", "-p", "--index-url", "--registry")
    return None


async def _newest(registry: str, name: str, timeout: float) -> str | None:
    if registry == "npm":
        answer = await _said("npm", ["view", "--json", name, "version"], "", timeout)
        with contextlib.suppress(ValueError):
            version = json.loads(answer or "null")
            return version if isinstance(version, str) else None
        return None
    options = ["pip", "compile", "-", "--no-deps", "--no-header", "--no-annotate", "--quiet"]
    answer = await _said("uv", options, f"{name}\n", timeout)
    match = re.search(r"==(\S+)", answer or "")
    return match[1] if match else None


async def _said(program: str, arguments: Sequence[str], asked: str, timeout: float) -> str | None:
    """What a program prints; None when it is not there, fails or takes too long."""
    try:
        path, search = find_program(program, plugin=program, env={}, cwd=".")
        process = await asyncio.create_subprocess_exec(
            path,
            *arguments,
            env={**os.environ, **({"PATH": search} if search else {})},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except (InvalidCommand, OSError):
        return None
    try:
        printed, _ = await asyncio.wait_for(process.communicate(asked.encode()), timeout)
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return printed.decode(errors="replace") if process.returncode == 0 else None


def _is_newer(one: str, other: str) -> bool:
    try:
        return Version(one) > Version(other)
    except InvalidVersion:
        return one != other
