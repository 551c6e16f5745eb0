"""Which files a server may see, from the globs of its permissions and from what its program needs to run.

Mount-based confinement knows files and whole folders, no patterns. So `folder/**` and a plain path stand
for all below them; any other pattern stands for what matches when the server starts.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from valechat.errors import ConfigError
from valechat.sandbox.base import Command

__all__ = ["SETTINGS", "SYSTEM", "granted", "program_places"]

MOST_MATCHES = 1_000
"""Files one pattern may stand for; each is a mount of its own."""

SYSTEM = tuple(map(Path, ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")))
"""Folders that hold programs and libraries and no secrets."""


SETTINGS = (
    "alternatives",
    "ca-certificates",
    "fonts",
    "gai.conf",
    "group",
    "host.conf",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "localtime",
    "magic",
    "mime.types",
    "nsswitch.conf",
    "passwd",
    "pki",
    "protocols",
    "resolv.conf",
    "services",
    "ssl",
    "timezone",
)
"""What programs read of /etc, none of it secret."""


def granted(patterns: Iterable[str], what: str) -> list[Path]:
    """The files and folders that patterns name, absolute, `~` expanded, not yet resolved.

    Raises:
        ConfigError: One names nothing that exists, or too much. `what` is the permission it stands in.
    """
    return list(dict.fromkeys(path for pattern in patterns for path in _granted(pattern, what)))


def _granted(pattern: str, what: str) -> list[Path]:
    plain = os.path.expanduser(pattern).removesuffix("/**").removesuffix("/**/*") or "/"  # noqa: PTH111  # a pattern is no path
    if not os.path.isabs(plain):  # noqa: PTH117
        raise ConfigError(
            f"`{pattern}` in `{what}` is not an absolute path.", fix="Write the whole path, or one that begins with ~/."
        )
    if not glob.has_magic(plain):
        if not os.path.lexists(plain):
            raise ConfigError(f"`{pattern}` in `{what}` does not exist.", fix="Create it, or take it out of the list.")
        return [Path(plain)]
    found = sorted(glob.glob(plain, recursive=True, include_hidden=True))  # noqa: PTH207  # Path has no hidden files there
    if len(found) > MOST_MATCHES:
        raise ConfigError(
            f"`{pattern}` in `{what}` stands for {len(found):,} files.", fix="Name their folder instead: `folder/**`."
        )
    return [Path(path) for path in found]


def program_places(command: Command, home: Path) -> list[Path]:
    """Where a command's own code is, less what is in `SYSTEM`: interpreter, its libraries, the script it is given.

    A whole installation (the folder above `bin`) is taken, but never the user's home or `~/.local`, which
    hold more than programs.
    """
    programs = [Path(command.argv[0])]
    if (interpreter := _interpreter(programs[0])) is not None:
        programs.append(interpreter)
    found = list(map(Path, command.code))
    found += [place for program in programs for name in _names_of(program) for place in _installation(name, home)]
    script = next((Path(word) for word in command.argv[1:] if not word.startswith("-")), None)
    if script is not None and script.is_absolute() and script.is_file():
        found += [_folder_of(name, home) for name in _names_of(script)]
    return [place for place in dict.fromkeys(found) if not any(place.is_relative_to(folder) for folder in SYSTEM)]


def _names_of(path: Path) -> list[Path]:
    """A path, each path a symbolic link leads through, and where it ends."""
    names = [path]
    while names[-1].is_symlink() and len(names) < 40:
        names.append(names[-1].parent / names[-1].readlink())
    return list(dict.fromkeys([*names, path.resolve()]))


def _interpreter(program: Path) -> Path | None:
    """What `#!` names, for a script."""
    with program.resolve().open("rb") as file:
        first = file.readline(512)
    if not first.startswith(b"#!"):
        return None
    words = first[2:].decode(errors="replace").split()
    return Path(words[0]) if words and os.path.isabs(words[0]) else None  # noqa: PTH117


def _installation(program: Path, home: Path) -> list[Path]:
    folder = program.parent
    above = folder.parent
    whole = folder.name in ("bin", "Scripts") and above not in (home, home / ".local", Path("/"))
    return [Path(os.path.normpath(above if whole else _folder_of(program, home)))]


def _folder_of(file: Path, home: Path) -> Path:
    folder = Path(os.path.normpath(file.parent))
    return Path(os.path.normpath(file)) if folder in (home, Path("/"), home / ".local" / "bin") else folder
