"""Jobs in the SQLite ledger."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from valechat.errors import LimitReached
from valechat.ledger import holds, processes
from valechat.ledger.amounts import ZERO, amount_text, moment, read_amount, stamp
from valechat.ledger.base import Bucket, Hold
from valechat.ledger.jobs import Batch, Job, JobRow, RowStatus, Settled, Tally, job_bucket
from valechat.ledger.rows import json_text, usage_columns, without_surrogates
from valechat.ledger.store import Store
from valechat.ledger.transaction import Transaction
from valechat.money import add

__all__ = ["SqliteJobs", "delete_job"]


class SqliteJobs:
    """A `JobStore` in a ledger's file. `erase` brings what was deleted out of the published files."""

    def __init__(self, store: Store, erase: Callable[[], None]) -> None:
        self._store = store
        self._erase = erase

    def start(self, job: Job) -> Job:
        """See `JobStore.start`."""
        with self._store.write() as t:
            found = _job(t.db, job.id)
            if found is None:
                _insert(t, "map_jobs", _job_columns(job))
                return job
            made = stamp(found.created_at)
            _update(t, "map_jobs", job.id, {**_job_columns(job), "created_at": made})
            again = _job(t.db, job.id)
        return again or job

    def job(self, job_id: str) -> Job | None:
        """See `JobStore.job`."""
        with self._store.read() as db:
            return _job(db, job_id)

    def jobs(self, most: int = 100) -> list[Job]:
        """See `JobStore.jobs`."""
        with self._store.read() as db:
            rows = db.execute("SELECT * FROM map_jobs ORDER BY updated_at DESC, seq DESC LIMIT ?", (most,))
            return [_job_of(row) for row in rows]

    def change(self, job_id: str, *, status: str, note: str = "", rows: int | None = None) -> None:
        """See `JobStore.change`."""
        columns: dict[str, Any] = {"status": status, "note": without_surrogates(note)}
        if rows is not None:
            columns["rows"] = rows
        with self._store.write() as t:
            _update(t, "map_jobs", job_id, {**columns, "updated_at": stamp(t.now)})

    def claim(self, job_id: str, until: datetime) -> bool:
        """See `JobStore.claim`."""
        me = (processes.machine(), os.getpid(), processes.started(os.getpid()) or "")
        with self._store.write() as t:
            row = t.db.execute("SELECT * FROM map_claims WHERE job_id = ?", (job_id,)).fetchone()
            if row is not None:
                holder = (row["host"], row["pid"], row["started"])
                if holder != me and row["until"] > stamp(t.now) and not processes.is_dead(*holder):
                    return False
            t.db.execute(
                "INSERT OR REPLACE INTO map_claims (job_id, until, host, pid, started) VALUES (?, ?, ?, ?, ?)",
                (job_id, stamp(until), *me),
            )
            return True

    def unclaim(self, job_id: str) -> None:
        """See `JobStore.unclaim`."""
        with self._store.write() as t:
            t.db.execute("DELETE FROM map_claims WHERE job_id = ?", (job_id,))

    def known(self, job_id: str, first: int, last: int) -> dict[tuple[int, str], RowStatus]:
        """See `JobStore.known`."""
        with self._store.read() as db:
            rows = db.execute(
                "SELECT row, digest, status FROM map_rows WHERE job_id = ? AND row >= ? AND row < ?",
                (job_id, first, last),
            )
            return {(row["row"], row["digest"]): row["status"] for row in rows}

    def answered(self, job_id: str, digest: str) -> JobRow | None:
        """See `JobStore.answered`."""
        with self._store.read() as db:
            row = db.execute(
                "SELECT * FROM map_rows WHERE job_id = ? AND digest = ? AND status IN ('complete', 'invalid')"
                " ORDER BY seq LIMIT 1",
                (job_id, digest),
            ).fetchone()
            return None if row is None else _row_of(row)

    def rows(self, job_id: str, first: int = 0, most: int = 1000) -> list[JobRow]:
        """See `JobStore.rows`."""
        with self._store.read() as db:
            last = db.execute(
                "SELECT max(row) FROM (SELECT DISTINCT row FROM map_rows WHERE job_id = ? AND row >= ?"
                " ORDER BY row LIMIT ?)",
                (job_id, first, most),
            ).fetchone()[0]
            if last is None:
                return []
            rows = db.execute(
                "SELECT * FROM map_rows WHERE job_id = ? AND row BETWEEN ? AND ? ORDER BY row, seq",
                (job_id, first, last),
            )
            return [_row_of(row) for row in rows]

    def tally(self, job_id: str) -> Tally:
        """See `JobStore.tally`."""
        with self._store.read() as db:
            counts = db.execute("SELECT status, count(*) FROM map_rows WHERE job_id = ? GROUP BY status", (job_id,))
            by_status = dict(counts.fetchall())
            return Tally(by_status, holds.used(db, job_bucket(job_id)))

    def settle(self, settled: Sequence[Settled], hold: Hold | None = None, wanted: Hold | None = None) -> Hold | None:
        """See `JobStore.settle`."""
        prepared = [[(usage_columns(row), row.cost, buckets) for row, buckets in one.requests] for one in settled]
        with self._store.write() as t:
            spent: dict[Bucket, Decimal] = {}
            for one, requests in zip(settled, prepared, strict=True):
                for columns, cost, buckets in requests:
                    if t.db.execute("SELECT 1 FROM usage WHERE request_id = ?", (columns["request_id"],)).fetchone():
                        continue
                    _insert(t, "usage", columns)
                    for bucket in buckets if cost else ():
                        spent[bucket] = add(spent.get(bucket, ZERO), cost or ZERO)
                if one.row is not None:
                    _put_row(t, one.row)
            for bucket, cost in spent.items():
                holds.spend(t, [bucket], cost)
            return _hold(t, hold, wanted)

    def delete(self, job_id: str) -> None:
        """See `JobStore.delete`."""
        with self._store.write() as t:
            delete_job(t, job_id)
        self._erase()

    def expire(self, before: datetime) -> int:
        """Delete the jobs that were last used before a moment and have nothing out; how many."""
        with self._store.write() as t:
            found = t.db.execute(
                "SELECT id FROM map_jobs WHERE updated_at < ? AND status <> 'out'"
                " AND id NOT IN (SELECT job_id FROM map_rows WHERE status = 'out')",
                (stamp(before),),
            ).fetchall()
            for row in found:
                delete_job(t, row["id"])
        return len(found)

    def put_batch(self, batch: Batch, rows: Sequence[JobRow] = ()) -> None:
        """See `JobStore.put_batch`."""
        with self._store.write() as t:
            t.db.execute(
                "INSERT OR REPLACE INTO map_batches (id, job_id, created_at, body) VALUES (?, ?, ?, ?)",
                (batch.id, batch.job_id, stamp(batch.created_at), json_text(_batch_body(batch))),
            )
            for row in rows:
                _put_row(t, row)

    def batches(self, job_id: str | None) -> list[Batch]:
        """See `JobStore.batches`."""
        with self._store.read() as db:
            rows = db.execute(
                "SELECT * FROM map_batches WHERE job_id = ?1 OR ?1 IS NULL ORDER BY created_at, id", (job_id,)
            )
            return [_batch_of(row) for row in rows]


