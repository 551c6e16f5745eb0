"""What a provider's batch API is: many requests handed over at once, answered within a day at half the price."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from valechat.accumulate import Answer
from valechat.providers.base import Request

__all__ = ["BatchLine", "BatchResult", "BatchState", "Batches", "LostBatch", "OffersBatches", "Sighting"]


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One request of a batch. `custom_id` is letters, digits, `_` and `-`, 64 at most."""

    custom_id: str
    request: Request


@dataclass(frozen=True, slots=True)
class BatchState:
    """How a batch stands: whether it is `over`, what its provider calls that, and why it failed as a whole."""

    over: bool
    said: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of one request: an answer, or why there is none, which no provider bills."""

    custom_id: str
    answer: Answer | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class LostBatch:
    """A batch of ours, of which it is not known whether its provider took it.

    Attributes:
        id: Ours; each of its `custom_id`s begins with it.
        rows: How many requests it has.
        sent_at: When it was handed over, by this machine's clock.
        others: The provider's ids of other batches of ours.
    """

    id: str
    rows: int
    sent_at: datetime
    others: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a provider lists of a lost batch.

    Attributes:
        remote: Its id of it; None where that is not listed, or not known.
        maybe: The batches that it may be, which do not say yet.
        known_by: When the last of those says it at the latest; None where nobody knows.
    """

    remote: str | None = None
    maybe: Sequence[str] = ()
    known_by: datetime | None = None


class Batches(Protocol):
    """A provider's batch API. Every method may raise `ProviderError` and `MissingKey`."""

    @property
    def most_rows(self) -> int:
        """Requests a batch may hold."""
        ...

    @property
    def most_bytes(self) -> int:
        """Bytes of its requests together."""
        ...

    def size(self, line: BatchLine) -> int:
        """Bytes a request takes."""
        ...

    async def submit(self, batch_id: str, lines: Sequence[BatchLine]) -> str:
        """Hand a batch over; the provider's id of it. `batch_id` is ours, by which it can be found again."""
        ...

    async def find(self, lost: LostBatch) -> Sighting:
        """Look for a batch among those that the provider lists."""
        ...

    async def state(self, remote: str) -> BatchState:
        """How a batch stands."""
        ...

    def results(self, remote: str) -> AsyncGenerator[BatchResult, None]:
        """What became of its requests, in any order, once it is over. Some may be missing."""
        ...

    async def cancel(self, remote: str) -> None:
        """End it early. What is answered already is kept and billed."""
        ...


@runtime_checkable
class OffersBatches(Protocol):
    """A provider with a batch API."""

    @property
    def batches(self) -> Batches:
        """The API."""
        ...
