"""The provider as a job asks it: without the retries and the breaker of single requests, its key kept for a while."""

from __future__ import annotations

import time

from valechat.config.known import DEMO
from valechat.keys.secret import Key
from valechat.providers import registry
from valechat.providers.base import Provider
from valechat.services import Services

__all__ = ["direct"]

FRESH_SECONDS = 30.0
"""How long a job uses a key before it looks it up again; each look is recorded."""


def direct(found: Services, name: str) -> Provider:
    """A provider of a job's own.

    Raises:
        ConfigError: There is no provider of that name, or its settings cannot be used.
    """
    return registry.build(name, None if name == DEMO else found.settings.provider(name), _KeptKey(found, name))


class _KeptKey:
    """Gives the key, looked up once in a while."""

    def __init__(self, found: Services, name: str) -> None:
        self._found = found
        self._name = name
        self._key: Key | None = None
        self._until = 0.0

    async def __call__(self) -> str | None:
        if time.monotonic() >= self._until:
            self._key = await self._found.keys.get(self._name, purpose="map")
            self._until = time.monotonic() + FRESH_SECONDS
        return None if self._key is None else self._key.reveal()
