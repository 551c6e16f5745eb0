from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.plugins.authserver import AuthServer, authorising
from tests.plugins.transports.connected import service
from valechat.asking import Asker
from valechat.config import SettingsFile
from valechat.errors import LedgerUnwritable
from valechat.keys import KeyRing, vault
from valechat.keys.encrypted import KeyFile
from valechat.paths import user_paths
from valechat.plugins.config import CloudService
from valechat.plugins.oauth import authorisation
from valechat.plugins.oauth.signing import Authorisation


@dataclass
class Kernel:
    """What one kernel has: a log, a record of uses of keys, and who sits in front of it."""

    server: AuthServer
    person: Asker
    environ: dict[str, str] = field(default_factory=lambda: {"VALECHAT_PASSPHRASE": "correct horse"})
    log: list[tuple[str, str, str]] = field(default_factory=list)
    uses: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 20
    fail_to_record: bool = False

    def ring(self) -> KeyRing:
        paths = user_paths()
        ring = KeyRing(paths, SettingsFile(paths).current, environ=self.environ, on_access=self._record)
        ring.file = KeyFile(ring.file.file, cost=2**4)  # quickly opened; who guesses the passphrase is no matter here
        return ring

    def _record(self, **use: Any) -> None:
        if self.fail_to_record:
            raise LedgerUnwritable("The disk is full.")
        self.uses.append(use)

    def authorisation(self, **auth: Any) -> Authorisation:
        return self.authorisation_at(service(self.server.url, auth={"type": "oauth", **auth}, timeout=10.0))

    def authorisation_at(self, definition: CloudService) -> Authorisation:
        found = authorisation(
            definition,
            keys=self.ring(),
            paths=user_paths(),
            log=lambda *line: self.log.append(line),
            who=lambda: self.person,
            seconds=self.seconds,
        )
        assert found is not None
        return found

    def purposes(self) -> list[str]:
        return [use["purpose"] for use in self.uses]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AuthServer]:
    monkeypatch.setattr(vault, "_memory", {})
    with authorising() as running:
        yield running


@pytest.fixture
def kernel(server: AuthServer) -> Callable[..., Kernel]:
    def make(person: Asker, **options: Any) -> Kernel:
        return Kernel(server, person, **options)

    return make
