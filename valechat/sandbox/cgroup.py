"""Linux control groups, version 2: memory, tasks and processor time of a server's processes together.

Where this process may make a group (a systemd session with delegation, a container with its own tree, root), the
kernel holds the server to its limits; elsewhere a `Watchdog` does. A server that may write to the groups' file system
could leave its group, so it counts as enforced only where its files are confined.

https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from valechat.ids import new_id
from valechat.sandbox.base import Permissions, Subject

__all__ = ["ROOT", "held", "limits_of", "make", "place", "remove"]

ROOT = Path("/sys/fs/cgroup")
SELF = Path("/proc/self/cgroup")

CONTROLLERS: Mapping[Subject, str] = {"memory": "memory", "processes": "pids", "cpu": "cpu"}

PERIOD = 100_000
"""Microseconds over which processor time is shared out."""

WRAPPERS = 4
"""Tasks of ours that run in the group beside the server: bubblewrap's two, the relay's two."""

ENDING_SECONDS = 2.0
"""How long a group may take to become empty once everything in it was killed."""


@functools.cache
def place() -> Path | None:
    """The folder in which groups with limits can be made, tried once by making one and joining it; None for none."""
    if sys.platform != "linux":
        return None
    return next(filter(_works, _candidates(ROOT, SELF)), None)


def held(permissions: Permissions, report: Mapping[Subject, str]) -> list[Subject]:
    """The subjects that a group would enforce for a server with these permissions."""
    if report["files"] != "enforced":
        return []
    asked = {
        "memory": permissions.memory_mb is not None,
        "processes": permissions.processes is not None,
        "cpu": permissions.cpu_percent is not None,
    }
    return [subject for subject in CONTROLLERS if asked[subject]]


def limits_of(permissions: Permissions) -> dict[str, str]:
    """The files of a group with what is written to them. Tasks are processes and threads."""
    limits: dict[str, str] = {}
    if permissions.memory_mb is not None:
        limits |= {"memory.max": str(int(permissions.memory_mb * 1024 * 1024)), "memory.swap.max": "0"}
        limits["memory.oom.group"] = "1"
    if permissions.processes is not None:
        limits["pids.max"] = str(permissions.processes + WRAPPERS)
    if permissions.cpu_percent is not None:
        limits["cpu.max"] = f"{max(1_000, int(permissions.cpu_percent / 100 * PERIOD))} {PERIOD}"
    return limits


def make(within: Path, limits: Mapping[str, str]) -> Path:
    """A new group with these limits.

    Raises:
        OSError: It cannot be made.
    """
    _tidy(within)
    made = within / f"valechat-{os.getpid()}-{new_id()[:12]}"
    made.mkdir()
    try:
        for name, value in limits.items():
            if name == "memory.swap.max" and not (made / name).exists():
                continue  # a kernel without swap accounting
            (made / name).write_text(value)
    except OSError:
        made.rmdir()
        raise
    return made


def remove(made: Path) -> None:
    """Kill what is in a group and take it away. Blocks until it is empty, which takes a moment."""
    with contextlib.suppress(OSError):  # Linux before 5.14: the supervisor kills them
        (made / "cgroup.kill").write_text("1")
    deadline = time.monotonic() + ENDING_SECONDS
    while True:
        try:
            made.rmdir()
            return
        except OSError:
            if time.monotonic() > deadline:
                return  # another kernel takes it away
            time.sleep(0.01)


def _candidates(root: Path, own_file: Path) -> Iterator[Path]:
    """Beside this process's own group, where nothing runs in the parent; else in it."""
    if not (root / "cgroup.controllers").exists():
        return  # version 1, or none
    try:
        lines = own_file.read_text().splitlines()
    except OSError:
        return
    own = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), None)
    if own is None or ".." in Path(own).parts:
        return  # outside of what this container sees
    here = root / own
    wanted = set(CONTROLLERS.values())
    for folder in dict.fromkeys([here.parent if here != root else here, here]):
        if not os.access(folder, os.W_OK) or not os.access(folder / "cgroup.procs", os.W_OK):
            continue
        control = folder / "cgroup.subtree_control"
        with contextlib.suppress(OSError):
            if missing := wanted - set(control.read_text().split()):
                # Refused where processes run in the folder itself.
                control.write_text(" ".join(f"+{name}" for name in sorted(missing)))
            if wanted <= set(control.read_text().split()):
                yield folder


def _works(folder: Path) -> bool:
    """Whether a process can be put into a group there."""
    try:
        made = make(folder, {})
    except OSError:
        return False
    join = ["/bin/sh", "-c", 'echo 0 > "$1/cgroup.procs"', "sh", str(made)]
    try:
        return subprocess.run(join, capture_output=True, timeout=5, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
    finally:
        remove(made)


def _tidy(within: Path) -> None:
    """Take away the empty groups of kernels that ended without doing so."""
    for old in within.glob("valechat-*-*"):
        pid = old.name.split("-")[1]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            with contextlib.suppress(OSError):
                old.rmdir()
