"""What a ledger is: the Protocol and its values.

The ledger holds the truth about money and conversations. All its methods are blocking and may be
called from any thread; the engine calls them in worker threads. Money is `Decimal` USD, times are
timezone-aware, an unknown cost is None.

A request's life: `reserve` (before it leaves) → `renew` (while it runs long) → `settle` (once, with
its row) or `release` (it never left). A hold that is neither lapses at `Hold.lapses_at`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from valechat.ids import new_id
from valechat.ledger.library import Library
from valechat.messages import Message
from valechat.usage import Usage

if TYPE_CHECKING:
    import duckdb

    from valechat.ledger.jobs import JobStore

__all__ = [
    "Bucket",
    "Ceiling",
    "Conversation",
    "CostSource",
    "Hold",
    "Kind",
    "Ledger",
    "LimitState",
    "PluginRun",
    "Pruned",
    "RequestStatus",
    "Retention",
    "StoredMessage",
    "ToolCallRow",
    "UsageRow",
    "Verification",
]

Kind = Literal["chat", "map", "sampling", "compare"]
CostSource = Literal["priced", "reported", "estimated", "unpriced"]
RequestStatus = Literal["complete", "cancelled", "failed", "limit"]


@dataclass(frozen=True, slots=True)
class Bucket:
    """A counter that money is added to: what is counted, in which period.

    Every request adds to all buckets it belongs to, whether or not they have a limit now, so that
    a limit set in the evening counts the morning. `scope` is `all`, `model:openai/gpt-5`,
    `conversation:<id>` or `rate:<provider>:<what>`; `period` is `2026-11-22`, `2026-11` or `` (never
    resets). `resets_at` is the end of the period.
    """

    scope: str
    period: str
    resets_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A limit on a bucket, by the name the user knows it by (`daily`, `model:openai/gpt-5:monthly`)."""

    name: str
    bucket: Bucket
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Hold:
    """What a request may cost at most, held against its buckets before it leaves.

    `amount` is None for a request without a known price, which holds nothing. `ceilings` are the
    limits that apply, each on one of `buckets`. A `detached` hold outlives the process that made it.
    """

    request_id: str
    amount: Decimal | None
    buckets: Sequence[Bucket]
    ceilings: Sequence[Ceiling]
    lapses_at: datetime
    detached: bool = False


@dataclass(frozen=True, slots=True)
class LimitState:
    """A limit as it stands: `remaining` is amount - used - held, never below 0."""

    limit: str
    amount: Decimal
    used: Decimal
    held: Decimal
    remaining: Decimal
    resets_at: datetime | None


