"""Rows handed to a provider's batch API, and fetched when they are answered, days later if need be.

A batch is noted, with its rows and its hold on the limits, before the provider is asked, and looked for
where nobody knows whether it was taken (`lost`). Its hold outlives this process. Each answer's request has
the id that it was given in the batch, so fetching a batch twice bills nothing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from valechat.accumulate import Answer
from valechat.billing.estimate import size_of
from valechat.billing.limits import Plan
from valechat.errors import ConfigError, LimitReached, ValeChatError
from valechat.held import Held
from valechat.ids import new_id
from valechat.ledger.base import Hold, UsageRow
from valechat.ledger.jobs import Batch, Job, JobRow, JobStore, Settled
from valechat.ledger.threads import durably
from valechat.messages import Message
from valechat.money import EXACT
from valechat.providers.base import Provider, Request
from valechat.providers.batches import Batches, BatchLine, BatchResult, OffersBatches
from valechat.providers.resilience import Resilient
from valechat.rows.asked import Asked
from valechat.rows.asking import read_answer
from valechat.rows.items import Feed, broken_row
from valechat.rows.lost import look_for, may_be_taken
from valechat.rows.purse import Purse
from valechat.rows.runner import claimed
from valechat.services import Services, services
from valechat.session import Target
from valechat.structured import Structure, structure

__all__ = ["cancel", "refresh", "submit"]

HOLD = timedelta(days=31)
"""How long a batch's hold stands: providers keep results for 29 or 30 days."""

BATCH = {"processing": "batch"}
"""How the price table knows what is processed in a batch."""

_GROUP = 500
_ROWS = 10_000
"""Rows of one batch of ours: a failed upload costs no more than these."""


async def submit(asked: Asked) -> None:
    """Hand all rows over that are not answered or out yet; fetch what is answered.

    Raises:
        LimitReached: A limit has no room for the first of the batches.
        ProviderError: The provider took no batch.
        ConfigError: It has no batch API.
    """
    found, job = asked.found, asked.job
    store, batches = found.ledger.jobs, _batches(asked.target)
    async with claimed(store, job.id, job.name):
        await durably(store.start, job)
        unclear = await _fetch(found, store, job, asked.target, batches)
        status, note = "out", unclear
        sent = False
        try:
            async with aclosing(_loads(asked, store, batches)) as loads:
                async for load in loads:
                    await _send(asked, store, batches, load)
                    sent = True
        except LimitReached as limit:
            if not sent and not (await durably(store.tally, job.id)).rows:
                raise
            status, note = "limit", f"{limit} {unclear}".rstrip()
        except ValeChatError as error:
            note = f"{error} {unclear}".rstrip()
            raise
        finally:
            await _note(store, job.id, status, note)


async def refresh(job_id: str) -> None:
    """Fetch what is answered of a job's batches.

    Raises:
        ConfigError: There is no such job.
        ProviderError: The provider could not be asked.
    """
    found = services()
    store = found.ledger.jobs
    job = await durably(store.job, job_id)
    if job is None:
        raise ConfigError("There is no such job any more.", fix="`valechat.jobs()` lists those there are.")
    target = await found.target(job.model)
    async with claimed(store, job.id, job.name):
        unclear = await _fetch(found, store, job, target, _batches(target))
        status, note = ("limit", job.note) if job.status == "limit" else ("out", unclear)
        await _note(store, job.id, status, note)


async def cancel(job_id: str) -> None:
    """End a job's batches early, and fetch what is answered. Raises what `refresh` does."""
    found = services()
    store = found.ledger.jobs
    job = await durably(store.job, job_id)
    if job is not None:
        batches = _batches(await found.target(job.model))
        if any(batch.status == "sending" for batch in await durably(store.batches, job_id)):
            await refresh(job_id)
        for batch in await durably(store.batches, job_id):
            if batch.status == "out":
                await batches.cancel(batch.remote)
    await refresh(job_id)


