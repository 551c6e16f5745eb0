"""`Rows`: what became of a job. Its rows are in the ledger, and read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any

from valechat.billing.sentences import figure
from valechat.engine import engine
from valechat.errors import ConfigError
from valechat.ledger.jobs import Job, JobRow, JobStore, Tally
from valechat.rows.estimate import Estimate
from valechat.rows.frames import added, names_of, whole
from valechat.rows.items import Common, item_of
from valechat.rows.source import Source
from valechat.services import services

__all__ = ["Rows"]

_PAGE = 1_000


class Rows:
    """A job's rows, as they are in the ledger now.

    Attributes:
        id: The job's id in the views `map_jobs` and `map_rows`.
        estimate: What was reckoned before it began; None for a job of an earlier session.
    """

    def __init__(
        self,
        job_id: str,
        *,
        source: Source | None = None,
        common: Common | None = None,
        estimate: Estimate | None = None,
    ) -> None:
        self.id = job_id
        self.estimate = estimate
        self._source = source
        self._common = common

    @property
    def job(self) -> Job | None:
        """The job's head; None where nothing was sent yet."""
        return _store().job(self.id)

    @property
    def status(self) -> str:
        """`complete`, `stopped`, `limit`, `failed`, `running`, `out` (in a provider's batch), or `estimated`."""
        job = self.job
        return "estimated" if job is None else job.status

    @property
    def note(self) -> str:
        """Why it did not complete: the limit that stopped it, the error; empty otherwise."""
        job = self.job
        return "" if job is None else job.note

    @property
    def cost(self) -> Decimal:
        """USD the job has cost, all its runs together. What has no known price is not in it."""
        return self._tally.cost

    @property
    def done(self) -> int:
        """Rows that are answered."""
        counts = self._tally.by_status
        return counts.get("complete", 0) + counts.get("invalid", 0)

    @property
    def failed(self) -> int:
        """Rows without an answer because of an error; running the job again asks them again."""
        return self._tally.by_status.get("failed", 0)

    @property
    def invalid(self) -> int:
        """Rows whose answer, which is kept and paid, has not the form that was asked for, or was cut."""
        return self._tally.by_status.get("invalid", 0)

    @property
    def table(self) -> Any:
        """The rows with their answers, in order, as the kind of table that was mapped over.

        Each row has its answer's fields (or `answer`), `status`, `error`, `cost`, `request_id` and `model`.
        A row that was not asked yet has the status `waiting`.
        """
        return whole(self._source, self._found())

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The rows with their answers, one by one, as dicts; a million of them need no memory."""
        source = self._source
        for row, more in self._found():
            given = more if row is None else row
            yield {**given, **more} if source is None else whole(None, [(given, more)])[0]

    def refresh(self) -> Rows:
        """Ask the provider how a batch stands, and write the answers that are there."""
        from valechat.rows.batching import refresh

        engine().run(refresh(self.id))
        return self

    def cancel(self) -> Rows:
        """End a batch. What is answered already is kept, and paid."""
        from valechat.rows.batching import cancel

        engine().run(cancel(self.id))
        return self

    def delete(self) -> None:
        """Delete the job with its prompts and answers from the ledger. What it cost stays.

        Raises:
            ConfigError: A batch of it is with the provider, whose cost nobody would record.
        """
        if out := self._tally.by_status.get("out"):
            raise ConfigError(
                f"{out:,} rows of this job are with the provider, and what they cost is not known yet.",
                fix="`rows.refresh()` fetches what is answered, `rows.cancel()` ends the batch. Delete the job then.",
            )
        _store().delete(self.id)

    @property
    def _tally(self) -> Tally:
        return _store().tally(self.id)

    def _found(self) -> Iterator[tuple[Mapping[str, Any] | None, dict[str, Any]]]:
        job = self.job
        if job is None and self._common is None:
            return
        own = None if self._common is None else self._common.options.schema
        schema: Mapping[str, Any] | None = own if job is None else job.settings.get("schema")
        fields = names_of(schema)
        model = "" if job is None else job.model
        stored = _by_place(_store(), self.id)
        if self._source is None or self._common is None or self._source.once:
            for versions in stored:
                row = versions[-1]
                more = added(row, fields, structured=schema is not None, model=model)
                yield (row.source or {"row": row.row, "prompt": row.prompt}), more
            return
        sizes = services().settings.sizes
        following = next(stored, None)
        for place, values in enumerate(self._source.rows()):
            while following is not None and following[0].row < place:
                following = next(stored, None)
            found = None
            if following is not None and following[0].row == place:
                item, _ = item_of(place, values, self._common, sizes)
                found = next((row for row in reversed(following) if row.digest == item.digest), None)
            yield values, added(found, fields, structured=schema is not None, model=model)

    def __repr__(self) -> str:
        job = self.job
        name = self.id if job is None else job.name
        return f"<Rows of {name!r}: {self.status}, {self.done:,} answered, {self.failed:,} failed>"

    def _repr_markdown_(self) -> str:
        job, tally = self.job, self._tally
        if job is None:
            return "Nothing was sent." if self.estimate is None else self.estimate._repr_markdown_()
        counts = [f"{tally.by_status.get(name, 0):,}" for name in ("complete", "invalid", "failed", "out")]
        head = "| model | status | complete | invalid | failed | out | cost USD |\n|---|---|--:|--:|--:|--:|--:|"
        note = f"\n\n{job.note}" if job.note else ""
        return f"{head}\n| {job.model} | {job.status} | {' | '.join(counts)} | {figure(tally.cost)} |{note}"


def _store() -> JobStore:
    return services().ledger.jobs


def _by_place(store: JobStore, job_id: str) -> Iterator[list[JobRow]]:
    """The rows of each place, oldest first."""
    first = 0
    while page := store.rows(job_id, first, _PAGE):
        for _, versions in groupby(page, key=lambda row: row.row):
            yield list(versions)
        first = page[-1].row + 1
