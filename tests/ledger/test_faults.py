"""A ledger that cannot be used says why, and what to do."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from pathlib import Path

import pytest

from tests.ledger.processes import line, worker
from tests.ledger.samples import DAY, usage_row
from valechat.errors import LedgerDamaged, LedgerError, LedgerTooNew, LedgerUnwritable
from valechat.ledger.migrations import MIGRATIONS
from valechat.ledger.sqlite import SqliteLedger

posix = pytest.mark.skipif(sys.platform == "win32", reason="permissions and limits of POSIX")


def failure(folder: Path) -> LedgerError:
    ledger = SqliteLedger(folder)
    try:
        with pytest.raises(LedgerError) as raised:
            ledger.settle(usage_row("r9"), [DAY])
        assert raised.value.fix
        return raised.value
    finally:
        ledger.close()


@pytest.fixture
def used(folder: Path) -> Path:
    """The file of a ledger with one row, closed."""
    ledger = SqliteLedger(folder)
    ledger.settle(usage_row("r1"), [DAY])
    ledger.close()
    return folder / "ledger.sqlite3"


def test_a_file_of_a_newer_version_is_refused_and_left_alone(folder: Path, used: Path) -> None:
    db = sqlite3.connect(used)
    db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    before = used.read_bytes()
    assert isinstance(failure(folder), LedgerTooNew)
    assert used.read_bytes() == before


def test_a_file_that_is_no_database_is_damaged(folder: Path, used: Path) -> None:
    used.write_bytes(b"not a database at all" * 1000)
    assert isinstance(failure(folder), LedgerDamaged)


def test_a_file_with_a_torn_page_is_damaged(folder: Path, used: Path) -> None:
    content = bytearray(used.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    used.write_bytes(content)
    assert isinstance(failure(folder), LedgerDamaged)


def test_a_database_of_another_program_is_damaged_and_left_alone(folder: Path) -> None:
    folder.mkdir()
    db = sqlite3.connect(folder / "ledger.sqlite3")
    db.execute("CREATE TABLE theirs (x)")
    db.close()
    before = (folder / "ledger.sqlite3").read_bytes()
    assert isinstance(failure(folder), LedgerDamaged)
    assert (folder / "ledger.sqlite3").read_bytes() == before


@pytest.mark.parametrize("loss", ["emptied", "deleted"])
def test_a_lost_file_is_not_taken_for_a_new_ledger(folder: Path, used: Path, loss: str) -> None:
    if loss == "emptied":
        used.write_bytes(b"")
    else:
        used.unlink()
    assert isinstance(failure(folder), LedgerDamaged)


def test_a_folder_that_cannot_be_made_is_unwritable(folder: Path) -> None:
    folder.parent.joinpath("file").write_text("")
    assert isinstance(failure(folder.parent / "file" / "ledger"), LedgerUnwritable)


@posix
def test_a_read_only_folder_is_unwritable() -> None:
    with tempfile.TemporaryDirectory() as open_to_all:
        folder = Path(open_to_all) / "ledger"
        ledger = SqliteLedger(folder)
        ledger.settle(usage_row("r1"), [DAY])
        ledger.close()
        Path(open_to_all).chmod(0o755)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        with worker("open_read_only", folder) as process:
            said = line(process)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert said.startswith("LedgerUnwritable: ")
    assert "VALECHAT_HOME" in said


@posix
def test_a_full_disk_is_unwritable_and_loses_nothing(folder: Path) -> None:
    with worker("fill_disk", folder) as process:
        said, kept = line(process), line(process)
    assert said.startswith("LedgerUnwritable: ")
    assert kept == "first"


def test_a_reader_that_keeps_the_file_locked_is_named(
    folder: Path, used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("valechat.ledger.store._BUSY_SECONDS", 0.01)
    other = sqlite3.connect(used, isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM usage").fetchall()
    try:
        error = failure(folder)
    finally:
        other.close()
    assert isinstance(error, LedgerUnwritable)
    assert "another program" in error.message
