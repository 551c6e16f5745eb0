"""Blocking ledger calls from the engine's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

__all__ = ["durably"]

P = ParamSpec("P")
T = TypeVar("T")


async def durably(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking call in a worker thread, to its end even when the caller is cancelled meanwhile.

    A write that was begun is never left half-known: cancellation is raised only after it is done.
    """
    task = asyncio.ensure_future(asyncio.to_thread(call, *args, **kwargs))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
