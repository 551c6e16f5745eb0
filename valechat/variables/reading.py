"""Reading the user's variables from the engine's thread without getting in the way of their cells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from valechat.engine import engine
from valechat.errors import ConfigError

__all__ = ["SECONDS", "read"]

PATIENCE = 0.3
"""Seconds that a running cell is waited for; then its variables are read beside it."""

SECONDS = 10.0
"""The time that reading may take."""

T = TypeVar("T")


async def read(look: Callable[[], T], *, what: str = "The variable") -> T:
    """Look at the user's variables: between two cells where that is soon, else beside the one that runs.

    Beside a cell a value may change while it is looked at, so a fault there is tried once more.

    Raises:
        ConfigError: It took too long, or the value's own code failed.
    """
    try:
        async with asyncio.timeout(SECONDS):
            try:
                async with asyncio.timeout(PATIENCE) as patience:
                    found: T = await engine().on_main(look)
                    return found
            except TimeoutError:
                if not patience.expired():
                    raise
            return await _beside(look)
    except TimeoutError as error:
        raise ConfigError(
            f"{what} could not be read within {SECONDS:g} s.", fix="Attach a smaller part of it."
        ) from error
    except ConfigError:
        raise
    except Exception as error:  # whatever the value's own code raises
        raise ConfigError(f"{what} could not be read: {_said(error)}.") from error


async def _beside(look: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(look)
    except RuntimeError:
        # "changed size during iteration": the cell got in between.
        return await asyncio.to_thread(look)


def _said(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200].rstrip(".")