def _batches(target: Target) -> Batches:
    provider: Provider = target.provider
    inner = provider.inner if isinstance(provider, Resilient) else provider
    if not isinstance(inner, OffersBatches):
        raise ConfigError(
            f"{inner.name} has no batch API that ValeChat knows.", fix='Leave `mode="batch"` out, or ask another model.'
        )
    return inner.batches


async def _note(store: JobStore, job_id: str, status: str, note: str) -> None:
    tally = await durably(store.tally, job_id)
    if status == "out" and not tally.by_status.get("out"):
        failed = tally.by_status.get("failed", 0)
        status, note = "complete", f"{failed:,} rows failed; the same call hands them over again." if failed else ""
    await durably(store.change, job_id, status=status, note=note)


class _Load:
    """Rows for one batch, while they gather."""

    def __init__(self, plan: Plan) -> None:
        self.id = new_id()
        self.lines: list[BatchLine] = []
        self.rows: list[JobRow] = []
        self.plan = plan
        self.worst: Decimal | None = Decimal(0)
        self.bytes = 0


async def _loads(asked: Asked, store: JobStore, batches: Batches) -> AsyncGenerator[_Load, None]:
    """The rows to hand over, as much at a time as a batch may have."""
    found, common, job = asked.found, asked.common, asked.job
    purse = Purse(found, asked.target.provider, asked.target.name, job.id, max_cost=asked.max_cost)
    feed = Feed(asked.source, common, found.settings.sizes, store, job.id)
    try:
        load = _Load(purse.plan)
        while (piece := await asyncio.to_thread(feed.next)) is not None:
            broken = [Settled((), broken_row(job.id, item, why, job.model)) for item, why in piece.broken]
            if broken:
                await durably(store.settle, broken)
            for item in piece.items:
                request = common.request(item)
                quote = replace(purse.quote(request), details=BATCH)
                most = purse.most_tokens(request)
                worst = quote.worst(most)
                if purse.plan.ceilings and worst is not None:
                    request = replace(request, options=replace(request.options, max_tokens=most))
                line = BatchLine(f"{load.id}-{item.row}", request)
                size = batches.size(line)
                full = len(load.lines) >= min(_ROWS, batches.most_rows) or load.bytes + size > batches.most_bytes
                if load.lines and full:
                    yield load
                    load = _Load(purse.plan)
                    line = BatchLine(f"{load.id}-{item.row}", request)
                row = JobRow(job.id, item.row, item.digest, item.prompt, "out", datetime.now(UTC), job.model)
                load.lines.append(line)
                load.rows.append(replace(row, request_id=line.custom_id, source=item.source))
                load.bytes += size
                load.worst = None if worst is None or load.worst is None else EXACT.add(load.worst, worst)
        if load.lines:
            yield load
    finally:
        await purse.close()


async def _send(asked: Asked, store: JobStore, batches: Batches, load: _Load) -> None:
    """Hold, note, hand over."""
    ledger, now = asked.found.ledger, datetime.now(UTC)
    buckets, ceilings = load.plan.buckets, load.plan.ceilings
    await durably(ledger.reserve, Hold(load.id, load.worst, buckets, ceilings, now + HOLD, detached=True))
    batch = Batch(load.id, asked.job.id, asked.target.provider.name, len(load.rows), now, hold=load.id, plan=buckets)
    await durably(store.put_batch, batch, load.rows)
    try:
        remote = await batches.submit(load.id, load.lines)
    except ValeChatError as error:
        if may_be_taken(error):
            # From now on it may come to be listed.
            await durably(store.put_batch, replace(batch, created_at=datetime.now(UTC)))
            error.fix = f"{error.fix} The same call looks for the batch before it hands anything over again.".lstrip()
        else:
            await _give_up(asked.found, store, batch, load.rows, f"{error.kind}: {error.message}")
        raise
    await durably(store.put_batch, replace(batch, remote=remote, status="out"))


