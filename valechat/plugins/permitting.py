"""Widening and narrowing what a confined server may do, one entry at a time.

What is written into the file is what was shown to the user, and nothing that could stand for more: no pattern,
no variable, no path that leads elsewhere.
"""

from __future__ import annotations

import glob
import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from valechat.errors import ConfigError
from valechat.paths import Paths
from valechat.plugins.base import Permit
from valechat.plugins.definition import Definition, LocalServer, Permissions
from valechat.sandbox.places import SYSTEM

__all__ = ["covered", "entries", "host_entry", "narrowed", "offerable", "widened"]

_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,62}[a-z0-9_])?)+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

_SYSTEM = tuple(map(Path, ("/boot", "/dev", "/etc", "/proc", "/run", "/sys", "/var/run", "/System", "/private/etc")))
"""What is not offered by a click: settings and devices of the system, other processes, sockets of services."""

_SHARED = tuple(map(Path, ("/", "/home", "/mnt", "/opt", "/srv", "/tmp", "/var", "/var/tmp", "/Users", "/private")))  # noqa: S108  # they are refused
"""Folders too large to be offered by a click; what is in them may be."""

_LISTS: Mapping[Permit, str] = {"file_read": "read", "file_write": "write", "env_access": "see"}


def widened(definition: Definition, permit: Permit, value: str) -> dict[str, Any]:
    """The fields of an entry with one permission more.

    Args:
        definition: As it is in the file.
        permit: What is granted.
        value: A path, a host, a variable's name; empty for all of the network and for `allow_degraded`.

    Raises:
        ConfigError: It is no local server, the value is none that can be granted, or it may do that already.
    """
    server = _local(definition)
    if permit == "allow_degraded":
        return {"allow_degraded": True}
    given = server.permissions or Permissions()
    fields = given.model_dump(mode="json", exclude_unset=True)
    if permit == "network_access":
        hosts = given.network_access
        if hosts is None or hosts is True:
            raise ConfigError(f"{server.title} may use the network already.")
        fields[permit] = [*(hosts or []), host_entry(value)] if value else True
        return {"permissions": fields}
    known = getattr(given, permit)
    if known is None and permit == "file_read":
        raise ConfigError(f"{server.title} may read everything already.")
    if known is None and permit == "file_write" and given.file_read is None:
        raise ConfigError(f"{server.title} may write everywhere already.")
    entry = _variable(value) if permit == "env_access" else _pattern(value)
    fields[permit] = [*(one for one in known or [] if one != entry), entry]
    return {"permissions": fields}


def narrowed(definition: Definition, permit: str, value: str) -> dict[str, Any]:
    """The fields of an entry with one permission less; `value` is as `entries` gives it, or the granted folder.

    Raises:
        ConfigError: It is no local server, or has no such permission.
    """
    server = _local(definition)
    named = (value, f"{value.rstrip('/')}/**")
    found = next((one for kind, one in entries(server) if kind == permit and one in named), None)
    if found is None:
        raise ConfigError(f"{server.title} has no such permission.", fix="Look at its permissions again.")
    if permit == "allow_degraded":
        return {"allow_degraded": None}
    given = server.permissions or Permissions()
    fields = given.model_dump(mode="json", exclude_unset=True)
    if permit == "network_access" and given.network_access is True:
        fields[permit] = False
    else:
        fields[permit] = [one for one in getattr(given, permit) if one != found]
    return {"permissions": fields}


def entries(definition: Definition) -> list[tuple[Permit, str]]:
    """What a confined server may do, entry by entry, each of which can be taken back."""
    if not isinstance(definition, LocalServer):
        return []
    given = definition.permissions or Permissions()
    found: list[tuple[Permit, str]] = [(permit, one) for permit in _LISTS for one in getattr(given, permit) or []]
    if given.network_access is True:
        found.append(("network_access", ""))
    elif given.network_access:
        found += [("network_access", host) for host in given.network_access]
    if definition.allow_degraded:
        found.append(("allow_degraded", ""))
    return found


def host_entry(host: str) -> str:
    """A host with or without a port as the list takes it.

    Raises:
        ConfigError: It is no public host's name or address: a pattern, or something in this machine's network.
    """
    name, _, port = host.lower().rpartition(":")
    if not name or not port.isdigit():
        name, port = host.lower(), ""
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        fits = _HOST.fullmatch(name) is not None
    else:
        # A list's address has no port: a colon is part of it.
        fits, port = address.is_global, ""
    if not fits or (port and not 0 < int(port) < 65_536):
        raise ConfigError(
            "This host cannot be allowed by a click.",
            fix="Write it into the plugin's `network_access`; one of this machine or its network only if you mean it.",
        )
    return f"{name}:{port}" if port else name


def offerable(path: Path, paths: Paths, home: Path) -> bool:
    """Whether a canonical path may be offered by a click: no keys, no settings, nothing that holds everything."""
    if not str(path).isprintable() or "${" in str(path) or path in _SHARED:
        return False
    if any(path.is_relative_to(place) for place in (*_SYSTEM, *SYSTEM)):
        return False
    own = [home, paths.config, paths.data, paths.state]
    if any(folder.resolve().is_relative_to(path) for folder in own):
        return False
    if any(path.is_relative_to(folder.resolve()) for folder in own[1:]):
        return False
    within = path.relative_to(home).parts if path.is_relative_to(home) else ()
    return not (within and within[0].startswith(".") and within[:1] != (".cache",))


def covered(path: Path, patterns: Iterable[str]) -> bool:
    """Whether a canonical path is, or lies in, what the patterns name now."""
    for pattern in patterns:
        plain = os.path.expanduser(pattern).removesuffix("/**").removesuffix("/**/*") or "/"  # noqa: PTH111  # a pattern is no path
        named = glob.glob(plain, recursive=True, include_hidden=True) if glob.has_magic(plain) else [plain]  # noqa: PTH207  # Path has no hidden files there
        if any(path.is_relative_to(Path(one).resolve()) for one in named):
            return True
    return False


def _local(definition: Definition) -> LocalServer:
    if not isinstance(definition, LocalServer):
        raise ConfigError(f"{definition.title} does not run on this machine, so it is not confined here.")
    return definition


def _pattern(value: str) -> str:
    """A path as the pattern that stands for it and all below it."""
    if "${" in value or not value.isprintable():
        raise ConfigError("This path cannot be allowed by a click.", fix="Write it into the plugin's permissions.")
    path = Path(value)
    if not path.is_absolute() or not path.exists():
        raise ConfigError(f"{value} is no path of a file or folder that is there.", fix="Give the whole path.")
    real = str(path.resolve())
    escaped = glob.escape(real)
    return f"{escaped}/**" if path.is_dir() else escaped


def _variable(value: str) -> str:
    if not _VARIABLE.fullmatch(value) or value not in os.environ:
        raise ConfigError(f"{value} is no variable of this process.", fix="Set it with %env, or in the plugin's `env`.")
    return value
