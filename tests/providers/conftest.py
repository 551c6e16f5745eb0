"""Connections of a test are closed with it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from valechat.providers import registry


@pytest.fixture(autouse=True)
async def closed_connections() -> AsyncIterator[None]:
    """Close what the test opened, on the test's own loop."""
    yield
    await registry.close()