async def _give_up(found: Services, store: JobStore, batch: Batch, rows: Sequence[JobRow], why: str) -> None:
    """Rows that nobody will answer: they failed, and cost nothing."""
    for start in range(0, len(rows), _GROUP):
        group = [replace(row, status="failed", error=why, request_id=None) for row in rows[start : start + _GROUP]]
        await durably(store.settle, [Settled((), row) for row in group])
    await durably(store.put_batch, replace(batch, status="over"))
    await durably(found.ledger.release, batch.hold)


async def _fetch(found: Services, store: JobStore, job: Job, target: Target, batches: Batches) -> str:
    """Write what is answered of a job's batches that are over, and find those that may have been taken.

    What is said of those of which that is still not known.
    """
    unclear: list[str] = []
    form = job.settings.get("schema")
    read = _Reader(found, job, target, None if form is None else structure(form))
    for known in await durably(store.batches, job.id):
        batch = known
        if batch.status == "sending":
            remote, why = await look_for(store, batches, batch, found.zone)
            if why:
                unclear.append(why)
                continue
            if remote is None:
                rows = [row async for row in _out(store, batch)]
                await _give_up(found, store, batch, rows, "The batch never reached the provider.")
                continue
            batch = replace(batch, remote=remote, status="out")
            await durably(store.put_batch, batch)
        if batch.status != "out":
            continue
        state = await batches.state(batch.remote)
        if not state.over:
            continue
        rows_out = {row.request_id: row async for row in _out(store, batch)}
        group: list[Settled] = []
        if not state.error:
            async with aclosing(batches.results(batch.remote)) as results:
                async for result in results:
                    row = rows_out.pop(result.custom_id, None)
                    if row is not None:
                        group.append(read.settled(batch, row, result))
                    if len(group) == _GROUP:
                        await durably(store.settle, group)
                        group = []
        await durably(store.settle, group)
        why = state.error or f"The batch is {state.said}; this row has no answer."
        await _give_up(found, store, batch, list(rows_out.values()), why)
    return " ".join(unclear)


async def _out(store: JobStore, batch: Batch) -> AsyncGenerator[JobRow, None]:
    """The rows of a batch that are still out."""
    first = 0
    while page := await durably(store.rows, batch.job_id, first):
        for row in page:
            if row.status == "out" and (row.request_id or "").startswith(batch.id):
                yield row
        first = page[-1].row + 1


class _Reader:
    """Makes rows and bills of a batch's results."""

    def __init__(self, found: Services, job: Job, target: Target, form: Structure | None) -> None:
        self._meter = found.meter
        self._form = form
        self._job = job
        self._target = target
        self._zone = found.zone
        self._priced_as = found.price_name(target)

    def settled(self, batch: Batch, row: JobRow, result: BatchResult) -> Settled:
        """What is written of one result."""
        now = datetime.now(UTC)
        if result.answer is None:
            return Settled((), replace(row, status="failed", error=result.error, request_id=None, ts=now))
        answer = result.answer
        usage = self._bill(batch, row, answer)
        cut = answer.stop is not None and answer.stop.reason == "max_tokens"
        text = answer.message.text
        status, parsed, why = read_answer(text, self._form, cut=cut)
        done = replace(row, status=status, answer=text, parsed=parsed, error=why, cost=usage.cost, ts=now)
        return Settled([(usage, batch.plan)], done)

    def _bill(self, batch: Batch, row: JobRow, answer: Answer) -> UsageRow:
        request = Request(self._target.model, [Message.user(row.prompt)], self._job.settings.get("system"))
        held = Held(
            request_id=row.request_id or "",
            request=request,
            priced_as=self._priced_as,
            provider=self._target.provider,
            kind="map",
            conversation_id=None,
            note="",
            began=batch.created_at,
            zone=self._zone,
            size=size_of(request.messages, request.system),
            plan=Plan(tuple(batch.plan), ()),
            most_output_bytes=None,
        )
        made = self._meter.bill(held, answer, "complete", details=BATCH)
        # It waited for its turn, so what passed says nothing of the model's speed.
        return replace(made, first_token_ms=None, duration_ms=None)
