"""A job's run: rows read, asked by as many workers as the server takes, and written."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from valechat.billing.sentences import usd
from valechat.errors import ConfigError, LimitReached, ProviderError, RequestRejected, ValeChatError
from valechat.ledger.jobs import JobRow, JobStore
from valechat.ledger.threads import durably, to_the_end
from valechat.money import EXACT
from valechat.rows.asking import Asking
from valechat.rows.clerk import Clerk, Ended
from valechat.rows.direct import direct
from valechat.rows.gate import Gate, GaveUp
from valechat.rows.items import Common, Feed, Item, broken_row
from valechat.rows.purse import MAX_COST, Purse
from valechat.rows.source import Source
from valechat.services import Services
from valechat.session import Target
from valechat.structured import Structure
from valechat.watching import Progress

__all__ = ["Run", "claimed", "why_stopped"]

CLAIM = timedelta(minutes=3)
CLAIM_SECONDS = 60.0
ALL_REJECTED = 10
"""After so many rows of a run that the server rejects, and none that it answers, the run ends."""


class claimed(contextlib.AbstractAsyncContextManager[None]):  # noqa: N801  # used as a verb
    """Have a job for this process while it runs.

    Raises:
        ConfigError: Another process runs it.
    """

    def __init__(self, store: JobStore, job_id: str, name: str) -> None:
        self._store = store
        self._job_id = job_id
        self._name = name

    async def __aenter__(self) -> None:
        if not await self._take():
            raise ConfigError(
                f"The job {self._name!r} is running in another kernel.", fix="Wait for it, or stop it there."
            )
        self._renewing = asyncio.create_task(self._renew())

    async def __aexit__(self, *_: object) -> None:
        self._renewing.cancel()
        await to_the_end(durably(self._store.unclaim, self._job_id))

    async def _take(self) -> bool:
        return await durably(self._store.claim, self._job_id, datetime.now(UTC) + CLAIM)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(CLAIM_SECONDS)
            with contextlib.suppress(ValeChatError):
                await self._take()


class Run:
    """One run of a job. `stopped` is why it ended before its last row; empty when it did not.

    Args:
        found: The services.
        job_id: The job.
        target: The model's provider and name.
        common: What all requests have in common.
        source: The rows.
        progress: Told how it goes.
        concurrency: Requests at once, at most.
        max_cost: USD the job may cost, earlier runs included.
        structure: The form of the answers.
        deduplicate: Ask each prompt once.
    """

    def __init__(
        self,
        found: Services,
        store: JobStore,
        job_id: str,
        *,
        target: Target,
        common: Common,
        source: Source,
        progress: Progress,
        concurrency: int,
        max_cost: Decimal | None,
        structure: Structure | None,
        deduplicate: bool,
    ) -> None:
        self.stopped = ""
        self.limit: LimitReached | None = None
        self.failure: ValeChatError | None = None
        self.progress = progress
        self._store = store
        self._job_id = job_id
        self._model = target.name
        self._deduplicate = deduplicate
        self._followers: dict[str, list[Item]] = {}
        self._rejected = 0
        self._answered = 0
        self._over = asyncio.Event()
        self._feed = Feed(source, common, found.settings.sizes, store, job_id)
        provider = direct(found, target.provider.name)
        self._gate = Gate(concurrency, clock=time.monotonic)
        self._purse = Purse(found, provider, target.name, job_id, max_cost=max_cost, ahead=concurrency)
        self._clerk = Clerk(store, found.meter, self._purse)
        self._concurrency = concurrency
        self._items: asyncio.Queue[Item | None] = asyncio.Queue(concurrency)
        self._asking = Asking(
            job_id,
            common,
            provider,
            gate=self._gate,
            purse=self._purse,
            clerk=self._clerk,
            bill=self._purse.biller().bill,
            structure=structure,
            written=self._written,
        )

    async def go(self) -> None:
        """Ask all rows that are not known yet.

        Raises:
            ValeChatError: The input cannot be read, or the ledger cannot be written.
            CancelledError: It was stopped; what was under way is settled.
        """
        workers = [asyncio.create_task(self._worker()) for _ in range(self._concurrency)]
        try:
            await self._read()
            for _ in workers:
                await self._put(None)
            if self._over.is_set():
                self._send_home(len(workers))
            await asyncio.gather(*workers)
        finally:
            self._purse.open = False
            await to_the_end(self._end(workers))
        if self.failure is not None:
            self.stopped = str(self.failure)

    async def _end(self, workers: list[asyncio.Task[None]]) -> None:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        try:
            await self._clerk.close()
        finally:
            await self._purse.close()

    async def _read(self) -> None:
        while not self._over.is_set():
            piece = await asyncio.to_thread(self._feed.next)
            if piece is None:
                return
            self.progress.kept += piece.kept
            for item, why in piece.broken:
                row = broken_row(self._job_id, item, why, self._model)
                self._clerk.add(Ended((), row, functools.partial(self._written, row, item)))
            for item in piece.items:
                if not (self._deduplicate and await self._follows(item)):
                    await self._put(item)

    def _send_home(self, workers: int) -> None:
        """Let the workers that wait for an item end."""
        while not self._items.empty():
            self._items.get_nowait()
        for _ in range(workers):
            self._items.put_nowait(None)

    async def _put(self, item: Item | None) -> None:
        """Hand an item to a worker, or None to end it, unless the run is over meanwhile."""
        putting = asyncio.ensure_future(self._items.put(item))
        over = asyncio.ensure_future(self._over.wait())
        await asyncio.wait({putting, over}, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        if not putting.done():
            putting.cancel()
            await asyncio.wait({putting})

    async def _worker(self) -> None:
        while not self._over.is_set():
            item = await self._items.get()
            if item is None:
                return
            try:
                await self._asking.ask(item)
            except LimitReached as limit:
                self.limit = limit
                self._stop(limit)
            except GaveUp as gave_up:
                self._stop(gave_up.error)
            except ValeChatError as error:
                self._stop(error)
            self.progress.waiting = f"the server asks for {self._gate.paused:.0f} s" if self._gate.paused > 1 else ""

    def _stop(self, why: ValeChatError) -> None:
        """Send nothing more; what is under way comes to its end."""
        if self.failure is None:
            self.failure = why
        self._over.set()

    async def _follows(self, item: Item) -> bool:
        """Whether another row asks the same: then its answer is taken."""
        if item.digest in self._followers:
            self._followers[item.digest].append(item)
            return True
        found = await durably(self._store.answered, self._job_id, item.digest)
        if found is not None:
            self._copy(found, item)
            return True
        self._followers[item.digest] = []
        return False

    def _copy(self, row: JobRow, item: Item) -> None:
        copied = replace(row, row=item.row, cost=Decimal(0), source=item.source, ts=datetime.now(UTC))
        self._clerk.add(Ended((), copied, lambda: self._written(copied, item)))

    def _written(self, row: JobRow, item: Item) -> None:
        """A row is in the ledger."""
        progress = self.progress
        progress.done += 1
        progress.failed += row.status == "failed"
        progress.invalid += row.status == "invalid"
        if row.cost is None:
            progress.unpriced = True
        else:
            progress.cost = EXACT.add(progress.cost, row.cost)
            progress.spent = EXACT.add(progress.spent, row.cost)
        progress.mark()
        self._watch_rejections(row)
        for follower in self._followers.pop(item.digest, ()):
            self._copy(row, follower)

    def _watch_rejections(self, row: JobRow) -> None:
        if row.status != "failed":
            self._answered += 1
        elif (row.error or "").startswith(f"{RequestRejected.__name__}:"):
            self._rejected += 1
        if self._rejected >= ALL_REJECTED and not self._answered:
            self._stop(
                ConfigError(
                    f"The server rejected the first {self._rejected} rows: {row.error}",
                    fix="Correct the prompt, the schema or the options.",
                )
            )


def why_stopped(run: Run) -> tuple[str, str]:
    """How a run ended, in a word and in a sentence."""
    if run.limit is not None:
        if run.limit.limit == MAX_COST:
            left = max(Decimal(0), EXACT.subtract(run.limit.amount, run.limit.used))
            amount, rest = usd(run.limit.amount), usd(left, rounding="down")
            return "limit", f"`max_cost` of {amount} has {rest} left, too little for what one more row may cost."
        return "limit", str(run.limit)
    if isinstance(run.failure, ProviderError | ValeChatError):
        return "failed", str(run.failure)
    return "complete", ""
