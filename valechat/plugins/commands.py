"""Finding the program of a local server, and saying what to install where there is none."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path

from valechat.errors import InvalidCommand
from valechat.plugins.definition import LocalServer

__all__ = ["find_command"]

_INSTALL = {
    "npx": "Install Node.js from https://nodejs.org, which brings npx",
    "npm": "Install Node.js from https://nodejs.org, which brings npm",
    "node": "Install Node.js from https://nodejs.org",
    "uvx": "Run: pip install uv",
    "uv": "Run: pip install uv",
    "docker": "Install Docker from https://docs.docker.com/get-started/get-docker/",
    "bunx": "Install Bun from https://bun.sh, which brings bunx",
    "deno": "Install Deno from https://deno.com",
}


def find_command(server: LocalServer) -> str:
    """The whole path of the server's program.

    A bare name is looked for in the PATH of the server's own `env`, else of this process, then beside this
    Python, where pip puts `uvx` and its like even when the environment is not activated. A path is taken
    from the server's folder.

    Args:
        server: The definition, its `${VAR}`s resolved already.

    Raises:
        InvalidCommand: There is no such program, or it may not be run.
    """
    command = server.command
    if os.path.dirname(command):  # noqa: PTH120 - Path("./server") would lose the dot that makes it a path
        found = shutil.which(str(Path(server.cwd or ".", command).expanduser().absolute()))
        if found:
            return found
    else:
        path = server.env.get("PATH") or os.environ.get("PATH", os.defpath)
        found = shutil.which(command, path=os.pathsep.join([path, sysconfig.get_path("scripts")]))
        if found:
            return found
    name = Path(server.written.command).name
    known = _INSTALL.get(name.lower().removesuffix(".cmd").removesuffix(".exe"))
    raise InvalidCommand(
        f'Plugin "{server.id}" cannot be started: the command {server.written.command} was not found.',
        plugin=server.id,
        fix=f"{known}, then restart the plugin." if known else "Install it, or write its whole path as the command.",
    )
