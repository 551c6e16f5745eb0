"""What is kept of jobs: many rows asked with one template. The Protocol and its values.

A job is known by its id; each of its rows by its place and a digest of what was asked, so that a row
whose prompt has changed is another row. A row's answer, its request and its share of the limits are
written in one transaction. All methods are blocking and may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Protocol

from valechat.ledger.base import Bucket, Hold, UsageRow

__all__ = ["Batch", "Job", "JobRow", "JobStore", "RowStatus", "Settled", "Tally", "job_bucket"]

RowStatus = Literal["complete", "invalid", "failed", "out"]
"""`invalid`: answered and paid for, but not in the form that was asked for, or cut. `out`: in a provider's batch."""


def job_bucket(job_id: str) -> Bucket:
    """The counter of what a job has cost."""
    return Bucket(f"job:{job_id}", "")


@dataclass(frozen=True, slots=True)
class Job:
    """A job's head.

    Attributes:
        id: Made from what is asked, or from its name.
        name: The user's name for it; else the first line of its template.
        model: `provider/model`.
        prompt: The template, or the name of the function that made the prompts.
        mode: `now`, or `batch`.
        settings: What else its requests had in common: `system`, `schema`, `options`.
        status: How its last run ended: `running`, `complete`, `stopped`, `limit`, `failed`, `out`.
        note: Why, where it did not complete.
        rows: How many rows its last run had; None while that is not known.
    """

    id: str
    name: str
    model: str
    prompt: str
    created_at: datetime
    updated_at: datetime
    mode: str = "now"
    settings: Mapping[str, Any] = field(default_factory=dict)
    status: str = "running"
    note: str = ""
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class JobRow:
    """One row of a job.

    Attributes:
        row: Its place in the input, from 0.
        digest: Of its prompt and images, 32 hexadecimal digits.
        parsed: The answer's value as plain JSON types, where a form was asked for and kept.
        request_id: The request that answered it; None where none did.
        cost: USD, all attempts together; 0 where another row's answer was taken; None when unknown.
        source: The input row, where the input could be read only once.
    """

    job_id: str
    row: int
    digest: str
    prompt: str
    status: RowStatus
    ts: datetime
    model: str
    answer: str | None = None
    parsed: Any = None
    error: str | None = None
    request_id: str | None = None
    cost: Decimal | None = Decimal(0)
    source: Mapping[str, Any] | None = None

    @property
    def id(self) -> str:
        """Known again by it."""
        return f"{self.job_id}.{self.row}.{self.digest}"


@dataclass(frozen=True, slots=True)
class Settled:
    """What is written together: requests with their buckets, and the row they answered."""

    requests: Sequence[tuple[UsageRow, Sequence[Bucket]]] = ()
    row: JobRow | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How a job stands: rows by status, and USD spent."""

    by_status: Mapping[str, int]
    cost: Decimal

    @property
    def rows(self) -> int:
        """Rows in all."""
        return sum(self.by_status.values())


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows handed to a provider as one batch.

    Attributes:
        id: Ours, noted before the provider is asked, and named in what it is given.
        remote: The provider's id; empty while it is not known that the provider has it.
        rows: How many rows it holds.
        status: `sending`, `out` or `over`.
        hold: The id of its hold on the limits.
        plan: The buckets its requests count in.
    """

    id: str
    job_id: str
    provider: str
    rows: int
    created_at: datetime
    remote: str = ""
    status: str = "sending"
    hold: str = ""
    plan: Sequence[Bucket] = ()


class JobStore(Protocol):
    """Where jobs are kept."""

    def start(self, job: Job) -> Job:
        """Begin a run: the job of that id, made if there is none, as it is asked now."""
        ...

    def job(self, job_id: str) -> Job | None:
        """A job's head."""
        ...

    def jobs(self, most: int = 100) -> list[Job]:
        """The jobs that changed last, newest first."""
        ...

    def change(self, job_id: str, *, status: str, note: str = "", rows: int | None = None) -> None:
        """Note how a job's run stands."""
        ...

    def claim(self, job_id: str, until: datetime) -> bool:
        """Take a job for this process until then, or longer if it has it; False where a living one has it."""
        ...

    def unclaim(self, job_id: str) -> None:
        """Give a job back."""
        ...

    def known(self, job_id: str, first: int, last: int) -> dict[tuple[int, str], RowStatus]:
        """The status of the rows from `first` up to, not including, `last`, by place and digest."""
        ...

    def answered(self, job_id: str, digest: str) -> JobRow | None:
        """A row with that digest whose answer is there."""
        ...

    def rows(self, job_id: str, first: int = 0, most: int = 1000) -> list[JobRow]:
        """Rows from a place on, in order; of one place the oldest first. `most` places."""
        ...

    def tally(self, job_id: str) -> Tally:
        """How a job stands."""
        ...

    def settle(self, settled: Sequence[Settled], hold: Hold | None = None, wanted: Hold | None = None) -> Hold | None:
        """Write requests, rows and true costs, and what is held from now on, in one transaction.

        A request that has a row already changes nothing.

        Args:
            settled: What is written.
            hold: What is held then. It replaces a larger one, so no limit is asked.
            wanted: What to hold instead, if the limits leave room for it.

        Returns:
            Which of the two is held.
        """
        ...

    def delete(self, job_id: str) -> None:
        """Delete a job and its rows, from the published files too. Its usage rows stay."""
        ...

    def put_batch(self, batch: Batch, rows: Sequence[JobRow] = ()) -> None:
        """Write a batch, and rows that are now in it."""
        ...

    def batches(self, job_id: str | None) -> list[Batch]:
        """A job's batches, or all jobs', oldest first."""
        ...
