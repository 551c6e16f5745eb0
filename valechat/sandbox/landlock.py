"""Linux without bubblewrap: Landlock for files and seccomp for sockets, which no privilege is needed for.

Other processes stay visible, though not to be traced, read or (Linux 6.12) signalled. Landlock is part of
Linux since 5.13 where the distribution switched it on.
"""

from __future__ import annotations

import functools
import json
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from valechat.errors import ConfigError
from valechat.sandbox import landlocked
from valechat.sandbox.base import Command, Permissions, Prepared
from valechat.sandbox.places import SETTINGS, SYSTEM, granted, program_places

__all__ = ["confined", "unavailable"]

PROGRAM = str(Path(landlocked.__file__))
PROBE_SECONDS = 10

READABLE = (*(f"/etc/{name}" for name in SETTINGS), "/opt", "/sys/devices/system/cpu")
"""What programs read besides their own files."""


@functools.cache
def unavailable() -> str:
    """Why Landlock cannot be used here; empty when it can. Found out by confining a program once."""
    if sys.platform != "linux":
        return "Landlock is for Linux"
    if platform.machine() not in landlocked.NEVER:
        return f"there is no system call filter for {platform.machine()}"
    try:
        done = subprocess.run(
            _wrapped({"read": None, "write": [], "network": False}, ("/bin/true",)),
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"Landlock does not work here: {error}"
    return "" if done.returncode == 0 else f"Landlock does not work here: {done.stderr.strip() or done.returncode}"


def confined(prepared: Prepared, command: Command, permissions: Permissions, temporary: Path) -> Prepared:
    """The command behind a program that confines itself first, with what that enforces added to the report.

    Where only `file_write` is given, everything may be read; where only `file_read` is, nothing may be
    written but `temporary`, a folder of the server's own.

    Raises:
        ConfigError: A path of the permissions does not exist.
    """
    if sys.platform != "linux":
        raise ConfigError("Landlock is for Linux.")
    home = Path(prepared.env.get("HOME") or Path.home())
    limited = permissions.file_read is not None or permissions.file_write is not None
    write = granted(permissions.file_write or [], "file_write")
    read: list[Path] | None = None
    if permissions.file_read is not None:
        own = [Path(sys.base_prefix), Path(sysconfig.get_path("stdlib"))]  # of the program that confines itself
        read = [*granted(permissions.file_read, "file_read"), *SYSTEM, *map(Path, READABLE), *own]
        read += program_places(command, home)
    rules = {
        "read": None if read is None else _existing(read),
        "write": _existing([*write, temporary]) if limited else None,
        "network": permissions.network_access is not False,
    }
    report = dict(prepared.report)
    if limited:
        report["files"] = "enforced"
    if permissions.network_access is False:
        report["network"] = "enforced"
    environment = {**prepared.env, "TMPDIR": str(temporary)} if limited else prepared.env
    return replace(prepared, argv=_wrapped(rules, prepared.argv), env=environment, report=report)


def _existing(paths: list[Path]) -> list[str]:
    return list(dict.fromkeys(str(path.resolve()) for path in paths if path.exists()))


def _wrapped(rules: Mapping[str, object], argv: tuple[str, ...]) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", PROGRAM, json.dumps(rules), "--", *argv)
