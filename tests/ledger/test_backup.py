"""Backups of a ledger in use, and restoring them."""

from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path

import pytest

from tests.ledger.samples import DAY, conversation, daily, message, rows, usage_row
from valechat.errors import LedgerDamaged
from valechat.ledger.sqlite import SqliteLedger


def requests(ledger: SqliteLedger) -> list[str]:
    return [row[0] for row in rows(ledger, "SELECT request_id FROM usage ORDER BY length(request_id), request_id")]


def test_a_backup_made_while_requests_are_settled_is_a_whole_ledger(
    sqlite_ledger: SqliteLedger, tmp_path: Path
) -> None:
    sqlite_ledger.settle(usage_row("before"), [DAY])
    done = threading.Event()
    count = 0

    def write() -> None:
        nonlocal count
        while not done.is_set():
            count += 1
            sqlite_ledger.settle(usage_row(f"r{count}"), [DAY])

    writer = threading.Thread(target=write)
    writer.start()
    path = sqlite_ledger.backup(tmp_path / "copies" / "copy.sqlite3")
    done.set()
    writer.join()
    other = SqliteLedger(tmp_path / "other")
    assert other.restore(path) is None
    found = set(requests(other))
    assert "before" in found
    assert found <= {"before"} | {f"r{n}" for n in range(1, count + 1)}
    assert other.limit_states([daily("1000")])[0].used == Decimal("0.01") * len(found)
    other.close()


def test_a_backup_into_a_folder_is_named_after_the_moment(sqlite_ledger: SqliteLedger, tmp_path: Path) -> None:
    sqlite_ledger.settle(usage_row("r1"), [DAY])
    assert sqlite_ledger.backup(tmp_path).name == "valechat-ledger-20261122-120000.sqlite3"


def test_restoring_keeps_what_it_replaces_and_shows_what_it_restored(
    sqlite_ledger: SqliteLedger, tmp_path: Path
) -> None:
    sqlite_ledger.start_conversation(conversation())
    sqlite_ledger.settle(usage_row("r1", conversation_id="c1"), [DAY], [message("m1", "hello")])
    copy = sqlite_ledger.backup(tmp_path / "copy.sqlite3")
    sqlite_ledger.settle(usage_row("r2", conversation_id="c1"), [DAY], [message("m2", "again")])
    replaced = sqlite_ledger.restore(copy)
    assert requests(sqlite_ledger) == ["r1"]
    assert [m.id for m in sqlite_ledger.messages("c1")] == ["m1"]
    assert rows(sqlite_ledger, "SELECT id FROM messages") == [("m1",)]
    sqlite_ledger.settle(usage_row("r3"), [DAY])
    assert requests(sqlite_ledger) == ["r1", "r3"]
    assert replaced is not None
    sqlite_ledger.restore(replaced)
    assert requests(sqlite_ledger) == ["r1", "r2"]


def test_another_open_ledger_goes_on_with_what_was_restored(
    folder: Path, sqlite_ledger: SqliteLedger, tmp_path: Path
) -> None:
    sqlite_ledger.settle(usage_row("r1"), [DAY])
    copy = sqlite_ledger.backup(tmp_path / "copy.sqlite3")
    other = SqliteLedger(folder)
    other.settle(usage_row("r2"), [DAY])
    sqlite_ledger.restore(copy)
    other.settle(usage_row("r3"), [DAY])
    assert requests(sqlite_ledger) == requests(other) == ["r1", "r3"]
    other.close()


@pytest.mark.parametrize("content", [b"", b"no ledger" * 500])
def test_what_is_no_ledger_is_not_restored(sqlite_ledger: SqliteLedger, tmp_path: Path, content: bytes) -> None:
    sqlite_ledger.settle(usage_row("r1"), [DAY])
    (tmp_path / "wrong").write_bytes(content)
    with pytest.raises(LedgerDamaged):
        sqlite_ledger.restore(tmp_path / "wrong")
    with pytest.raises(LedgerDamaged, match="no such file"):
        sqlite_ledger.restore(tmp_path / "missing")
    assert requests(sqlite_ledger) == ["r1"]


def test_a_damaged_ledger_is_replaced_and_kept(folder: Path, sqlite_ledger: SqliteLedger, tmp_path: Path) -> None:
    sqlite_ledger.settle(usage_row("r1"), [DAY])
    copy = sqlite_ledger.backup(tmp_path / "copy.sqlite3")
    sqlite_ledger.close()
    (folder / "ledger.sqlite3").write_bytes(b"damaged" * 1000)
    replaced = sqlite_ledger.restore(copy)
    assert replaced is not None
    assert replaced.read_bytes() == b"damaged" * 1000
    assert requests(sqlite_ledger) == ["r1"]
