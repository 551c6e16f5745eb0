"""Linux with bubblewrap: a server sees the files it may see, no other process, and no network unless it may.

https://github.com/containers/bubblewrap. Mount, process, IPC and (without the network) network namespaces
of the server's own. `--die-with-parent` and the process namespace end all of it with its first process.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from valechat.errors import ConfigError
from valechat.sandbox import relay
from valechat.sandbox.base import Command, Permissions, Prepared
from valechat.sandbox.places import SETTINGS, SYSTEM, granted, program_places

__all__ = ["confined", "unavailable"]

APART = (
    "--die-with-parent",
    "--new-session",
    "--unshare-user",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--cap-drop",
    "ALL",
)

TEMPORARY = "/dev/shm"  # noqa: S108  # in the server's own /dev
"""Where a server that may not write everywhere has its temporary files; they end with it."""

RELAY = Path(relay.__file__)

PROBE_SECONDS = 10


@functools.cache
def unavailable() -> str:
    """Why bubblewrap cannot be used here; empty when it can. Found out by running it once."""
    if sys.platform != "linux":
        return "bubblewrap is for Linux"
    program = shutil.which("bwrap")
    if program is None:
        return "bubblewrap is not installed"
    arguments = [program, *APART, "--unshare-net", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "true"]
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not run here: {error}"
    return "" if done.returncode == 0 else f"bubblewrap does not work here: {done.stderr.strip() or done.returncode}"


def confined(prepared: Prepared, command: Command, permissions: Permissions, proxy: Path | None = None) -> Prepared:
    """The command inside bubblewrap, with what that enforces added to the report.

    Where only `file_write` is given, everything may be read; where only `file_read` is, nothing may be written.

    Args:
        prepared: What would be started without.
        command: The command it comes from.
        permissions: What it may do.
        proxy: The socket file of the `host_proxy` through which it reaches the hosts it may.

    Raises:
        ConfigError: A path of the permissions does not exist.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise ConfigError("bubblewrap is not installed.", fix="Install it: `sudo apt-get install bubblewrap`.")
    home = Path(prepared.env.get("HOME") or Path.home())
    read = None if permissions.file_read is None else granted(permissions.file_read, "file_read")
    write = None if permissions.file_write is None else granted(permissions.file_write, "file_write")
    offline = permissions.network_access is False or proxy is not None
    arguments = [program, *APART, *(["--unshare-net"] if offline else [])]
    arguments += _everything(writable=write is None) if read is None else _little(command, home)
    arguments += ["--dev", "/dev", "--proc", "/proc"]
    if offline and read is None:
        arguments += ["--tmpfs", "/run"]  # sockets of services, which lead to the network and beyond
    for path in read or ():
        arguments += _bound("--ro-bind", path)
    for path in write or ():
        arguments += _bound("--bind", path)
    visible = read is None or _seen(Path(command.cwd), [*read, *(write or ())])
    arguments += ["--chdir", command.cwd if visible else TEMPORARY]
    if proxy is not None:
        arguments += [word for place in (RELAY, proxy) for word in _bound("--ro-bind", place)]
        if read is not None:
            own = Command((sys.executable,), {}, "/")
            arguments += [word for place in program_places(own, home) for word in _bound("--ro-bind", place)]
    limited = _with_process_limit(permissions, command.argv)
    prlimited = limited != command.argv
    if proxy is not None:
        limited = (sys.executable, "-I", "-S", str(RELAY), str(proxy), "--", *limited)
    report = dict(prepared.report)
    if read is not None or write is not None:
        report["files"] = "enforced"
    if offline:
        report["network"] = "enforced"
    if prlimited and os.getuid() != 0:  # Linux does not count root's processes
        report["processes"] = "enforced"
    return replace(
        prepared,
        argv=(*arguments, "--", *limited),
        env=prepared.env if read is None and write is None else {**prepared.env, "TMPDIR": TEMPORARY},
        cwd="/",
        report=report,
    )


def _everything(*, writable: bool) -> list[str]:
    return ["--bind" if writable else "--ro-bind", "/", "/"]


def _little(command: Command, home: Path) -> list[str]:
    """An empty root with programs, libraries, settings, and the command's own code in it, all read-only."""
    arguments: list[str] = ["--tmpfs", "/tmp", "--dir", str(home), "--dir", "/var/tmp", "--dir", "/run"]  # noqa: S108
    for folder in SYSTEM:
        if folder.is_symlink():
            arguments += ["--symlink", str(folder.readlink()), str(folder)]
        else:
            arguments += ["--ro-bind-try", str(folder), str(folder)]
    for name in SETTINGS:
        arguments += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    for place in program_places(command, home):
        arguments += _bound("--ro-bind", place)
    return arguments


def _bound(how: str, path: Path) -> list[str]:
    """A path under its own name, and what a symbolic link in it leads to under that name too."""
    real = path.resolve()
    names = dict.fromkeys([str(real), str(path)])
    return [word for name in names for word in (how, str(real), name)]


def _seen(folder: Path, places: list[Path]) -> bool:
    real = folder.resolve()
    return any(real.is_relative_to(place.resolve()) for place in places)


def _with_process_limit(permissions: Permissions, argv: tuple[str, ...]) -> tuple[str, ...]:
    """Inside the server's own user namespace RLIMIT_NPROC counts its processes alone (Linux 5.14 and newer)."""
    prlimit = shutil.which("prlimit", path="/usr/bin:/bin")
    if permissions.processes is None or prlimit is None or _kernel() < (5, 14):
        return argv
    return (prlimit, f"--nproc={permissions.processes}:{permissions.processes}", "--", *argv)


def _kernel() -> tuple[int, int]:
    major, minor, *_ = os.uname().release.split(".")
    return int(major), int("".join(filter(str.isdigit, minor)) or 0)
