"""What the ledger costs: reserve + settle, and spend by day and by model, beside SQLite with the same rows.

python benchmarks/bench_ledger.py [--rows 10000000] [--requests 2000] [--folder FOLDER]

Ten million rows take about 7 GB below FOLDER while it runs.
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
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles

from valechat.billing.limits import Plan, plan
from valechat.config import Limits
from valechat.ledger.base import Hold, UsageRow
from valechat.ledger.sqlite import SqliteLedger
from valechat.usage import Usage

MODELS = [f"openai/model-{n}" for n in range(20)]
DAYS = 3650
PROCESSES = 8
SYNCS = 300
QUERIES = {
    "by day and model": "SELECT day, provider, model, sum(cost) FROM usage GROUP BY day, provider, model",
    "by day": "SELECT day, sum(cost) FROM usage GROUP BY day",
    "by model": "SELECT provider, model, sum(cost) FROM usage GROUP BY provider, model",
    "of the last month by model": "SELECT model, sum(cost) FROM usage WHERE day >= '2026-11-01' GROUP BY model",
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
    """Cells: one request's reserve + settle in milliseconds, and requests a second of all together.

    Before them what the disk takes for one `fdatasync` at that time: a request has ten, and waits for those of
    all who are ahead of it.
    """
    before = synced(folder.parent)
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
    syncs = [*before, *synced(folder.parent)]
    return [*spread(syncs), *spread(took), f"{len(took) / whole:,.0f}"]


def spread(took: list[float]) -> list[str]:
    """Cells: the median, the 99th percentile and the longest."""
    return [f"{median(took):.1f}", f"{quantiles(took, n=100)[98]:.1f}", f"{max(took):.0f}"]


def synced(folder: Path) -> list[float]:
    """Milliseconds of writing 4 KB and waiting for the disk, several times."""
    took = []
    path = folder / "synced"
    with path.open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            begun = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - begun) * 1000)
    path.unlink()
    return took


def fill(folder: Path, rows: int) -> tuple[float, float]:
    """Put rows into a ledger's truth at once, as no user does, and publish them; seconds of each.

    Whatever was put into the table is published by `SqliteLedger.rebuild`, as after a restore.
    """
    begun = time.perf_counter()
    ledger = SqliteLedger(folder)
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
    db.close()
    written = time.perf_counter()
    ledger.rebuild()
    ledger.close()
    return written - begun, time.perf_counter() - written


def queried(folder: Path, rounds: int = 3) -> list[list[str]]:
    """Lines: each query's milliseconds in DuckDB's views and in the SQLite file, and their ratio, in turns."""
    ledger = SqliteLedger(folder)
    db = sqlite3.connect(folder / "ledger.sqlite3")
    lines = []
    with ledger.connect() as duck:
        for label, query in QUERIES.items():
            duck.execute(query).fetchall()
            pairs = []
            for _ in range(rounds):
                a = time.perf_counter()
                exact = duck.execute(query).fetchall()
                b = time.perf_counter()
                rough = db.execute(query).fetchall()
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
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--folder", type=Path, help="where the ledgers lie; the temporary folder when left out")
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        folder, requests, name = options.work
        work(Path(folder), int(requests), name)
        return
    load = f"{os.getloadavg()[0]:.1f}"
    with tempfile.TemporaryDirectory(dir=options.folder) as home:
        empty, large = Path(home) / "empty", Path(home) / "large"
        written, published = fill(large, options.rows)
        print(f"{options.rows:,} rows written in {written:.0f} s and published in {published:.0f} s.")
        print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, DuckDB {version('duckdb')},")
        print(f"{os.cpu_count()} cores; load average {load} before, {os.getloadavg()[0]:.1f} after writing.\n")
        lines = [
            [f"{processes}", label, *contended(folder, processes, options.requests)]
            for label, folder in (("empty", empty), (f"{options.rows:,} rows", large))
            for processes in (1, PROCESSES)
        ]
        three = ("median", "p99", "longest")
        head = ["processes", "ledger", *(f"fdatasync {n}" for n in three), *(f"request {n}" for n in three)]
        print("Milliseconds:\n")
        print(table([*head, "requests/s, all together"], lines), "\n")
        print(table(["query", "DuckDB ms", "SQLite ms", "SQLite / DuckDB, same round"], queried(large)))
    print(f"\nLoad average at the end: {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
