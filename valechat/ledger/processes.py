"""Which process holds money, and whether it still lives.

A process is known by its machine, its id and the moment it started: ids are used again.
"""

from __future__ import annotations

import socket
import sys
from functools import lru_cache
from pathlib import Path

__all__ = ["is_dead", "machine", "started"]


@lru_cache(maxsize=1)
def machine() -> str:
    """This boot of this machine, in this container: where process ids mean the same thing."""
    parts = [socket.gethostname()]
    if sys.platform == "linux":
        for read in (_boot_id, _pid_namespace):
            try:
                parts.append(read())
            except OSError:
                parts.append("")
    return "/".join(parts)


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _pid_namespace() -> str:
    return str(Path("/proc/self/ns/pid").stat().st_ino)


def started(pid: int) -> str | None:
    """When a process of this machine started, as a text to compare; None when there is none.

    Linux counts in ticks since the boot, which a change of the clock does not move; a zombie counts
    as dead.
    """
    return _started(pid)


def is_dead(host: str, pid: int, start: str) -> bool:
    """Whether that process is known to have ended. One on another machine never is."""
    return host == machine() and started(pid) != start


if sys.platform == "linux":

    def _started(pid: int) -> str | None:
        try:
            status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return None
        fields = status.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]

else:

    def _started(pid: int) -> str | None:
        import psutil

        try:
            return f"{psutil.Process(pid).create_time():.0f}"
        except psutil.NoSuchProcess:
            return None
