"""A process that uses a ledger, for tests that start several and kill some.

Run as `python -m tests.ledger.worker VERB FOLDER …`. It says on standard output what the ledger has
acknowledged, a line at a time.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from unittest import mock

from tests.ledger.samples import DAY, MONTH, daily, hold, message, rows, usage_row
from valechat.errors import LimitReached
from valechat.ledger.pace import Pace
from valechat.ledger.sqlite import SqliteLedger

PACE = Pace(
    seal_rows=20,
    lag_rows=5,
    merge_rows=60,
    mark_after=timedelta(milliseconds=20),
    empty_after=timedelta(milliseconds=40),
)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def write(folder: Path, name: str) -> None:
    """Reserve and settle for ever, a message with each; say each request that was acknowledged."""
    ledger = SqliteLedger(folder, pace=PACE)
    n = 0
    while True:
        request = f"{name}-{n}"
        ledger.reserve(hold(request, "0.02"))
        ledger.settle(usage_row(request, "0.01", conversation_id="c1"), [DAY, MONTH], [message(request, f"of {n}")])
        if n % 3 == 0:
            ledger.add_messages([message(request, f"of {n}, changed")])
        say(request)
        n += 1


def spend(folder: Path, name: str) -> None:
    """Spend under a limit of $0.10 until it is reached; say the most that was ever used and held."""
    ledger = SqliteLedger(folder)
    say("ready")
    sys.stdin.readline()
    most = Decimal(0)
    n = 0
    while True:
        request = f"{name}-{n}"
        n += 1
        try:
            ledger.reserve(hold(request, "0.003", daily("0.10")))
        except LimitReached as refusal:
            if refusal.held == 0:
                break
            continue
        state = ledger.limit_states([daily("0.10")])[0]
        most = max(most, state.used + state.held)
        if n % 5 == 0:
            ledger.release(request)
        else:
            ledger.settle(usage_row(request, "0.002"), [DAY, MONTH])
    ledger.close()
    say(str(most))


def keep(folder: Path, name: str) -> None:
    """Hold everything the limit has, and wait."""
    SqliteLedger(folder).reserve(hold(name, "0.10", daily("0.10"), lapses_at=datetime.now(UTC) + timedelta(hours=1)))
    say("held")
    threading.Event().wait()


def look(folder: Path, _name: str) -> None:
    """Keep a DuckDB connection with a running result on the database file of this process."""
    import duckdb

    ledger = SqliteLedger(folder)
    connections = [duckdb.connect(str(ledger.database)), duckdb.connect(str(ledger.shared_database), read_only=True)]
    results = [connection.execute("SELECT * FROM usage") for connection in connections]
    say(str(len(results)))
    threading.Event().wait()


def open_read_only(folder: Path, _name: str) -> None:
    """Use a ledger as a user who may not write there; say the error."""
    ledger = SqliteLedger(folder)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        os.setuid(65534)
    report(ledger)


def fill_disk(folder: Path, _name: str) -> None:
    """Write until a file may not grow; say the error, then what is there."""
    import resource

    ledger = SqliteLedger(folder)
    ledger.settle(usage_row("first"), [DAY])
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, resource.RLIM_INFINITY))
    report(ledger, "x" * 2**20)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    say(",".join(row.request_id for row in ledger.usage_of(["first", "second"])))


def migrate_halfway(folder: Path, _name: str) -> None:
    """Open an older ledger, and wait in the middle of its migration with pages of it in the file already."""
    from valechat.ledger import migrations, store

    steps = migrations.MIGRATIONS

    def pause() -> int:
        say("halfway")
        threading.Event().wait()
        return 0

    def migrate(db: sqlite3.Connection, path: Path, now: str) -> bool:
        db.create_function("pause", 0, pause)
        db.execute("PRAGMA cache_size = 1")
        return migrations.migrate(db, path, now)

    fill = "INSERT INTO key_access (ts, key, source, purpose) SELECT ts, key, '', hex(zeroblob(2000)) FROM key_access"
    with (
        mock.patch.object(migrations, "MIGRATIONS", (*steps, ("halfway", (fill, "SELECT pause()")))),
        mock.patch.object(store, "migrate", migrate),
    ):
        SqliteLedger(folder).conversations()


def migrate(folder: Path, _name: str) -> None:
    """Open an older ledger when told to, with others, and settle a request in it."""
    ledger = SqliteLedger(folder, pace=PACE)
    say("ready")
    sys.stdin.readline()
    ledger.settle(usage_row(f"by-{os.getpid()}", "0.01"), [DAY, MONTH])
    say(str(len(rows(ledger, "FROM usage"))))


def report(ledger: SqliteLedger, error: str | None = None) -> None:
    from valechat.errors import LedgerError

    try:
        ledger.settle(usage_row("second", error=error), [DAY])
    except LedgerError as failure:
        say(f"{failure.kind}: {failure}".replace("\n", " "))


if __name__ == "__main__":
    verbs = {
        "write": write,
        "spend": spend,
        "keep": keep,
        "look": look,
        "open_read_only": open_read_only,
        "fill_disk": fill_disk,
        "migrate_halfway": migrate_halfway,
        "migrate": migrate,
    }
    verbs[sys.argv[1]](Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "w")
