"""The ledger on this machine's disk: SQLite for the truth, published files for SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from valechat.errors import LimitReached
from valechat.ledger import backup, conversations, holds
from valechat.ledger.amounts import stamp
from valechat.ledger.base import (
    Bucket,
    Ceiling,
    Conversation,
    Hold,
    LimitState,
    PluginRun,
    Pruned,
    Retention,
    StoredMessage,
    ToolCallRow,
    UsageRow,
    Verification,
)
from valechat.ledger.duck import Duck
from valechat.ledger.faults import damaged, translated
from valechat.ledger.pace import Pace
from valechat.ledger.publish import Prepared
from valechat.ledger.retention import Daily, delete_expired, expired, forget_results
from valechat.ledger.rows import (
    json_text,
    plugin_run_columns,
    price_line,
    tool_call_columns,
    usage_columns,
    usage_of,
    verification_columns,
)
from valechat.ledger.salvage import Salvaged, salvage
from valechat.ledger.segments import Segments
from valechat.ledger.sqlitejobs import SqliteJobs
from valechat.ledger.sqlitelibrary import SqliteLibrary
from valechat.ledger.store import Store, now_utc
from valechat.ledger.tender import Tender
from valechat.ledger.transaction import Transaction

if TYPE_CHECKING:
    import duckdb

__all__ = ["SqliteLedger"]


class SqliteLedger(SqliteLibrary):
    """A `Ledger` in a folder. Nothing is opened or written before the first use.

    Args:
        folder: The ledger's folder, made when it is first used.
        state: Where this process's DuckDB file lies; `state` inside the folder when left out.
        clock: What time it is, for holds and file names.
        pace: When published files are sealed and merged.

    Every method may raise `LedgerDamaged`, `LedgerTooNew` and `LedgerUnwritable`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        state: Path | None = None,
        clock: Callable[[], datetime] = now_utc,
        pace: Pace | None = None,
    ) -> None:
        self.folder = folder
        self._pace = pace or Pace()
        self._store = Store(folder, clock, self._pace)
        self._store.committed = self._committed
        self._segments = Segments(self._store, self._pace)
        self.jobs = SqliteJobs(self._store, self._erase)
        self._daily = Daily(folder / "pruned", clock, self.prune)
        self._tender = Tender(self._tended)
        self._duck = Duck(self._store.publisher.folder, state or folder / "state", folder / "valechat.duckdb")

    def reserve(self, hold: Hold) -> None:
        """See `Ledger.reserve`. A hold of the same request is replaced."""
        try:
            with self._store.write() as t:
                holds.reserve(t, hold)
        except LimitReached:
            # The refusal undid it, yet a smaller request must find the room that the dead no longer need.
            with self._store.write() as t:
                holds.release_dead(t, hold.ceilings)
            raise

    def renew(self, request_id: str, lapses_at: datetime) -> None:
        """See `Ledger.renew`."""
        with self._store.write() as t:
            holds.renew(t, request_id, lapses_at)

    def release(self, request_id: str) -> None:
        """See `Ledger.release`."""
        with self._store.write() as t:
            holds.release(t, request_id)

    def settle(self, row: UsageRow, buckets: Sequence[Bucket], messages: Sequence[StoredMessage] = ()) -> bool:
        """See `Ledger.settle`.

        Raises:
            ValueError: The cost is negative, not finite or 10^18 USD and more, or a time has no zone.
        """
        columns = usage_columns(row)
        with self._store.write() as t:
            if t.db.execute("SELECT 1 FROM usage WHERE request_id = ?", (row.request_id,)).fetchone():
                return False
            t.publish("usage", _insert(t, "usage", columns))
            holds.release(t, row.request_id)
            holds.spend(t, buckets, row.cost)
            conversations.store(t, messages)
            conversations.bill(t, row)
        return True

    def verify(self, request_id: str, verification: Verification) -> None:
        """See `Ledger.verify`. Unknown ids are left alone."""
        columns = verification_columns(verification)
        with self._store.write() as t:
            row = t.db.execute("SELECT seq FROM usage WHERE request_id = ?", (request_id,)).fetchone()
            if row is not None:
                _update(t, "usage", row["seq"], columns)

    def limit_states(self, ceilings: Sequence[Ceiling]) -> list[LimitState]:
        """See `Ledger.limit_states`."""
        with self._store.read() as db:
            if not holds.any_lapsed(db, self._store.clock()):
                return holds.states(db, ceilings)
        with self._store.write() as t:
            holds.lapse(t)
            return holds.states(t.db, ceilings)

    def publish_ceilings(self, ceilings: Sequence[Ceiling]) -> None:
        """See `Ledger.publish_ceilings`."""
        with self._store.write() as t:
            holds.publish_ceilings(t, ceilings)

    def start_conversation(self, conversation: Conversation) -> None:
        """See `Ledger.start_conversation`. One that exists is left alone."""
        with self._store.write() as t:
            conversations.start(t, conversation)

    def add_conversation(self, conversation: Conversation, messages: Sequence[StoredMessage]) -> None:
        """See `Ledger.add_conversation`."""
        with self._store.write() as t:
            conversations.add_whole(t, conversation, messages)

    def change_conversation(
        self,
        conversation_id: str,
        *,
        title: str | None = None,
        model: str | None = None,
        leaf: str | None = None,
        tags: Sequence[str] | None = None,
    ) -> None:
        """See `Ledger.change_conversation`. Unknown ids are left alone."""
        with self._store.write() as t:
            conversations.change(t, conversation_id, title=title, model=model, leaf=leaf, tags=tags)

    def delete_conversation(self, conversation_id: str) -> None:
        """See `Ledger.delete_conversation`. Its text is gone from the published files too on return.

        Messages of it that a request under way still brings are dropped.
        """
        with self._store.write() as t:
            conversations.delete(t, conversation_id)
        self._erase()

    def prune(self, retention: Retention) -> Pruned:
        """See `Ledger.prune`. Requests go on meanwhile."""
        now = self._store.clock()
        deleted = removed = 0
        if retention.conversations is not None:
            before = now - retention.conversations
            with self._store.read() as db:
                ids = expired(db, before)
            for conversation_id in ids:
                with self._store.write() as t:
                    deleted += delete_expired(t, conversation_id, before)
            deleted += self.jobs.expire(before)
        step = 1 if retention.tool_results is not None else 0
        while step and retention.tool_results is not None:
            with self._store.write() as t:
                step = forget_results(t, now - retention.tool_results)
            removed += step
        if deleted or removed:
            self._erase()
        return Pruned(deleted, removed)

    def keep(self, retention: Callable[[], Retention]) -> None:
        """See `Ledger.keep`. Of several processes one does it."""
        self._daily.wanted = retention

    def add_messages(self, messages: Sequence[StoredMessage]) -> None:
        """See `Ledger.add_messages`. A conversation nobody started is started with its first message."""
        with self._store.write() as t:
            conversations.store(t, messages)

    def messages(self, conversation_id: str) -> list[StoredMessage]:
        """See `Ledger.messages`."""
        with self._store.read() as db:
            return conversations.messages(db, conversation_id)

    def pin_message(self, message_id: str, *, pinned: bool) -> None:
        """See `Ledger.pin_message`. Unknown ids are left alone."""
        with self._store.write() as t:
            conversations.pin(t, message_id, pinned=pinned)

    def delete_messages(self, ids: Sequence[str]) -> None:
        """See `Ledger.delete_messages`. Unknown ids are left alone."""
        with self._store.write() as t:
            deleted = conversations.delete_messages(t, ids)
        if deleted:
            self._erase()

    def usage_of(self, request_ids: Sequence[str]) -> list[UsageRow]:
        """See `Ledger.usage_of`."""
        with self._store.read() as db:
            rows = (db.execute("SELECT * FROM usage WHERE request_id = ?", (i,)).fetchone() for i in request_ids)
            return [usage_of(row) for row in rows if row is not None]

    def conversation_usage(self, conversation_id: str) -> list[UsageRow]:
        """See `Ledger.conversation_usage`."""
        with self._store.read() as db:
            rows = db.execute("SELECT * FROM usage WHERE conversation_id = ? ORDER BY seq", (conversation_id,))
            return [usage_of(row) for row in rows]

    def add_tool_call(self, row: ToolCallRow) -> None:
        """See `Ledger.add_tool_call`. An id that is stored is left alone."""
        with self._store.write() as t:
            if not t.db.execute("SELECT 1 FROM tool_calls WHERE id = ?", (row.id,)).fetchone():
                t.publish("tool_calls", _insert(t, "tool_calls", tool_call_columns(row)))

    def add_plugin_run(self, run: PluginRun) -> None:
        """See `Ledger.add_plugin_run`."""
        columns = plugin_run_columns(run)
        with self._store.write() as t:
            row = t.db.execute("SELECT seq FROM plugin_runs WHERE id = ?", (run.id,)).fetchone()
            if row is None:
                t.publish("plugin_runs", _insert(t, "plugin_runs", columns))
            else:
                _update(t, "plugin_runs", row["seq"], columns)

    def add_key_access(self, *, key: str, source: str, purpose: str, at: datetime) -> None:
        """See `Ledger.add_key_access`."""
        columns = {"ts": stamp(at), "key": key, "source": source, "purpose": purpose}
        with self._store.write() as t:
            t.publish("key_access", _insert(t, "key_access", columns))

    def set_prices(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """See `Ledger.set_prices`. Setting the same table again writes nothing."""
        text = "".join(json_text(price_line(row)) + "\n" for row in rows)
        digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
        with self._store.read() as db:
            known = db.execute("SELECT digest FROM prices").fetchone()
        if known is None or known["digest"] != digest:
            with self._store.write() as t:
                t.db.execute("DELETE FROM prices")
                t.db.execute("INSERT INTO prices (digest, rows) VALUES (?, ?)", (digest, text))
                t.prices = True

    @property
    def database(self) -> Path:
        """See `Ledger.database`. Removed when the process ends; one a kill left behind goes later."""
        self._complete()
        with translated(self.folder):
            self._duck.shared_database()
            return self._duck.database()

    @property
    def shared_database(self) -> Path:
        """A DuckDB file of views at a fixed path, for other programs: open it with `read_only=True`."""
        self._complete()
        with translated(self.folder):
            return self._duck.shared_database()

    def connect(self) -> duckdb.DuckDBPyConnection:
        """See `Ledger.connect`. In memory: what is created in it lives as long as it does."""
        self._complete()
        with translated(self.folder):
            return self._duck.connect()

    @property
    def publishing_failure(self) -> Exception | None:
        """Why the newest rows could not be sealed in the background, for a diagnosis; queries have them anyway."""
        return self._tender.failure

    def tend(self) -> timedelta | None:
        """Seal, merge and drop published files as far as is due now; how long until more is."""
        return self._segments.tend()

    def rebuild(self) -> None:
        """Write all published files anew from the truth."""
        self._segments.rebuild()

    def check(self) -> None:
        """See `Ledger.check`."""
        with self._store.read() as db:
            found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise damaged(self.folder, found)

    def backup(self, target: Path) -> Path:
        """See `Ledger.backup`. A folder as `target` gets a file named after the moment."""
        with self._store.read():
            pass  # there is a ledger to copy, or its error
        return backup.backup(self.folder, target, self._store.clock())

    def restore(self, source: Path) -> Path | None:
        """Put a backup in this ledger's place; the path that what it replaced was kept under."""
        self._tender.stop()
        self._store.close()
        replaced = backup.restore(source, self.folder, self._store.clock())
        self._segments.rebuild()
        return replaced

    def salvage(self, backups: Sequence[Path] = (), *, model_scope: Callable[[str], str]) -> Salvaged:
        """Recover what is left of a damaged ledger, put it in its place, and say what was saved and lost.

        The damaged file is kept. Requests wait until it is done.

        Args:
            backups: SQLite files to take rows from that nothing else has; the best first.
            model_scope: The bucket that `provider/model` counts in.
        """
        self._tender.stop()
        self._store.close()
        found = salvage(self.folder, backups, self._store.clock(), self._pace, model_scope)
        self._segments.rebuild()
        return found

    def close(self) -> None:
        """See `Ledger.close`."""
        self._tender.stop()
        self._store.close()

    def _erase(self) -> None:
        """Bring what was deleted out of the published files and out of the search's index."""
        self._segments.complete()
        begin, more = True, True
        while more:
            with self._store.write() as t:
                more = conversations.forget_words(t, begin=begin)
            begin = False

    def _tended(self) -> timedelta | None:
        wait = self._segments.tend()
        self._daily.run()
        return wait

    def _complete(self) -> None:
        """Publish what a process that was killed had not."""
        with self._store.read() as db:
            self._store.publisher.refresh(db)
            missing = self._segments.is_missing(db)
            due = self._segments.is_due(db)
        if missing:
            self._segments.complete()
        if due:
            self._tender.nudge()

    def _committed(self, prepared: Prepared) -> None:
        if prepared.dirty or prepared.unsealed >= self._pace.full_tail or self._daily.is_due():
            self._tender.nudge()


def _insert(t: Transaction, table: str, columns: Mapping[str, Any]) -> int:
    names = ", ".join(columns)
    values = ", ".join(f":{name}" for name in columns)
    added = t.db.execute(f"INSERT INTO {table} ({names}) VALUES ({values})", dict(columns))
    return int(added.lastrowid or 0)


def _update(t: Transaction, table: str, seq: int, columns: Mapping[str, Any]) -> None:
    assignments = ", ".join(f"{name} = :{name}" for name in columns)
    t.db.execute(f"UPDATE {table} SET {assignments}, rev = rev + 1 WHERE seq = :seq", {**columns, "seq": seq})
    t.publish(table, seq)