def _hold(t: Transaction, hold: Hold | None, wanted: Hold | None) -> Hold | None:
    if wanted is not None:
        with contextlib.suppress(LimitReached):
            holds.reserve(t, wanted)
            return wanted
    if hold is not None:
        holds.reserve(t, hold)
    return hold


def delete_job(t: Transaction, job_id: str) -> None:
    """Delete a job and its rows."""
    for table, column in (("map_rows", "job_id"), ("map_jobs", "id")):
        for row in t.db.execute(f"SELECT seq FROM {table} WHERE {column} = ?", (job_id,)).fetchall():
            t.publish(table, row["seq"])
        t.db.execute(f"DELETE FROM {table} WHERE {column} = ?", (job_id,))
    t.db.execute("DELETE FROM map_batches WHERE job_id = ?", (job_id,))
    t.db.execute("DELETE FROM ceilings WHERE scope = ?", (job_bucket(job_id).scope,))
    t.limits = True


def _put_row(t: Transaction, row: JobRow) -> None:
    columns = _row_columns(row)
    known = t.db.execute("SELECT 1 FROM map_rows WHERE id = ?", (row.id,)).fetchone()
    if known is None:
        _insert(t, "map_rows", columns)
    else:
        _update(t, "map_rows", row.id, columns)


def _insert(t: Transaction, table: str, columns: Mapping[str, Any]) -> None:
    names, values = ", ".join(columns), ", ".join(f":{name}" for name in columns)
    added = t.db.execute(f"INSERT INTO {table} ({names}) VALUES ({values})", dict(columns))
    t.publish(table, int(added.lastrowid or 0))


