"""What a confined server was refused, found in what it says of its failures.

Its words prove nothing: they only say where to look. What is offered is what this process itself finds there: a
file that exists and that the permissions keep from it, a network that is off, a variable that is set here. A path that
the failed call's arguments named was seen by the user; any other is marked as known from the server alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from valechat.config import KNOWN
from valechat.errors import ConfigError
from valechat.paths import Paths
from valechat.plugins.base import Need, Permit
from valechat.plugins.config import LocalServer
from valechat.plugins.permitting import covered, host_entry, offerable
from valechat.sandbox.environment import minimal_environment
from valechat.sandbox.places import SYSTEM

__all__ = ["MOST_TEXT", "Denials", "suspicious"]

MOST_TEXT = 10_000
"""Characters of a failure that are looked at."""

MOST_PATHS = 8
"""Paths of one failure that are looked for."""

_FILES = re.compile(
    r"permission denied|operation not permitted|read-only file system|no such file|cannot access|not accessible"
    r"|\bE(ACCES|PERM|ROFS|NOENT)\b|\bErrno (1|2|13|30)\b|PermissionError|FileNotFoundError",
    re.IGNORECASE,
)
_WRITING = re.compile(
    r"read-only file system|\bEROFS\b|\bErrno 30\b"
    r"|\b(mkdir|mkdtemp|unlink|rename|rmdir|copyfile|write|create|touch|remove|delete)\b",
    re.IGNORECASE,
)
_NETWORK = re.compile(
    r"getaddrinfo|\bE(AI_AGAIN|NOTFOUND|NETUNREACH|HOSTUNREACH)\b|network is unreachable|could not resolve host"
    r"|name or service not known|temporary failure in name resolution|nodename nor servname",
    re.IGNORECASE,
)
_VARIABLES = re.compile(r"environment|env var|not set|is required|must be set|missing", re.IGNORECASE)

_QUOTED = re.compile(r"""(["'`])(/[^"'`\n]{1,4000})\1""")
_BARE = re.compile(r"""(?<![\w/.:"'`])(/[^\s:"'`,;()<>|*?]{1,4000})""")
_HOSTS = re.compile(
    r"(?:ENOTFOUND|EAI_AGAIN|resolve host:?|host=|https?://)\s*['\"]?([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+)"
)
_NAME = re.compile(r"\b[A-Z][A-Z0-9_]{2,63}\b")


def suspicious(text: str) -> bool:
    """Whether a text may tell of a refusal. Quick, for each line of a log."""
    head = text[:MOST_TEXT]
    return any(sign.search(head) for sign in (_FILES, _NETWORK, _VARIABLES))


class Denials:
    """Finds what one server was refused. Blocks for a moment: it looks at files.

    Args:
        server: Its definition, variables resolved.
        paths: The user's folders, which are never offered.
        tells_hosts: Whether single hosts can be allowed on this system.
        withheld: Variables that are never offered, besides the usual ones of model providers.
        environ: The kernel's environment.
    """

    def __init__(
        self,
        server: LocalServer,
        paths: Paths,
        *,
        tells_hosts: bool,
        withheld: Collection[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._server = server
        self._allowed = server.permissions
        self._paths = paths
        self._tells_hosts = tells_hosts
        self._withheld = {*withheld, *(name for known in KNOWN.values() for name in known.variables)}
        self._environ = os.environ if environ is None else environ
        self._home = Path(server.env.get("HOME") or Path.home()).resolve()

    def found(self, text: str, arguments: str = "") -> list[Need]:
        """What would have to be granted for this not to fail; nothing where that cannot be told.

        Args:
            text: What the server said.
            arguments: The arguments of the call that it answers, as the user saw them.
        """
        head = text[:MOST_TEXT]
        found = [*self._files(head, arguments), *self._network(head), *self._variables(head)]
        return list(dict.fromkeys(found))

    def _files(self, text: str, arguments: str) -> Iterator[Need]:
        allowed = self._allowed
        if allowed is None or (allowed.file_read is None and allowed.file_write is None):
            return
        for line in text.splitlines():
            if not _FILES.search(line):
                continue
            named = [match[2] for match in _QUOTED.finditer(line)] or [match[1] for match in _BARE.finditer(line)]
            for name in named[:MOST_PATHS]:
                need = self._file(name.rstrip(".") or "/", writing=_WRITING.search(line) is not None)
                if need is not None:
                    permit, path = need
                    yield Need(permit, str(path), "call" if _named(name, arguments) else "server")

    def _file(self, name: str, *, writing: bool) -> tuple[Permit, Path] | None:
        """What to grant for a file or, where it is not there, its folder: reading first, then writing."""
        try:
            path = Path(name).resolve()
            there = path if path.exists() else path.parent
            if not there.exists():
                return None
        except (OSError, ValueError, RuntimeError):  # too long, a zero byte, a loop of links
            return None
        permit: Permit = "file_read" if not self._readable(there) else "file_write"
        if permit == "file_write" and (self._writable(there) or not (writing or there == path)):
            return None
        mode = os.R_OK if permit == "file_read" else os.W_OK
        if not offerable(there, self._paths, self._home) or not os.access(there, mode):
            return None
        return permit, there

    def _readable(self, path: Path) -> bool:
        allowed = self._allowed
        if allowed is None or allowed.file_read is None:
            return True
        patterns = [*allowed.file_read, *(allowed.file_write or [])]
        return covered(path, patterns) or any(path.is_relative_to(folder.resolve()) for folder in SYSTEM)

    def _writable(self, path: Path) -> bool:
        allowed = self._allowed
        return allowed is None or covered(path, allowed.file_write or [])

    def _network(self, text: str) -> Iterator[Need]:
        """Only where the network is off: of single hosts the proxy itself knows."""
        if self._allowed is None or self._allowed.network_access is not False or not _NETWORK.search(text):
            return
        named = _HOSTS.search(text) if self._tells_hosts else None
        if named is None:
            yield Need("network_access", "", "server")
            return
        try:
            yield Need("network_access", host_entry(named[1]), "server")
        except ConfigError:
            return

    def _variables(self, text: str) -> Iterator[Need]:
        """Variables that are set here and kept from the server. Never a model provider's key."""
        access = self._allowed.env_access if self._allowed else None
        seen = {*minimal_environment(self._environ, access=access or ()), *self._server.env}
        for line in text.splitlines():
            if not _VARIABLES.search(line):
                continue
            for name in _NAME.findall(line):
                if name in self._environ and name not in seen and not self._kept(name):
                    seen.add(name)
                    yield Need("env_access", name, "server")

    def _kept(self, name: str) -> bool:
        """Whether no server gets this variable by a click: a provider's key, or a setting of ours or of Jupyter's."""
        return name in self._withheld or name.startswith(("VALECHAT_", "JPY_", "JUPYTER"))


def _named(path: str, arguments: str) -> bool:
    """Whether a call's arguments name a path, or a folder it is in."""
    whole = [str(one) for one in (Path(path), *Path(path).parents) if len(one.parts) > 1]
    return any(f'"{one}"' in arguments or f'"{one}/"' in arguments for one in whole)
