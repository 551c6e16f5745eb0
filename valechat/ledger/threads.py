"""Blocking ledger calls from the engine's loop."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

__all__ = ["durably", "to_the_end"]

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
    return await _undisturbed(future)


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Run several steps as one, to their end even when the caller is cancelled meanwhile, however often."""
    return await _undisturbed(asyncio.ensure_future(work))


async def _undisturbed(future: asyncio.Future[T]) -> T:
    interruption: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait({future})
        except asyncio.CancelledError as cancelled:
            interruption = cancelled
    if interruption is None:
        return future.result()
    if not future.cancelled():
        # Looked at, or asyncio would report it as forgotten; whoever cancelled asked for no answer.
        future.exception()
    raise interruption
