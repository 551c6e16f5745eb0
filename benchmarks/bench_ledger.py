"""What the ledger costs: reserve + settle, and spend by day and by model, beside SQLite with the same rows.

python benchmarks/bench_ledger.py [--rows 1000000] [--requests 400]
"""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from _statistics import table
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median, quantiles

from valechat.billing.limits import Plan, plan
from valechat.config import Limits
from valechat.ledger.base import Hold, UsageRow
from valechat.ledger.pace import Pace
from valechat.ledger.sqlite import SqliteLedger
from valechat.usage import Usage

MODELS = [f"openai/model-{n}" for n in range(20)]
DAYS = 3650
PROCESSES = 8
QUERIES = {
    "by day": ("SELECT day, sum(cost) FROM usage GROUP BY day", "SELECT day, sum(cost) FROM usage GROUP BY day"),
    "by model": (
        "SELECT provider, model, sum(cost) FROM usage GROUP BY ALL",
        "SELECT provider, model, sum(cost) FROM usage GROUP BY provider, model",
    ),
}


def one_request(ledger: SqliteLedger, request_id: str, spending: Plan) -> None:
    """Reserve and settle one request."""
    now = datetime.now(UTC)
    lapses = now + timedelta(minutes=3)
    ledger.reserve(Hold(request_id, Decimal("0.001"), spending.buckets, spending.ceilings, lapses))
    ledger.settle(
        UsageRow(
            request_id=request_id,
            ts=now,
            day=f"{now:%Y-%m-%d}",
            billing_period=f"{now:%Y-%m}",
            provider="openai",
            model="model-0",
            kind="chat",
            usage=Usage(input_tokens=300, output_tokens=100),
            cost=Decimal("0.00085"),
            cost_source="priced",
            status="complete",
        ),
        spending.buckets,
    )


def work(folder: Path, requests: int, name: str) -> None:
    """Reserve and settle, one request after the other, once told to; say how many milliseconds each took."""
    ledger = SqliteLedger(folder)
    limits = Limits.model_validate({"daily": "1000000", "monthly": "1000000"})
    spending = plan(limits, "openai/model-0", None, datetime.now(UTC), UTC)
    one_request(ledger, f"{name}-first", spending)
    print("ready", flush=True)
    sys.stdin.readline()
    for n in range(requests):
        begun = time.perf_counter()
        one_request(ledger, f"{name}-{n}", spending)
        print(f"{(time.perf_counter() - begun) * 1000:.3f}")
    ledger.close()


def contended(folder: Path, processes: int, requests: int) -> list[str]:
    """Cells: median and 99th percentile of one request's reserve + settle, and requests a second of all together."""
    stamp = time.time_ns()
    workers = [
        subprocess.Popen(
            [sys.executable, __file__, "--work", str(folder), str(requests // processes), f"{stamp}-{n}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(processes)
    ]
    for worker in workers:
        if worker.stdout is None or worker.stdout.readline() != "ready\n":
            raise SystemExit("A worker did not start.")
    begun = time.perf_counter()
    for worker in workers:
        if worker.stdin is not None:
            worker.stdin.write("go\n")
            worker.stdin.flush()
    took = [float(line) for worker in workers for line in worker.communicate()[0].split()]
    whole = time.perf_counter() - begun
    return [f"{median(took):.1f}", f"{quantiles(took, n=100)[98]:.1f}", f"{len(took) / whole:,.0f}"]


def fill(folder: Path, rows: int) -> float:
    """Put rows into a ledger's truth at once, and publish them; seconds taken."""
    begun = time.perf_counter()
    at_once = timedelta(milliseconds=1)
    ledger = SqliteLedger(folder, pace=Pace(mark_after=at_once, empty_after=at_once))
    ledger.limit_states([])
    ledger.close()
    first = datetime(2016, 12, 1, tzinfo=UTC)
    days = [f"{first + timedelta(days=n):%Y-%m-%d}" for n in range(DAYS)]

    def row(n: int) -> tuple[object, ...]:
        day = days[n * DAYS // rows]
        provider, _, model = MODELS[n * 7919 % len(MODELS)].partition("/")
        tokens = (n * 31 % 3000, n * 17 % 800)
        cost = f"{(tokens[0] * 125 + tokens[1] * 1000) / 10**8:.8f}"
        return (f"r{n}", f"{day}T12:00:00.000000Z", day, day[:7], provider, model, *tokens, cost)

    db = sqlite3.connect(folder / "ledger.sqlite3")
    with db:
        db.executemany(
            "INSERT INTO usage (request_id, ts, day, billing_period, provider, model, input_tokens, output_tokens,"
            " cost, kind, details, cost_source, status, unit_prices, verification)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'chat', '{}', 'priced', 'complete', '{}', 'verified')",
            map(row, range(rows)),
        )
        # As after a restore: whoever opens it next publishes all rows.
        db.execute("UPDATE publication SET sealed = -1")
    db.close()
    ledger.rebuild()
    while (wait := ledger.tend()) is not None:
        time.sleep(min(wait.total_seconds(), 1))
    ledger.close()
    return time.perf_counter() - begun


def queried(folder: Path, rounds: int = 5) -> list[list[str]]:
    """Lines: each query's milliseconds in DuckDB's views and in the SQLite file, and their ratio, in turns."""
    ledger = SqliteLedger(folder)
    db = sqlite3.connect(folder / "ledger.sqlite3")
    lines = []
    with ledger.connect() as duck:
        for label, (ours, theirs) in QUERIES.items():
            duck.execute(ours).fetchall()
            pairs = []
            for _ in range(rounds):
                a = time.perf_counter()
                exact = duck.execute(ours).fetchall()
                b = time.perf_counter()
                rough = db.execute(theirs).fetchall()
                c = time.perf_counter()
                if len(exact) != len(rough):
                    raise SystemExit(f"{label}: {len(exact)} and {len(rough)} groups.")
                pairs.append((b - a, c - b))
            ratios = [sqlite / duckdb for duckdb, sqlite in pairs]
            lines.append(
                [
                    f"spend {label}",
                    f"{median(one for one, _ in pairs) * 1000:,.0f}",
                    f"{median(one for _, one in pairs) * 1000:,.0f}",
                    f"{median(ratios):.1f} ({min(ratios):.1f}–{max(ratios):.1f})",
                ]
            )
    db.close()
    ledger.close()
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        folder, requests, name = options.work
        work(Path(folder), int(requests), name)
        return
    load = f"{os.getloadavg()[0]:.1f}"
    with tempfile.TemporaryDirectory() as home:
        empty, large = Path(home) / "empty", Path(home) / "large"
        seconds = fill(large, options.rows)
        print(f"{options.rows:,} rows written and published in {seconds:.0f} s. Python {platform.python_version()},")
        print(f"{os.cpu_count()} cores; load average {load} before, {os.getloadavg()[0]:.1f} after writing.\n")
        lines = [
            [f"{processes}", label, *contended(folder, processes, options.requests)]
            for label, folder in (("empty", empty), (f"{options.rows:,} rows", large))
            for processes in (1, PROCESSES)
        ]
        print(table(["processes", "ledger", "median ms", "p99 ms", "requests/s, all together"], lines), "\n")
        print(table(["query", "DuckDB ms", "SQLite ms", "SQLite / DuckDB, same round"], queried(large)))
    print(f"\nLoad average at the end: {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
