"""Many processes on one ledger, and processes that are killed."""

from __future__ import annotations

import random
import signal
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.ledger.processes import go, line, worker
from tests.ledger.samples import DAY, MONTH, daily, hold, rows, rows_of_file, usage_row
from tests.ledger.worker import PACE
from valechat.errors import LimitReached
from valechat.ledger.sqlite import SqliteLedger

KILLS = 20


@pytest.fixture
def clock() -> object:
    return lambda: datetime.now(UTC)


@pytest.mark.slow
def test_eight_processes_never_exceed_a_limit_together(folder: Path, sqlite_ledger: SqliteLedger) -> None:
    with ExitStack() as running:
        workers = [running.enter_context(worker("spend", folder, f"w{n}")) for n in range(8)]
        assert [line(process) for process in workers] == ["ready"] * 8
        for process in workers:
            go(process)
        most = [Decimal(line(process)) for process in workers]
    assert max(most) <= Decimal("0.10")
    state = sqlite_ledger.limit_states([daily("0.10")])[0]
    assert Decimal("0.097") < state.used <= Decimal("0.10")
    assert state.held == 0
    assert rows(sqlite_ledger, "SELECT sum(cost) FROM usage") == [(state.used,)]


@pytest.mark.slow
def test_killed_writers_lose_and_double_nothing(folder: Path) -> None:
    chance = random.Random(11)
    acknowledged: list[str] = []
    for run in range(KILLS):
        with worker("write", folder, f"run{run}") as process:
            acknowledged += [line(process) for _ in range(chance.randint(1, 25))]
            process.send_signal(signal.SIGKILL)
            assert process.stdout is not None
            acknowledged += process.stdout.read().split("\n")[:-1]
    ledger = SqliteLedger(folder, pace=PACE)
    try:
        truth = {row.request_id for row in ledger.conversation_usage("c1")}
        assert set(acknowledged) <= truth
        assert len(truth) <= len(acknowledged) + KILLS
        stored = {m.id: m.message.text for m in ledger.messages("c1")}
        assert set(stored) == truth
        with ledger.connect() as connection:
            published = connection.execute("SELECT request_id FROM usage ORDER BY 1").fetchall()
            said = connection.execute("SELECT id, content FROM messages ORDER BY 1").fetchall()
        assert [row[0] for row in published] == sorted(truth)
        assert said == sorted(stored.items())
        spent = Decimal("0.01") * len(truth)
        assert ledger.limit_states([daily("1000")])[0].used == spent
        assert any((folder / "published" / "usage" / "large").glob("0*.parquet"))
    finally:
        ledger.close()


def test_what_a_dead_process_held_is_released_when_the_room_is_needed(
    folder: Path, sqlite_ledger: SqliteLedger
) -> None:
    with worker("keep", folder, "of the dead") as process:
        assert line(process) == "held"
        with pytest.raises(LimitReached):
            sqlite_ledger.reserve(hold("r1", "0.05", daily("0.10")))
        process.kill()
        process.wait()
    sqlite_ledger.reserve(hold("r1", "0.05", daily("0.10")))
    assert sqlite_ledger.limit_states([daily("0.10")])[0].held == Decimal("0.05")


def test_open_duckdb_connections_of_another_process_hurt_no_writer(folder: Path, sqlite_ledger: SqliteLedger) -> None:
    sqlite_ledger.settle(usage_row("r1"), [DAY, MONTH])
    with worker("look", folder) as process:
        assert line(process) == "2"
        for n in range(2, 12):
            assert sqlite_ledger.settle(usage_row(f"r{n}"), [DAY, MONTH])
        assert rows_of_file(sqlite_ledger.database, "SELECT count(*) FROM usage") == [(11,)]


def test_the_database_file_of_a_killed_process_is_cleared_away(folder: Path, sqlite_ledger: SqliteLedger) -> None:
    with worker("look", folder) as process:
        line(process)
        process.kill()
        process.wait()
        left = set((folder / "state").iterdir())
    assert left
    assert sqlite_ledger.database not in left
    assert set((folder / "state").glob("*.duckdb")) == {sqlite_ledger.database}
