"""A provider's health, from whether one request works."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from valechat.errors import ConfigError, ProviderError
from valechat.providers.base import Health

__all__ = ["health_of"]


async def health_of(request: Awaitable[Any]) -> Health:
    """Healthy when the request succeeds; otherwise what its error says."""
    try:
        await request
    except (ProviderError, ConfigError) as error:
        return Health(ok=False, message=error.message, fix=error.fix)
    return Health(ok=True, message="Answers.")
