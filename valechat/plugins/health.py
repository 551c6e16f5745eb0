"""Whether a server is still alive: its connection's end, and a ping when it has long said nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from valechat.plugins.backoff import Clock

if TYPE_CHECKING:
    from valechat.plugins.connection import Connection

__all__ = ["IDLE_SECONDS", "watched"]

IDLE_SECONDS = 30.0
ANSWER_SECONDS = 10.0
MOST_MISSES = 2


async def watched(connection: Connection, clock: Clock, log: Callable[[str, str, str], None]) -> str:
    """Wait until the server is gone or answers no more, and say which."""
    waits = {asyncio.ensure_future(connection.end()), asyncio.ensure_future(_silent(connection, clock, log))}
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for waiting in waits:
            waiting.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def _silent(connection: Connection, clock: Clock, log: Callable[[str, str, str], None]) -> str:
    misses, answers = 0, connection.answers
    while misses < MOST_MISSES:
        await clock.sleep(IDLE_SECONDS)
        if connection.busy or connection.answers != answers or await _alive(connection, clock, again=misses > 0):
            misses = 0
        else:
            misses += 1
            log("valechat", "warning", f"It did not answer a ping within {ANSWER_SECONDS:g} s.")
        answers = connection.answers
    return f"The server answers no more ({MOST_MISSES} pings in a row)."


async def _alive(connection: Connection, clock: Clock, *, again: bool) -> bool:
    """Whether it answers anything, in time."""
    asked = asyncio.ensure_future(connection.check(differently=again))
    patience = asyncio.ensure_future(clock.sleep(ANSWER_SECONDS))
    try:
        await asyncio.wait({asked, patience}, return_when=asyncio.FIRST_COMPLETED)
        return asked.done() and asked.exception() is None and asked.result()
    finally:
        for waiting in (asked, patience):
            waiting.cancel()
        await asyncio.gather(asked, patience, return_exceptions=True)
