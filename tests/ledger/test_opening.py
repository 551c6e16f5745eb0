"""What opening a ledger does, and what it leaves for later."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ledger.processes import ROOT
from tests.ledger.samples import DAY, usage_row
from valechat.ledger import open_ledger
from valechat.ledger.migrations import APPLICATION_ID, MIGRATIONS
from valechat.ledger.sqlite import SqliteLedger
from valechat.paths import user_paths


def test_the_users_ledger_lies_in_the_users_folders(home: Path) -> None:
    ledger = open_ledger(user_paths())
    assert not any(home.iterdir())
    ledger.settle(usage_row("r1"), [DAY])
    assert (home / "ledger" / "ledger.sqlite3").exists()
    assert ledger.database.is_relative_to(home / "state")
    ledger.close()


def test_an_empty_file_takes_every_migration_by_name(folder: Path) -> None:
    folder.mkdir()
    (folder / "ledger.sqlite3").touch()
    ledger = SqliteLedger(folder)
    ledger.settle(usage_row("r1"), [DAY])
    ledger.close()
    db = sqlite3.connect(folder / "ledger.sqlite3")
    names = db.execute("SELECT name FROM migrations ORDER BY rowid").fetchall()
    assert [row[0] for row in names] == [name for name, _ in MIGRATIONS]
    assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    db.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = SqliteLedger(folder)
    ledger.settle(usage_row("r1"), [DAY])
    ledger.close()
    before = (folder / "ledger.sqlite3").read_bytes()
    broken = ("half of a step", ("CREATE TABLE halfway (x)", "CREATE TABLE halfway (x)"))
    with monkeypatch.context() as patch:
        patch.setattr("valechat.ledger.migrations.MIGRATIONS", (*MIGRATIONS, broken))
        with pytest.raises(sqlite3.OperationalError, match="halfway"):
            ledger.usage_of(["r1"])
    assert (folder / "ledger.sqlite3").read_bytes() == before
    assert ledger.usage_of(["r1"])
    ledger.close()


def test_a_closed_ledger_opens_again_when_it_is_used(folder: Path) -> None:
    ledger = SqliteLedger(folder)
    ledger.settle(usage_row("r1"), [DAY])
    ledger.close()
    ledger.close()
    assert [row.request_id for row in ledger.usage_of(["r1"])] == ["r1"]
    ledger.close()


def test_settling_needs_no_duckdb(folder: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from valechat.ledger.sqlite import SqliteLedger\n"
        "from tests.ledger.samples import DAY, usage_row\n"
        f"SqliteLedger(Path({str(folder)!r})).settle(usage_row('r1'), [DAY])\n"
        "print('duckdb' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
