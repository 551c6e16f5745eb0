"""macOS: `sandbox-exec` with a profile of the server's own.

Apple calls the command deprecated, and every browser on macOS is confined by what is behind it. The
profile language is not documented; this uses the part of it that Apple's own profiles in
/System/Library/Sandbox/Profiles use.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from valechat.sandbox.base import Command, Permissions, Prepared
from valechat.sandbox.places import granted, program_places

__all__ = ["confined", "profile", "unavailable"]

PROGRAM = "/usr/bin/sandbox-exec"

READABLE = tuple(
    map(
        Path,
        (
            "/bin",
            "/dev",
            "/Library/Apple",
            "/Library/Preferences/Logging",
            "/opt/homebrew",
            "/private/etc",
            "/private/var/db/dyld",
            "/private/var/db/timezone",
            "/sbin",
            "/System",
            "/usr",
        ),
    )
)
"""What programs need to start, none of it the user's."""

WRITABLE = tuple(map(Path, ("/dev/null", "/dev/tty", "/dev/dtracehelper")))


def unavailable() -> str:
    """Why this cannot be used here; empty when it can."""
    platform: str = sys.platform
    if platform != "darwin":
        return "sandbox-exec is for macOS"
    return "" if shutil.which(PROGRAM) else f"{PROGRAM} is missing"


def confined(prepared: Prepared, command: Command, permissions: Permissions, temporary: Path) -> Prepared:
    """The command behind `sandbox-exec`, with what that enforces added to the report.

    Where only `file_write` is given, everything may be read; where only `file_read` is, nothing may be
    written but `temporary`.

    Raises:
        ConfigError: A path of the permissions does not exist.
    """
    limited = permissions.file_read is not None or permissions.file_write is not None
    offline = permissions.network_access is False
    read: list[Path] | None = None
    if permissions.file_read is not None:
        home = Path(prepared.env.get("HOME") or Path.home())
        read = [*granted(permissions.file_read, "file_read"), *READABLE, *program_places(command, home)]
    write = [*granted(permissions.file_write or [], "file_write"), temporary, *WRITABLE] if limited else None
    report = dict(prepared.report)
    if limited:
        report["files"] = "enforced"
    if offline:
        report["network"] = "enforced"
    return replace(
        prepared,
        argv=(PROGRAM, "-p", profile(read, write, offline=offline), *prepared.argv),
        env={**prepared.env, "TMPDIR": str(temporary)} if limited else prepared.env,
        report=report,
    )


def profile(read: Iterable[Path] | None, write: Iterable[Path] | None, *, offline: bool) -> str:
    """A profile in which these may be read and written; None is no limit. The last rule that fits wins."""
    rules = ["(version 1)", "(allow default)", "(deny process-info* (target others))", "(deny signal (target others))"]
    if read is not None:
        readable = [*read, *(write or ())]
        rules += ["(deny file-read*)", "(allow file-read-metadata)", _files("file-read*", readable)]
    if write is not None:
        rules += ["(deny file-write*)", _files("file-write*", write)]
    if offline:
        rules += ["(deny network*)"]
    return "\n".join(rules)


def _files(what: str, paths: Iterable[Path]) -> str:
    """A path under its own name and where it ends; macOS itself compares the latter."""
    names = dict.fromkeys(str(name) for path in paths for name in (path, path.resolve()))
    return f"(allow {what} {' '.join(f'(subpath {_quoted(name)})' for name in names)})"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
