"""`valechat.map`: one prompt for each row."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any, Literal

from typing_extensions import TypedDict, Unpack

from valechat import asking
from valechat.asking import Confirmation
from valechat.controls import Controls, only_known
from valechat.engine import HEARTBEAT, engine
from valechat.errors import ConfigError, ConfirmationRequired
from valechat.ledger.jobs import Job, Tally
from valechat.ledger.threads import durably, to_the_end
from valechat.quote import ask_first, unpriced
from valechat.rows.asked import Asked
from valechat.rows.batching import submit
from valechat.rows.estimate import Estimate, estimate
from valechat.rows.items import Common, item_of
from valechat.rows.purse import Purse
from valechat.rows.result import Rows
from valechat.rows.runner import Run, claimed, why_stopped
from valechat.rows.source import Source, source_of
from valechat.rows.template import Prompt, prompt_of
from valechat.services import services
from valechat.session import Target
from valechat.structured import Structure
from valechat.watching import Progress, Watcher, watcher

__all__ = ["MapArguments", "jobs", "map_rows", "map_rows_sync"]

MOST_AT_ONCE = 1_000


class MapArguments(TypedDict, total=False):
    """What `map` takes besides rows and prompt; see there."""

    model: str | None
    schema: Any
    system: str | None
    images: str | None
    name: str | None
    concurrency: int
    max_cost: Decimal | str | None
    confirmed: bool
    dry_run: bool
    deduplicate: bool
    mode: Literal["now", "batch"]
    temperature: float | None
    max_tokens: int | None
    timeout: float | None
    reasoning_effort: str | None
    seed: int | None
    options: Mapping[str, Any] | None


async def map_rows(data: Any, prompt: Prompt, **how: Unpack[MapArguments]) -> Rows:
    """Ask one prompt for each row, many at once, and keep every answer in the ledger.

    The same call again goes on where the last one ended, whatever ended it, and asks no row twice that is
    answered: a row is known by its place and its prompt.

    Args:
        data: A DataFrame of pandas or polars, an Arrow table, a DuckDB relation, or any iterable of mappings
            or texts (whose column is `text`). Rows are read as they are needed.
        prompt: A text with `{column}` in it, or a function from a row to its prompt. Braces as in the magics:
            JSON survives, `{{column}}` is sent as `{column}`.
        how: `model`: `provider/model`; the default model when left out. `schema`: the form of the answers, as
            in `Chat`; each of its fields is a column. `system`: instructions before each prompt. `images`: the
            column with images: paths, bytes, figures, or lists of them. `name`: the job's name; with it a job
            goes on though its prompt was changed. `concurrency`: requests at once, at most (16). `max_cost`:
            USD the job may cost, all its runs together. `confirmed`: you agree to a cost above `confirm_above`,
            or to an unknown one under a limit. `dry_run`: only reckon; see `Rows.estimate`. `deduplicate`: ask
            equal prompts once. `mode`: `"batch"` hands all rows to the provider's batch API, at half the
            price, and returns at once; see `Rows.refresh`. And the controls of a chat: `temperature`,
            `max_tokens`, `timeout`, `reasoning_effort`, `seed`, `options`.

    Returns:
        The rows; `rows.table` has them as the kind of table that came in. Where a limit stopped the job,
        `rows.status` is `limit`, and `rows.note` says which.

    Raises:
        TypeError: A keyword is none of these.
        ConfigError: The prompt names a column that is not there, or an argument cannot be right.
        LimitReached: A limit left no room for the first row.
        ConfirmationRequired: The user has to agree first; nothing was sent.
        ProviderError: No row could be asked: the key is refused, there is no such model.
    """
    progress, shown = Progress(""), watcher()
    work = asyncio.ensure_future(engine().wait(_map(source_of(data), prompt, how, progress)))
    try:
        while not work.done():
            await asyncio.wait({work}, timeout=HEARTBEAT)
            _show(shown, progress)
        return work.result()
    except BaseException:
        work.cancel()
        await asyncio.wait({work})
        raise
    finally:
        _show(shown, progress, last=True)


def map_rows_sync(data: Any, prompt: Prompt, **how: Unpack[MapArguments]) -> Rows:
    """`map` for code that cannot await. The stop button stops it; all finished rows are kept."""
    progress, shown = Progress(""), watcher()
    work = _map(source_of(data), prompt, how, progress)
    try:
        return engine().run(work, each_beat=lambda: _show(shown, progress))
    finally:
        _show(shown, progress, last=True)


def jobs(most: int = 20) -> list[Rows]:
    """The latest jobs, newest first, with their rows as they are in the ledger."""
    return [Rows(job.id) for job in services().ledger.jobs.jobs(most)]


def _show(shown: Watcher, progress: Progress, *, last: bool = False) -> None:
    if progress.title:
        (shown.end if last else shown.look)(progress)


async def _map(source: Source, prompt: Prompt, how: MapArguments, progress: Progress) -> Rows:
    only_known(how, MapArguments, "`map`")
    max_cost, _ = _max_cost(how.get("max_cost")), _concurrency(how.get("concurrency", 16))
    found = services()
    template = prompt_of(prompt)
    options, structure = Controls(
        temperature=how.get("temperature"),
        max_tokens=how.get("max_tokens"),
        timeout=how.get("timeout"),
        reasoning_effort=how.get("reasoning_effort"),
        seed=how.get("seed"),
        schema=how.get("schema"),
        options=how.get("options") or {},
    ).for_request()
    target = await found.target(how.get("model") or await found.default_model())
    await found.ready(target)
    common = Common(target.model, template, how.get("system"), options, how.get("images"))
    first = await asyncio.to_thread(lambda: next(iter(source.sample()), None))
    if first is not None:
        template.check(first)
        _check_images(first, common.images)
    job_id = _job_id(how.get("name"), target, common)
    known = await durably(found.ledger.jobs.tally, job_id)
    asked = Asked(found, _job(job_id, how, target, common, source), target, common, source, max_cost)
    reckoned = await _reckon(asked, known)
    rows = Rows(job_id, source=source, common=common, estimate=reckoned)
    if how.get("dry_run"):
        return rows
    await _agree(asked, reckoned, confirmed=how.get("confirmed", False))
    if asked.job.mode == "batch":
        await submit(asked)
        return rows
    progress.total, progress.cost, progress.title = source.count, known.cost, asked.job.name
    await _run(asked, how, progress, structure, known)
    return rows


async def _run(asked: Asked, how: MapArguments, progress: Progress, structure: Structure | None, known: Tally) -> None:
    found, job, source = asked.found, asked.job, asked.source
    store = found.ledger.jobs
    async with claimed(store, job.id, job.name):
        await durably(store.start, job)
        run = Run(
            found,
            store,
            job.id,
            target=asked.target,
            common=asked.common,
            source=source,
            progress=progress,
            concurrency=_concurrency(how.get("concurrency", 16)),
            max_cost=asked.max_cost,
            structure=structure,
            deduplicate=how.get("deduplicate", False),
        )
        status, note = "stopped", "It was stopped."
        try:
            await run.go()
            status, note = why_stopped(run)
        except Exception as error:
            status, note = "failed", str(error)
            raise
        finally:
            progress.ended = _ended(status, note)
            await to_the_end(
                durably(store.change, job.id, status=status, note=note, rows=source.count or progress.finished)
            )
    if run.failure is not None and not progress.finished and not known.rows:
        raise run.failure


def _ended(status: str, note: str) -> str:
    if status == "complete":
        return "done"
    return f"{note} All finished rows are kept; the same call again goes on."


def _max_cost(wanted: object) -> Decimal | None:
    try:
        amount = None if wanted is None else Decimal(str(wanted))
    except InvalidOperation:
        amount = Decimal(-1)
    if amount is not None and not (amount.is_finite() and amount >= 0):
        raise ConfigError(f"`max_cost` is {wanted!r}.", fix='Write it in USD, such as "3.00".')
    return amount


def _concurrency(wanted: int) -> int:
    if not 1 <= wanted <= MOST_AT_ONCE:
        raise ConfigError(f"`concurrency` is {wanted}.", fix=f"Choose 1 to {MOST_AT_ONCE:,}.")
    return wanted


def _check_images(first: Mapping[str, Any], column: str | None) -> None:
    if column is not None and column not in first:
        raise ConfigError(f"There is no column {column!r} for `images`.", fix=f"The columns are {', '.join(first)}.")


def _job_id(name: str | None, target: Target, common: Common) -> str:
    key = f"name\n{name}" if name else f"{target.name}\n{common.template.key}\n{common.key}\n{common.images}"
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _job(job_id: str, how: MapArguments, target: Target, common: Common, source: Source) -> Job:
    now, options = datetime.now(UTC), common.options
    first_line = next((line.strip() for line in common.template.text.splitlines() if line.strip()), "")
    settings = {
        "system": common.system,
        "schema": options.schema and dict(options.schema),
        "temperature": options.temperature,
        "max_tokens": options.max_tokens,
        "reasoning_effort": options.reasoning_effort,
        "seed": options.seed,
        "options": dict(options.extra),
    }
    mode = how.get("mode", "now")
    if mode not in ("now", "batch"):
        raise ConfigError(f"There is no mode {mode!r}.", fix='Choose "now" or "batch".')
    return Job(
        id=job_id,
        name=how.get("name") or first_line[:60],
        model=target.name,
        prompt=common.template.text,
        created_at=now,
        updated_at=now,
        mode=mode,
        settings={name: value for name, value in settings.items() if value not in (None, {})},
        rows=source.count,
    )


async def _reckon(asked: Asked, known: Tally) -> Estimate:
    """The estimate, from a sample; nothing is sent."""
    found, target, common, source = asked.found, asked.target, asked.common, asked.source
    purse = Purse(found, target.provider, target.name, asked.job.id)

    def reckon() -> Estimate:
        sizes = found.settings.sizes
        items = [item_of(n, row, common, sizes) for n, row in enumerate(islice(source.sample(), 200))]
        requests = [common.request(item) for item, why in items if not why]
        sampled = [(request, purse.quote(request), purse.most_tokens(request)) for request in requests]
        finished = sum(known.by_status.get(name, 0) for name in ("complete", "invalid", "out"))
        left = None if source.count is None else max(0, source.count - finished)
        return estimate(target.name, sampled, left, known)

    try:
        return await asyncio.to_thread(reckon)
    finally:
        await purse.close()


async def _agree(asked: Asked, reckoned: Estimate, *, confirmed: bool) -> None:
    """Have the user agree once, for the whole job, where it may cost more than agreed or nobody knows what.

    Raises:
        ConfirmationRequired: There is nobody to ask, or the user said no.
    """
    limits, target, max_cost = asked.found.settings.limits, asked.target, asked.max_cost
    if confirmed or reckoned.rows == 0:
        return
    limited = max_cost is not None or any((limits.daily, limits.monthly, limits.models.get(target.name)))
    above = limits.confirm_above
    most = reckoned.worst if max_cost is None or reckoned.worst is None else min(reckoned.worst, max_cost)
    if most is None and limited:
        required = unpriced(target.name)
    elif most is not None and above is not None and most > above:
        required = ask_first(target.name, most, above)
        required = ConfirmationRequired(f"All together: {reckoned}", worst_case=most, fix=required.fix)
    else:
        return
    if not await asking.asker().confirm(Confirmation(required.message, required.worst_case, target.name)):
        raise required