def _update(t: Transaction, table: str, row_id: str, columns: Mapping[str, Any]) -> None:
    found = t.db.execute(f"SELECT seq FROM {table} WHERE id = ?", (row_id,)).fetchone()
    if found is not None:
        assignments = ", ".join(f"{name} = :{name}" for name in columns)
        t.db.execute(f"UPDATE {table} SET {assignments}, rev = rev + 1 WHERE seq = :seq", {**columns, **dict(found)})
        t.publish(table, found["seq"])


def _job(db: sqlite3.Connection, job_id: str) -> Job | None:
    row = db.execute("SELECT * FROM map_jobs WHERE id = ?", (job_id,)).fetchone()
    return None if row is None else _job_of(row)


def _job_columns(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "name": without_surrogates(job.name),
        "model": job.model,
        "prompt": without_surrogates(job.prompt),
        "mode": job.mode,
        "settings": json_text(dict(job.settings)),
        "status": job.status,
        "note": without_surrogates(job.note),
        "rows": job.rows,
        "created_at": stamp(job.created_at),
        "updated_at": stamp(job.updated_at),
    }


def _job_of(row: sqlite3.Row) -> Job:
    return Job(
        id=row["id"],
        name=row["name"],
        model=row["model"],
        prompt=row["prompt"],
        created_at=moment(row["created_at"]),
        updated_at=moment(row["updated_at"]),
        mode=row["mode"],
        settings=json.loads(row["settings"]),
        status=row["status"],
        note=row["note"],
        rows=row["rows"],
    )


def _row_columns(row: JobRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "job_id": row.job_id,
        "row": row.row,
        "digest": row.digest,
        "prompt": without_surrogates(row.prompt),
        "answer": None if row.answer is None else without_surrogates(row.answer),
        "parsed": None if row.parsed is None else json_text(row.parsed),
        "status": row.status,
        "error": None if row.error is None else without_surrogates(row.error),
        "model": row.model,
        "request_id": row.request_id,
        "cost": None if row.cost is None else amount_text(row.cost),
        "ts": stamp(row.ts),
        "source": None if row.source is None else json_text(dict(row.source)),
    }


def _row_of(row: sqlite3.Row) -> JobRow:
    return JobRow(
        job_id=row["job_id"],
        row=row["row"],
        digest=row["digest"],
        prompt=row["prompt"],
        status=row["status"],
        ts=moment(row["ts"]),
        model=row["model"],
        answer=row["answer"],
        parsed=None if row["parsed"] is None else json.loads(row["parsed"]),
        error=row["error"],
        request_id=row["request_id"],
        cost=read_amount(row["cost"]),
        source=None if row["source"] is None else json.loads(row["source"]),
    )


def _batch_body(batch: Batch) -> dict[str, Any]:
    return {
        "provider": batch.provider,
        "rows": batch.rows,
        "remote": batch.remote,
        "status": batch.status,
        "hold": batch.hold,
        "plan": _plan_body(batch.plan),
    }


def _plan_body(plan: Iterable[Bucket]) -> list[list[str | None]]:
    return [[bucket.scope, bucket.period, stamp(bucket.resets_at)] for bucket in plan]


def _batch_of(row: sqlite3.Row) -> Batch:
    body = json.loads(row["body"])
    plan = [Bucket(scope, period, moment(resets_at)) for scope, period, resets_at in body.pop("plan")]
    return Batch(id=row["id"], job_id=row["job_id"], created_at=moment(row["created_at"]), plan=plan, **body)
