"""A process that asks one question after the other under a limit, and is unlucky now and then.

Run as `python -m tests.spender NAME COUNT LIMIT HOURS`, HOURS being the time zone's offset. It says on
standard output what became of each question once it is over, a line of JSON each.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
from datetime import timedelta, timezone
from typing import Any

from tests.scripted import ScriptedProvider, answer
from valechat.billing.table import default_table
from valechat.config import Limits
from valechat.errors import LimitReached, MissingKey, ServerFailed, StreamBroken, Unreachable, ValeChatError
from valechat.events import DoneEvent
from valechat.ledger import open_ledger
from valechat.ledger.base import Ledger
from valechat.messages import Message
from valechat.meter import Meter
from valechat.paths import user_paths
from valechat.providers.base import Chunk, Options, Request, TextChunk
from valechat.session import Target, Turn, run_turn

WORDS = 80
"""Words of five bytes in a question: more bytes than the tokens it is billed for."""

STALL = 60.0
"""Seconds a server that answers no more keeps the line open."""


def script(chance: random.Random) -> Any:
    """What a server does: it answers within what it was allowed, or fails in one of the ways there are."""
    luck = chance.random()
    share, input_tokens = chance.random(), chance.randint(50, 5 * WORDS)

    def answered(request: Request) -> list[Chunk | BaseException | float]:
        allowed = request.options.max_tokens
        assert allowed is not None, "under a limit each request says how long its answer may be"
        whole = answer("", input_tokens=input_tokens, output_tokens=round(share * allowed))
        return [TextChunk("word "), 0.001, TextChunk("word " * allowed), *whole]

    def failed(*steps: Chunk | BaseException | float) -> list[Chunk | BaseException | float]:
        return list(steps)

    if luck < 0.65:
        return answered
    if luck < 0.75:
        return failed(
            TextChunk("Half of a very long word, " * chance.randint(1, 40)), StreamBroken("Cut.", provider="demo")
        )
    if luck < 0.83:
        return failed(ServerFailed("Down.", provider="demo", status=500))
    if luck < 0.9:
        return failed(Unreachable("No route.", provider="demo"))
    if luck < 0.93:
        return failed(MissingKey("No key.", provider="demo"))
    return failed(TextChunk("word " * chance.randint(1, 400)), STALL)


async def stop(task: asyncio.Task[None], provider: ScriptedProvider, patience: float | None, *, stalled: bool) -> None:
    """Press stop, again and again: when nothing comes any more, or after a while at any point."""
    if stalled:
        await provider.waiting.wait()
    elif patience is not None:
        await asyncio.sleep(patience)
    else:
        return
    while not task.done():
        task.cancel()
        await asyncio.sleep(0.002)


async def ask(ledger: Ledger, meter: Meter, conversation: str, chance: random.Random) -> dict[str, Any]:
    """One question; what became of it."""
    steps = script(chance)
    stalled = isinstance(steps, list) and steps[-1] == STALL
    provider = ScriptedProvider(steps)
    options = Options(max_tokens=chance.randint(65, 400))
    turn = Turn(conversation, Message.user("word " * WORDS), [Target(provider, "echo")], options=options)
    said: dict[str, Any] = {"conversation": conversation, "cost": None, "outcome": "complete"}

    async def reading() -> None:
        async with contextlib.aclosing(run_turn(turn, ledger, meter)) as events:
            async for event in events:
                if isinstance(event, DoneEvent):
                    said.update(outcome=event.reply.status, cost=str(event.reply.cost))

    task = asyncio.ensure_future(reading())
    patience = chance.random() * 0.2 if chance.random() < 0.07 else None
    stopping = asyncio.ensure_future(stop(task, provider, patience, stalled=stalled))
    try:
        await task
    except asyncio.CancelledError:
        said["outcome"] = "cancelled"
    except LimitReached:
        said["outcome"] = "refused"
    except ValeChatError as error:
        said["outcome"] = error.kind
    stopping.cancel()
    said["sent"] = bool(provider.requests) and said["outcome"] != "MissingKey"
    return said


async def main(name: str, count: int, limit: str, hours: int) -> None:
    ledger = open_ledger(user_paths())
    limits = Limits.model_validate({"daily": limit})
    zone = timezone(timedelta(hours=hours))
    meter = Meter(ledger, limits=lambda: limits, prices=default_table, zone=lambda: zone)
    chance = random.Random(name)
    for n in range(count):
        said = await ask(ledger, meter, f"{name}-{n}", chance)
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
    ledger.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
