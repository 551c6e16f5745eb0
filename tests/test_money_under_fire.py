"""Eight processes spend under one limit, fail, are stopped and are killed; every digit still adds up."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from valechat.billing.limits import plan
from valechat.config import Limits
from valechat.errors import LimitReached
from valechat.ledger import open_ledger
from valechat.ledger.base import Hold, Ledger, LimitState
from valechat.paths import user_paths

ROOT = Path(__file__).parents[1]
PROCESSES, EACH = 8, 250
LIMIT = Decimal("0.30")
KILLED = {1: (30, 90), 3: (60,), 4: (120, 200), 6: (10,)}
"""Which processes are killed, and after how many answers each time; another takes their place."""


def spend(name: str, hours: int, kills: tuple[int, ...]) -> list[dict[str, Any]]:
    """Ask all of one process's questions, with the kills in between; what it acknowledged."""
    said: list[dict[str, Any]] = []
    chance = random.Random(name)
    for life, end in enumerate([*kills, EACH]):
        arguments = [f"{name}-{life}", str(EACH - len(said)), str(LIMIT), str(hours)]
        with subprocess.Popen(
            [sys.executable, "-m", "tests.spender", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(json.loads(line))
                if end < EACH and len(said) >= end and chance.random() < 0.3:
                    process.kill()
            assert process.wait() == (-9 if end < EACH else 0)
    return said


def watch(ledger: Ledger, over: threading.Event, ceilings: Any) -> list[LimitState]:
    """The limit as it stood, again and again until all is over."""
    seen = []
    while not over.wait(0.01):
        seen += ledger.limit_states(ceilings)
    return seen


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_eight_processes_that_fail_are_stopped_and_killed_never_overspend_and_lose_nothing() -> None:
    ledger = open_ledger(user_paths())
    # It is noon there, so no day ends while the test runs.
    hours = 12 - datetime.now(UTC).hour
    zone = timezone(timedelta(hours=hours))
    today = plan(Limits.model_validate({"daily": str(LIMIT)}), "demo/echo", None, datetime.now(UTC), zone)
    over = threading.Event()
    with ThreadPoolExecutor(PROCESSES + 1) as threads:
        watching = threads.submit(watch, ledger, over, today.ceilings)
        try:
            spending = [threads.submit(spend, f"p{n}", hours, KILLED.get(n, ())) for n in range(PROCESSES)]
            said = [one for each in spending for one in each.result()]
        finally:
            over.set()
        seen = watching.result()
    kills = sum(map(len, KILLED.values()))
    outcomes = Counter(one["outcome"] for one in said)

    assert len(said) == PROCESSES * EACH
    assert {"complete", "cancelled", "refused", "failed", "ServerFailed", "Unreachable", "MissingKey"} <= set(outcomes)

    assert len(seen) > 100
    assert max(state.used + state.held for state in seen) <= LIMIT
    used = [state.used for state in seen]
    assert used == sorted(used)
    assert used[0] < LIMIT / 2

    rows = {one["conversation"]: ledger.conversation_usage(one["conversation"]) for one in said}
    assert [len(rows[one["conversation"]]) for one in said] == [int(one["sent"]) for one in said]
    complete = [one for one in said if one["outcome"] == "complete"]
    assert [str(rows[one["conversation"]][0].cost) for one in complete] == [one["cost"] for one in complete]

    with ledger.connect() as connection:
        published = connection.execute("SELECT request_id, conversation_id, cost FROM usage").fetchall()
        daily = connection.execute("SELECT sum(cost) FROM spend_by_day").fetchall()
    ids = [request_id for request_id, _, _ in published]
    truth = ledger.usage_of(ids)
    assert len(set(ids)) == len(ids) == len(truth)
    acknowledged = {row.request_id for found in rows.values() for row in found}
    assert acknowledged <= set(ids)
    assert len(ids) - len(acknowledged) <= kills
    assert [(row.request_id, row.cost) for row in truth] == [(request_id, cost) for request_id, _, cost in published]

    spent = sum((row.cost or Decimal(0) for row in truth), Decimal(0))
    (state,) = ledger.limit_states(today.ceilings)
    assert spent == state.used == daily[0][0]
    assert LIMIT - Decimal("0.001") < spent <= LIMIT

    room = LIMIT - spent
    lapses = datetime.now(UTC) + timedelta(minutes=3)
    ledger.reserve(Hold("all that is left", room, today.buckets, today.ceilings, lapses))
    with pytest.raises(LimitReached):
        ledger.reserve(Hold("one digit more", Decimal("1e-12"), today.buckets, today.ceilings, lapses))
    ledger.close()
