"""Chooses what this system can confine a server with, and refuses to start one it cannot hold to its permissions."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from valechat.errors import ConfigError
from valechat.sandbox import bubblewrap, landlock, seatbelt
from valechat.sandbox.base import Command, Permissions, Prepared, Subject, prepare

__all__ = ["NotEnforceable", "asked", "confine"]

WATCHED: tuple[Subject, ...] = ("memory", "cpu", "processes")
"""What a `Watchdog` can see to, where the system itself does not."""


class NotEnforceable(ConfigError):
    """The system cannot hold a server to what was asked for."""


def confine(
    command: Command,
    permissions: Permissions | None,
    *,
    temporary: Path,
    proxy: Path | None = None,
    allow_degraded: bool = False,
) -> Prepared:
    """What to start so that the command has these permissions and no others.

    Args:
        command: What the definition wants started.
        permissions: What it may do; None confines nothing.
        temporary: An empty folder for its temporary files, where it may not write elsewhere.
        proxy: The socket file of a `host_proxy` for the hosts it may reach; needed where single ones are named.
        allow_degraded: Start it although something that was asked for cannot be enforced; the report says what.

    Raises:
        NotEnforceable: Something that was asked for cannot be enforced here.
        ConfigError: A path does not exist.
    """
    prepared = prepare(command, permissions)
    if permissions is None:
        return prepared
    why_not = ""
    if _needs_walls(permissions):
        prepared, why_not = _walled(prepared, command, permissions, temporary, proxy)
    report = dict(prepared.report)
    for subject in asked(permissions):
        if subject in WATCHED and report[subject] == "none":
            report[subject] = "watched"
    prepared = replace(prepared, report=report)
    missing = [subject for subject in asked(permissions) if report[subject] == "none"]
    if missing and not allow_degraded:
        raise NotEnforceable(
            f"This system cannot hold the server to its permissions for {' and '.join(missing)}"
            f"{f': {why_not}' if why_not else ''}.",
            fix=_how(missing, permissions),
        )
    return prepared


def asked(permissions: Permissions) -> list[Subject]:
    """The subjects that the permissions limit."""
    wanted: Mapping[Subject, bool] = {
        "files": permissions.file_read is not None or permissions.file_write is not None,
        "network": permissions.network_access is not None and permissions.network_access is not True,
        "memory": permissions.memory_mb is not None,
        "cpu": permissions.cpu_percent is not None,
        "processes": permissions.processes is not None,
    }
    return [subject for subject, limited in wanted.items() if limited]


def _needs_walls(permissions: Permissions) -> bool:
    return bool({"files", "network", "processes"} & set(asked(permissions)))


def _walled(
    prepared: Prepared, command: Command, permissions: Permissions, temporary: Path, proxy: Path | None
) -> tuple[Prepared, str]:
    """The command inside the best confinement there is, or as it was with the reason why there is none."""
    platform: str = sys.platform
    if platform == "darwin":
        why_not = seatbelt.unavailable()
        return (prepared, why_not) if why_not else (seatbelt.confined(prepared, command, permissions, temporary), "")
    if platform != "linux":
        return prepared, f"there is nothing for {platform} yet that confines files or the network"
    why_not = bubblewrap.unavailable()
    if not why_not:
        return bubblewrap.confined(prepared, command, permissions, proxy), ""
    why_no_landlock = landlock.unavailable()
    if not why_no_landlock:
        return landlock.confined(prepared, command, permissions, temporary), why_not
    return prepared, f"{why_not}, and {why_no_landlock}"


def _how(missing: list[Subject], permissions: Permissions) -> str:
    allow = "set `allow_degraded` to true to start it all the same"
    if "network" in missing and not isinstance(permissions.network_access, bool):
        return f"Telling hosts apart needs Linux with bubblewrap: set `network_access` to true or false, or {allow}."
    platform: str = sys.platform
    if platform == "linux":
        return f"Install bubblewrap (`sudo apt-get install bubblewrap`), or {allow}."
    return f"Take these permissions out, or {allow}."
