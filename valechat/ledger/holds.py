"""Holds and limits: what is used and held in each bucket, moved in one transaction with the rows.

A check looks at one counter per ceiling, so it costs the same with ten rows and ten million.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from valechat.errors import LimitReached
from valechat.ledger import processes
from valechat.ledger.amounts import ZERO, amount_text, stamp
from valechat.ledger.base import Bucket, Ceiling, Hold, LimitState
from valechat.ledger.transaction import Transaction
from valechat.money import add, subtract

__all__ = [
    "any_lapsed",
    "lapse",
    "publish_ceilings",
    "release",
    "release_dead",
    "renew",
    "reserve",
    "spend",
    "states",
    "used",
]


_RATE_PERIOD = timedelta(minutes=1)
"""How long a hold on a rate stands at most: rates are by the minute."""

_NEWEST_SHOWN = 100
"""How many of the newest ceilings the `limits` view has; conversations would make them any number."""


_NOBODY = "detached"
"""The machine of a hold that outlives its process: no machine has this name, so it never counts as dead."""


@dataclass(frozen=True, slots=True)
class _Counter:
    used: Decimal = ZERO
    held: Decimal = ZERO


def reserve(t: Transaction, hold: Hold) -> None:
    """Hold the amount in all buckets, or in none. A hold of the same request is replaced.

    Raises:
        LimitReached: A ceiling has no room, not even after the holds of dead processes are released.
    """
    lapse(t)
    release(t, hold.request_id)
    for ceiling in hold.ceilings:
        _note_ceiling(t, ceiling)
    amount = hold.amount
    if amount is None or amount == 0:
        return
    if (refused := _first_refusal(t, hold.ceilings, amount)) and release_dead(t, hold.ceilings):
        refused = _first_refusal(t, hold.ceilings, amount)
    if refused is not None:
        raise refused
    t.db.execute(
        "INSERT INTO holds (request_id, amount, lapses_at, host, pid, started) VALUES (?, ?, ?, ?, ?, ?)",
        (
            hold.request_id,
            amount_text(amount),
            stamp(hold.lapses_at),
            *((_NOBODY, 0, "") if hold.detached else _this_process()),
        ),
    )
    for bucket in _distinct(hold.buckets):
        t.db.execute(
            "INSERT INTO hold_buckets (request_id, scope, period) VALUES (?, ?, ?)",
            (hold.request_id, bucket.scope, bucket.period),
        )
        counter = _counter(t.db, bucket)
        _write(t.db, bucket, _Counter(counter.used, add(counter.held, amount)))
    t.limits = True


def renew(t: Transaction, request_id: str, lapses_at: datetime) -> None:
    """Move the end of a hold that still stands."""
    changed = t.db.execute(
        "UPDATE holds SET lapses_at = ? WHERE request_id = ? AND lapses_at > ?",
        (stamp(lapses_at), request_id, stamp(t.now)),
    )
    t.limits = t.limits or changed.rowcount > 0


def release(t: Transaction, request_id: str) -> None:
    """Give a hold back to its buckets. Unknown ids are left alone."""
    row = t.db.execute("SELECT amount FROM holds WHERE request_id = ?", (request_id,)).fetchone()
    if row is None:
        return
    amount = Decimal(row["amount"])
    for scope, period in t.db.execute(
        "SELECT scope, period FROM hold_buckets WHERE request_id = ?", (request_id,)
    ).fetchall():
        bucket = Bucket(scope, period)
        counter = _counter(t.db, bucket)
        _write(t.db, bucket, _Counter(counter.used, subtract(counter.held, amount)))
    t.db.execute("DELETE FROM hold_buckets WHERE request_id = ?", (request_id,))
    t.db.execute("DELETE FROM holds WHERE request_id = ?", (request_id,))
    t.limits = True


def spend(t: Transaction, buckets: Sequence[Bucket], cost: Decimal | None) -> None:
    """Add a true cost to its buckets. An unknown one adds nothing."""
    if cost is None or cost == 0:
        return
    for bucket in _distinct(buckets):
        counter = _counter(t.db, bucket)
        _write(t.db, bucket, _Counter(add(counter.used, cost), counter.held))
    t.limits = True


def lapse(t: Transaction) -> None:
    """Release the holds whose time is over.

    Where the clock was set back, a rate would stay full until it is as late again: a request counts
    for a minute from now at most.
    """
    latest = stamp(t.now + _RATE_PERIOD)
    t.db.execute(
        "UPDATE holds SET lapses_at = ? WHERE lapses_at > ? AND request_id IN"
        " (SELECT request_id FROM hold_buckets WHERE scope LIKE 'rate:%')",
        (latest, latest),
    )
    over = t.db.execute("SELECT request_id FROM holds WHERE lapses_at <= ?", (stamp(t.now),)).fetchall()
    for row in over:
        release(t, row["request_id"])


def any_lapsed(db: sqlite3.Connection, now: datetime) -> bool:
    """Whether `lapse` has something to do."""
    return db.execute("SELECT 1 FROM holds WHERE lapses_at <= ?", (stamp(now),)).fetchone() is not None


def states(db: sqlite3.Connection, ceilings: Iterable[Ceiling]) -> list[LimitState]:
    """How each limit stands."""
    found = []
    for ceiling in ceilings:
        counter = _counter(db, ceiling.bucket)
        left = subtract(ceiling.amount, add(counter.used, counter.held))
        found.append(
            LimitState(
                limit=ceiling.name,
                amount=ceiling.amount,
                used=counter.used,
                held=counter.held,
                remaining=max(left, ZERO),
                resets_at=ceiling.bucket.resets_at,
            )
        )
    return found


def publish_ceilings(t: Transaction, ceilings: Sequence[Ceiling]) -> None:
    """Make these the limits of the `limits` view, in place of those before."""
    t.db.execute("DELETE FROM ceilings")
    for ceiling in ceilings:
        _note_ceiling(t, ceiling)
    t.limits = True


def _note_ceiling(t: Transaction, ceiling: Ceiling) -> None:
    values = (ceiling.bucket.period, amount_text(ceiling.amount), stamp(ceiling.bucket.resets_at))
    key = (ceiling.name, ceiling.bucket.scope)
    row = t.db.execute("SELECT period, amount, resets_at FROM ceilings WHERE name = ? AND scope = ?", key).fetchone()
    if row is None or tuple(row) != values:
        t.db.execute(
            "INSERT OR REPLACE INTO ceilings (name, scope, period, amount, resets_at) VALUES (?, ?, ?, ?, ?)",
            (*key, *values),
        )
        t.db.execute(
            "DELETE FROM ceilings WHERE (scope LIKE 'conversation:%' OR scope LIKE 'job:%')"
            " AND noted <= (SELECT max(noted) FROM ceilings) - ?",
            (_NEWEST_SHOWN,),
        )
        t.limits = True


def _first_refusal(t: Transaction, ceilings: Sequence[Ceiling], amount: Decimal) -> LimitReached | None:
    for ceiling in ceilings:
        counter = _counter(t.db, ceiling.bucket)
        taken = add(counter.used, counter.held)
        if add(taken, amount) > ceiling.amount:
            return _refusal(ceiling, counter, amount)
    return None


def _refusal(ceiling: Ceiling, counter: _Counter, amount: Decimal) -> LimitReached:
    left = max(subtract(ceiling.amount, add(counter.used, counter.held)), ZERO)
    unit = _unit(ceiling)
    held = f", {unit(counter.held)} held by requests under way" if counter.held else ""
    resets = ceiling.bucket.resets_at
    return LimitReached(
        f"The limit {ceiling.name} of {unit(ceiling.amount)} has {unit(left)} left"
        f" ({unit(counter.used)} used{held}); this request may take {unit(amount)}.",
        limit=ceiling.name,
        amount=ceiling.amount,
        used=counter.used,
        held=counter.held,
        resets_at=resets,
        fix=(f"It resets at {resets.isoformat(timespec='minutes')}. " if resets else "")
        + "Raise the limit, or ask for a shorter answer or a cheaper model.",
    )


def _unit(ceiling: Ceiling) -> Callable[[Decimal], str]:
    counted = ceiling.bucket.scope.startswith("rate:") and not ceiling.bucket.scope.endswith(":cost")
    return _plain if counted else lambda amount: f"${_plain(amount)}"


def _plain(amount: Decimal) -> str:
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def release_dead(t: Transaction, ceilings: Sequence[Ceiling]) -> bool:
    """Release what processes of this machine hold that have ended; whether there was any.

    What counts against a rate stays: its requests were sent, whoever sent them.
    """
    holders: dict[tuple[str, int, str], list[str]] = {}
    for ceiling in ceilings:
        if ceiling.bucket.scope.startswith("rate:"):
            continue
        for row in t.db.execute(
            "SELECT h.* FROM hold_buckets b JOIN holds h ON h.request_id = b.request_id"
            " WHERE b.scope = ? AND b.period = ?",
            (ceiling.bucket.scope, ceiling.bucket.period),
        ):
            holders.setdefault((row["host"], row["pid"], row["started"]), []).append(row["request_id"])
    dead = [ids for holder, ids in holders.items() if processes.is_dead(*holder)]
    for ids in dead:
        for request_id in ids:
            release(t, request_id)
    return bool(dead)


def used(db: sqlite3.Connection, bucket: Bucket) -> Decimal:
    """What has been spent in a bucket."""
    return _counter(db, bucket).used


def _this_process() -> tuple[str, int, str]:
    return processes.machine(), os.getpid(), processes.started(os.getpid()) or ""


def _distinct(buckets: Sequence[Bucket]) -> list[Bucket]:
    return list({(bucket.scope, bucket.period): bucket for bucket in buckets}.values())


def _counter(db: sqlite3.Connection, bucket: Bucket) -> _Counter:
    row = db.execute(
        "SELECT used, held FROM buckets WHERE scope = ? AND period = ?", (bucket.scope, bucket.period)
    ).fetchone()
    return _Counter() if row is None else _Counter(Decimal(row["used"]), Decimal(row["held"]))


def _write(db: sqlite3.Connection, bucket: Bucket, counter: _Counter) -> None:
    used, held = format(counter.used, "f"), format(counter.held, "f")
    changed = db.execute(
        "UPDATE buckets SET used = ?, held = ? WHERE scope = ? AND period = ?",
        (used, held, bucket.scope, bucket.period),
    )
    if changed.rowcount == 0:
        db.execute(
            "INSERT INTO buckets (scope, period, used, held) VALUES (?, ?, ?, ?)",
            (bucket.scope, bucket.period, used, held),
        )
