"""Writes what rows came to, many in one transaction.

While one group is written the next one gathers, so a slow disk makes larger groups, not a longer wait for
each row. A row counts as done when its group is written, never before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from valechat.billing.verify import verify
from valechat.held import Held
from valechat.ledger.base import Hold, UsageRow
from valechat.ledger.jobs import JobRow, JobStore, Settled
from valechat.ledger.threads import to_the_end
from valechat.messages import Message, TextPart
from valechat.meter import Meter
from valechat.rows.purse import Purse

__all__ = ["MOST_WAITING", "Clerk", "Ended", "Request"]

GATHER_SECONDS = 0.02
"""How long rows gather where they come faster than that; a killed process loses what had gathered."""

MOST_WAITING = 32
"""Rows that may wait to be written; then their requests wait too."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that is over: its hold, its row and its answer."""

    held: Held
    usage: UsageRow
    answer: Message


@dataclass(frozen=True, slots=True)
class Ended:
    """What is to be written of a row: its requests, and the row itself where it is done."""

    requests: Sequence[Request] = ()
    row: JobRow | None = None
    written: Callable[[], None] = field(default=lambda: None)


class Clerk:
    """Writes for one job. `failure` is why it could not, if it could not."""

    def __init__(self, store: JobStore, meter: Meter, purse: Purse) -> None:
        self.failure: BaseException | None = None
        self._store = store
        self._meter = meter
        self._purse = purse
        self._waiting: asyncio.Queue[Ended | None] = asyncio.Queue()
        self._room = asyncio.Event()
        self._closing = False
        self._work = asyncio.create_task(self._run())

    async def put(self, ended: Ended) -> None:
        """Have something written, soon; wait while too much waits already. It is never lost to a cancellation."""
        self.add(ended)
        while self._waiting.qsize() > MOST_WAITING and not self._work.done():
            self._room.clear()
            await self._room.wait()

    def add(self, ended: Ended) -> None:
        """Have something written, soon."""
        self._waiting.put_nowait(ended)

    async def close(self) -> None:
        """Write all that waits, and end.

        Raises:
            LedgerError: It could not be written. What can be is written before anything more is spent.
        """
        await to_the_end(self._close())

    async def _close(self) -> None:
        self._closing = True
        self._waiting.put_nowait(None)
        await self._work
        if self.failure is not None:
            raise self.failure

    async def _run(self) -> None:
        last = 0.0
        while not (self._closing and self._waiting.empty()):
            group = [await self._waiting.get()]
            if time.monotonic() - last < GATHER_SECONDS and not self._closing:
                await asyncio.sleep(GATHER_SECONDS)
            while not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            self._room.set()
            if ended := [one for one in group if one is not None]:
                await self._write(ended)
                last = time.monotonic()

    async def _write(self, group: Sequence[Ended]) -> None:
        """Write a group; after a failure what follows is tried all the same, for each row is money."""
        requests = [request for one in group for request in one.requests]
        try:
            async with self._purse.writing:
                hold, wanted = self._purse.after([request.held for request in requests])
                written: list[Hold | None] = []
                await self._meter.write(lambda: written.append(self._settle(group, hold, wanted)))
                self._purse.wrote(written[0])
            for request in requests:
                if request.held.rate:
                    await self._meter.settle_rates(request.held, request.usage)
        except Exception as failure:  # noqa: BLE001  # whatever it was, the job is to hear of it and end, not wait for ever
            self.failure = self.failure or failure
        finally:
            for request in requests:
                self._purse.give_back(request.held)
        if self.failure is None:
            for one in group:
                one.written()

    def _settle(self, group: Sequence[Ended], hold: Hold | None, wanted: Hold | None) -> Hold | None:
        """In a worker thread: count again what can be counted, and write."""
        settled = [
            Settled(
                [(_verified(request), (*request.held.plan.buckets,)) for request in one.requests],
                one.row,
            )
            for one in group
        ]
        return self._store.settle(settled, hold, wanted)


def _verified(request: Request) -> UsageRow:
    if request.usage.verification.status != "pending":
        return request.usage
    asked = request.held.request
    system = [Message("system", (TextPart(asked.system),))] if asked.system else []
    found = verify(
        request.usage.usage,
        request.held.priced_as,
        prompt=[*system, *asked.messages],
        answer=request.answer,
        schema=asked.options.schema is not None,
        status=request.usage.status,
    )
    return replace(request.usage, verification=found)
