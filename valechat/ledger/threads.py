"""Blocking ledger calls from the engine's loop."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

__all__ = ["durably"]

P = ParamSpec("P")
T = TypeVar("T")


async def durably(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking call in a worker thread, to its end even when the caller is cancelled meanwhile.

    A write that was begun is never left half-known: cancellation is raised only after it is done.
    """
    bound = functools.partial(call, *args, **kwargs)
    try:
        future = asyncio.get_running_loop().run_in_executor(None, bound)
    except RuntimeError:
        # The interpreter is ending and starts no more threads, but what was spent must still be settled.
        return bound()
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait({future})
        raise