@dataclass(frozen=True, slots=True)
class Verification:
    """What an independent count said of a request's usage.

    `status` is `pending`, `verified`, `discrepancy` or `unable` (then `reason` says why);
    `discrepancy_percent` is signed, positive when the provider counted more.
    """

    status: str = "pending"
    reason: str | None = None
    counted_input_tokens: int | None = None
    counted_output_tokens: int | None = None
    discrepancy_percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One request, as it is billed. `unit_prices` are the prices applied, decimals as strings.

    `plugin` is the plugin that asked for it (`sampling`); None where the user did.
    """

    request_id: str
    ts: datetime
    day: str
    billing_period: str
    provider: str
    model: str
    kind: Kind
    usage: Usage
    cost: Decimal | None
    cost_source: CostSource
    status: RequestStatus
    conversation_id: str | None = None
    message_id: str | None = None
    first_token_ms: int | None = None
    duration_ms: int | None = None
    unit_prices: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    verification: Verification = Verification()
    plugin: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation's head. `total_cost` sums its priced requests; None when none is priced.

    `leaf` is the message that the shown path goes through, and below it to the newest; None: to the newest
    of all. See `valechat.branches`.
    """

    id: str
    title: str
    created_at: datetime
    updated_at: datetime
    model: str
    message_count: int = 0
    total_cost: Decimal | None = None
    leaf: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message with its identity.

    `parent_id` is the message it follows; None where it begins the conversation. Several that follow the
    same one are branches. `pinned` marks what the user wants to find again.
    """

    id: str
    conversation_id: str
    parent_id: str | None
    message: Message
    ts: datetime
    model: str | None = None
    request_id: str | None = None
    status: str = "complete"
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class ToolCallRow:
    """One tool call, for the analytics. `status` is `ok`, `error`, `refused`, `timeout` or `cancelled`."""

    id: str
    message_id: str | None
    plugin: str
    tool: str
    status: str
    duration_ms: int
    input_bytes: int
    output_bytes: int
    ts: datetime


@dataclass(frozen=True, slots=True)
class PluginRun:
    """A plugin's time from its start to its end, for the analytics.

    `ended_at` is None while it runs, and stays so where the kernel was killed. `reason` says why it ended:
    `stopped` (asked for), `restarted`, `crashed`, `failed` (it never ran), `shutdown` (the kernel ended).
    """

    plugin: str
    started_at: datetime
    ended_at: datetime | None = None
    reason: str | None = None
    id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long contents are kept: None is for ever. Accounting always is.

    Attributes:
        conversations: How long after it was last used a conversation is deleted.
        tool_results: How long after it was given a tool's answer is removed from its conversation.
    """

    conversations: timedelta | None = None
    tool_results: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many conversations were deleted, and how many messages lost what tools had answered."""

    conversations: int
    tool_results: int


class Ledger(Library, Protocol):
    """The ledger. See the module's docstring for the life of a request."""

    @property
    def database(self) -> Path:
        """A DuckDB file of views only, this process's own: `duckdb.connect(ledger.database)`."""
        ...

    @property
    def jobs(self) -> JobStore:
        """What is kept of jobs."""
        ...

    def reserve(self, hold: Hold) -> None:
        """Hold the amount in all buckets, or in none.

        Raises:
            LimitReached: A ceiling has no room; names the first that does not fit.
        """
        ...

    def renew(self, request_id: str, lapses_at: datetime) -> None:
        """Keep a hold alive. A hold that has lapsed or was settled is left alone."""
        ...

    def release(self, request_id: str) -> None:
        """Give back a hold whose request never left. Unknown ids are left alone."""
        ...

    def settle(self, row: UsageRow, buckets: Sequence[Bucket], messages: Sequence[StoredMessage] = ()) -> bool:
        """Write a request's row, its cost into its buckets, and its messages, in one transaction.

        Takes the place of the hold, if it still stands. A `request_id` that has a row already
        changes nothing; the answer says whether the row was written.
        """
        ...

    def verify(self, request_id: str, verification: Verification) -> None:
        """Add what an independent count said to a row."""
        ...

    def limit_states(self, ceilings: Sequence[Ceiling]) -> list[LimitState]:
        """How each limit stands now."""
        ...

    def publish_ceilings(self, ceilings: Sequence[Ceiling]) -> None:
        """Make these the limits of the `limits` view, in place of those before.

        `reserve` adds the ceilings it is given by itself; this one also takes away limits that were
        removed, and shows new ones before the first request.
        """
        ...

    def start_conversation(self, conversation: Conversation) -> None:
        """Create a conversation."""
        ...

    def add_conversation(self, conversation: Conversation, messages: Sequence[StoredMessage]) -> None:
        """Create a conversation with all its messages, in one transaction.

        Raises:
            ValueError: The conversation or one of the messages is stored already; nothing was added.
        """
        ...

    def change_conversation(
        self,
        conversation_id: str,
        *,
        title: str | None = None,
        model: str | None = None,
        leaf: str | None = None,
        tags: Sequence[str] | None = None,
    ) -> None:
        """Rename a conversation, note its current model or leaf, tag it; None leaves a thing as it is.

        An empty `leaf` shows the newest of all messages again. Leaf and tags are no use of a conversation: it
        keeps its place among the latest.
        """
        ...

    def delete_conversation(self, conversation_id: str) -> None:
        """Delete a conversation and its messages. Its usage rows stay."""
        ...

    def prune(self, retention: Retention) -> Pruned:
        """Delete what is older than it is kept, from the published files too."""
        ...

    def keep(self, retention: Callable[[], Retention]) -> None:
        """Prune once a day from now on, in the background, as is wanted then."""
        ...

    def add_messages(self, messages: Sequence[StoredMessage]) -> None:
        """Store messages. An id that is stored already is replaced; whether it is pinned stays."""
        ...

    def messages(self, conversation_id: str) -> list[StoredMessage]:
        """All messages of a conversation, oldest first."""
        ...

    def pin_message(self, message_id: str, *, pinned: bool) -> None:
        """Mark a message to be found again, or no longer."""
        ...

    def delete_messages(self, ids: Sequence[str]) -> None:
        """Delete messages, from the published files too; what followed them follows what they followed.

        Usage rows stay.
        """
        ...

    def usage_of(self, request_ids: Sequence[str]) -> list[UsageRow]:
        """The rows of these requests, in the order asked; missing ones left out."""
        ...

    def conversation_usage(self, conversation_id: str) -> list[UsageRow]:
        """The rows of all requests of a conversation, oldest first."""
        ...

    def add_tool_call(self, row: ToolCallRow) -> None:
        """Record a tool call."""
        ...

    def add_plugin_run(self, run: PluginRun) -> None:
        """Record that a plugin started or ended. A run that is stored already is replaced."""
        ...

    def add_key_access(self, *, key: str, source: str, purpose: str, at: datetime) -> None:
        """Record that a key was used: which, from where, for what. Never the key."""
        ...

    def set_prices(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Publish the price table for the `prices` view.

        Each row: provider, model, unit_prices (a mapping of decimal strings), effective_from, known_at,
        source.
        """
        ...

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB connection with all views, complete to the last settled request."""
        ...

    def check(self) -> None:
        """Read the whole truth for damage; requests wait meanwhile.

        Raises:
            LedgerDamaged: A part of it is malformed.
        """
        ...

    def backup(self, target: Path) -> Path:
        """Write a whole copy of the ledger while it is in use; the path written."""
        ...

    def close(self) -> None:
        """Close what is open. The ledger opens itself again when it is next used."""
        ...
