"""Batches of which nobody said that they were taken: the connection broke, or the process ended, before.

Rows of such a batch are handed over again only when it is sure that nobody answers them already.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from valechat.billing.sentences import moment
from valechat.errors import ProviderError, RequestRejected, Unreachable, ValeChatError
from valechat.ledger.jobs import Batch, JobStore
from valechat.ledger.threads import durably
from valechat.providers.batches import Batches, LostBatch

__all__ = ["SETTLING", "look_for", "may_be_taken"]

SETTLING = timedelta(minutes=10)
"""How long after a hand-over its batch may come to be listed."""


def may_be_taken(error: ValeChatError) -> bool:
    """Whether the provider may have taken the batch whose hand-over ended with this error."""
    if not isinstance(error, ProviderError) or isinstance(error, RequestRejected):
        return False
    if isinstance(error, Unreachable):
        return error.connected
    return error.status is None or error.status >= 500


async def look_for(store: JobStore, batches: Batches, batch: Batch, zone: tzinfo | None) -> tuple[str | None, str]:
    """The provider's id of a batch, None where it has none; and what to tell the user where that is not known yet.

    Raises:
        ProviderError: The provider could not be asked.
    """
    others = {other.remote for other in await durably(store.batches, None) if other.id != batch.id}
    seen = await batches.find(LostBatch(batch.id, batch.rows, batch.created_at, others))
    if seen.remote is not None:
        return seen.remote, ""
    head = f"{batch.rows:,} rows were handed over at {moment(batch.created_at, zone)}, and nobody knows whether"
    head += f" {batch.provider} took them: the connection broke before it said so."
    if seen.maybe:
        by = f", {moment(seen.known_by, zone)} at the latest" if seen.known_by else ""
        return None, (
            f"{head} They may be in {' or '.join(seen.maybe)}, which says so only once it has ended{by}. Until then"
            " they are not handed over again, so that nothing is paid twice: make the same call then."
        )
    settled = batch.created_at + SETTLING
    if datetime.now(UTC) < settled:
        return None, (
            f"{head} It lists no batch of theirs so far. If it still lists none from {moment(settled, zone)} on, the"
            " same call hands them over again."
        )
    return None, ""
