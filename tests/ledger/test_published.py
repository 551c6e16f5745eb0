"""The published files: complete after any accident, sealed, merged, and without what was deleted."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from tests.ledger.samples import DAY, Clock, conversation, message, rows, usage_row
from valechat.ledger.base import Verification
from valechat.ledger.pace import Pace
from valechat.ledger.sqlite import SqliteLedger

SMALL = Pace(seal_rows=10, lag_rows=2, merge_rows=30)


@pytest.fixture
def sqlite_ledger(folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteLedger]:
    """A ledger that seals early, and only when the test says so."""
    ledger = SqliteLedger(folder, clock=clock, pace=SMALL)
    monkeypatch.setattr(ledger._tender, "nudge", lambda: None)
    yield ledger
    ledger.close()


def settle(ledger: SqliteLedger, first: int, last: int) -> None:
    for n in range(first, last + 1):
        row = usage_row(f"r{n}", "0.01", conversation_id=f"c{n % 3}")
        ledger.settle(row, [DAY], [message(f"m{n}", f"secret{n % 3}", conversation_id=f"c{n % 3}")])


def tend(ledger: SqliteLedger, clock: Clock) -> None:
    """Let time pass until nothing more is due."""
    for _ in range(6):
        ledger.tend()
        clock.advance(minutes=11)


def requests(ledger: SqliteLedger) -> list[str]:
    return [row[0] for row in rows(ledger, "SELECT request_id FROM usage ORDER BY length(request_id), request_id")]


def seqs(folder: Path, part: str) -> list[int]:
    """The numbers of the requests in the Parquet files of a level, or in the tails."""
    level = folder / "published" / "usage" / part
    kept = [path.as_posix() for path in level.iterdir() if path.stat().st_size and path.suffix != ".new"]
    with duckdb.connect() as connection:
        read = connection.read_json if part == "tail" else connection.read_parquet
        found = [read(path).project("request_id[2:]::INT").fetchall() for path in kept]
    return sorted(row[0] for part in found for row in part)


def everything_published(folder: Path) -> str:
    """All text a reader of the published files can find."""
    texts = []
    for path in (folder / "published").rglob("*"):
        if path.suffix == ".parquet":
            with duckdb.connect() as connection:
                texts.append(str(connection.read_parquet(str(path)).fetchall()))
        elif path.is_file():
            texts.append(path.read_text(encoding="utf-8"))
    return "\n".join(texts)


def expected(last: int) -> list[str]:
    return [f"r{n}" for n in range(1, last + 1)]


def tail(folder: Path) -> Path:
    return folder / "published" / "usage" / "tail" / "0000.jsonl"


def test_a_torn_last_line_is_cut_and_written_again(folder: Path, sqlite_ledger: SqliteLedger) -> None:
    settle(sqlite_ledger, 1, 3)
    whole = tail(folder).read_bytes()
    tail(folder).write_bytes(whole[:-40])
    settle(sqlite_ledger, 4, 4)
    assert tail(folder).read_bytes().startswith(whole)
    assert requests(sqlite_ledger) == expected(4)


def test_a_torn_line_is_no_row_to_a_query(folder: Path, sqlite_ledger: SqliteLedger) -> None:
    settle(sqlite_ledger, 1, 3)
    with sqlite_ledger.connect() as connection:
        tail(folder).write_bytes(tail(folder).read_bytes()[:-40])
        assert connection.execute("SELECT request_id FROM usage").fetchall() in ([("r1",), ("r2",)], [("r2",), ("r1",)])


@pytest.mark.parametrize("damage", [b"", b"\0" * 3000, b'{"seq": 1}\n'])
def test_a_tail_a_power_failure_left_is_written_anew(folder: Path, sqlite_ledger: SqliteLedger, damage: bytes) -> None:
    settle(sqlite_ledger, 1, 5)
    sqlite_ledger.close()
    size = tail(folder).stat().st_size
    tail(folder).write_bytes(damage.ljust(size, b"\0") if damage.startswith(b"\0") else damage)
    assert requests(sqlite_ledger) == expected(5)


def test_a_published_folder_that_was_deleted_comes_back(
    folder: Path, sqlite_ledger: SqliteLedger, clock: Clock
) -> None:
    settle(sqlite_ledger, 1, 50)
    tend(sqlite_ledger, clock)
    before = rows(sqlite_ledger, "FROM messages ORDER BY id")
    sqlite_ledger.rebuild()
    assert requests(sqlite_ledger) == expected(50)
    assert rows(sqlite_ledger, "FROM messages ORDER BY id") == before


def test_publishing_anew_leaves_no_more_to_the_tail_than_settling_does(
    folder: Path, sqlite_ledger: SqliteLedger
) -> None:
    settle(sqlite_ledger, 1, 75)
    sqlite_ledger.rebuild()
    assert seqs(folder, "large") == list(range(1, 61))
    assert seqs(folder, "small") == list(range(61, 71))
    assert seqs(folder, "tail") == list(range(71, 76))
    assert requests(sqlite_ledger) == expected(75)


def test_rows_that_were_never_published_are_when_everything_is_published_anew(
    folder: Path, sqlite_ledger: SqliteLedger
) -> None:
    settle(sqlite_ledger, 1, 1)
    sqlite_ledger.close()
    db = sqlite3.connect(folder / "ledger.sqlite3")
    with db:
        db.execute("UPDATE publication SET tail_start = 0, tail_end = 0, pending = '[]'")
    db.close()
    tail(folder).write_bytes(b"")
    assert requests(sqlite_ledger) == []
    sqlite_ledger.rebuild()
    assert requests(sqlite_ledger) == expected(1)


def test_a_rebuild_that_was_killed_is_finished_before_the_next_query(
    sqlite_ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(sqlite_ledger, 1, 45)
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_ledger._segments, "_finish_writing", lambda: None)
        sqlite_ledger.rebuild()
    assert requests(sqlite_ledger) == expected(45)


def test_a_parquet_file_that_was_lost_is_written_before_the_next_query(
    folder: Path, sqlite_ledger: SqliteLedger, clock: Clock
) -> None:
    settle(sqlite_ledger, 1, 45)
    tend(sqlite_ledger, clock)
    for level in ("small", "large"):
        (folder / "published" / "usage" / level / "0000.parquet").unlink()
    assert requests(sqlite_ledger) == expected(45)


def test_an_older_copy_put_in_place_by_hand_is_published_anew(
    folder: Path, sqlite_ledger: SqliteLedger, clock: Clock
) -> None:
    settle(sqlite_ledger, 1, 15)
    sqlite_ledger.close()
    copy = (folder / "ledger.sqlite3").read_bytes()
    settle(sqlite_ledger, 16, 45)
    tend(sqlite_ledger, clock)
    sqlite_ledger.close()
    (folder / "ledger.sqlite3").write_bytes(copy)
    assert requests(sqlite_ledger) == expected(15)
    settle(sqlite_ledger, 100, 140)
    tend(sqlite_ledger, clock)
    assert requests(sqlite_ledger) == [*expected(15), *(f"r{n}" for n in range(100, 141))]


def test_rows_are_sealed_behind_the_newest(folder: Path, sqlite_ledger: SqliteLedger) -> None:
    settle(sqlite_ledger, 1, 11)
    sqlite_ledger.tend()
    assert seqs(folder, "small") == []
    settle(sqlite_ledger, 12, 12)
    sqlite_ledger.tend()
    assert seqs(folder, "small") == list(range(1, 11))


def test_every_step_from_tail_to_large_file_shows_each_row_once(
    folder: Path, sqlite_ledger: SqliteLedger, clock: Clock
) -> None:
    with sqlite_ledger.connect() as connection:
        for n in range(1, 48):
            settle(sqlite_ledger, n, n)
            if n % 4 == 0:
                sqlite_ledger.tend()
                clock.advance(seconds=6)
            found = connection.execute("SELECT count(*), count(DISTINCT request_id) FROM usage").fetchone()
            assert found == (n, n)
    tend(sqlite_ledger, clock)
    assert seqs(folder, "large") == list(range(1, 31))
    assert seqs(folder, "small") == list(range(31, 41))
    assert set(range(41, 48)) <= set(seqs(folder, "tail")) <= set(range(31, 48))
    assert requests(sqlite_ledger) == expected(47)


def test_a_file_does_not_count_before_it_is_in_place_for_long_enough(
    folder: Path, sqlite_ledger: SqliteLedger, clock: Clock
) -> None:
    settle(sqlite_ledger, 1, 12)
    mark = folder / "published" / "usage" / "mark.json"
    assert sqlite_ledger.tend() == timedelta(seconds=10)
    assert mark.read_text() == '{"small": 0, "large": 0}\n'
    clock.advance(seconds=10)
    assert sqlite_ledger.tend() is None
    assert mark.read_text() == '{"small": 10, "large": 0}\n'


@pytest.mark.parametrize("count", [12, 45])
@pytest.mark.parametrize("tended", [False, True])
def test_a_row_that_was_sealed_can_still_change(
    sqlite_ledger: SqliteLedger, clock: Clock, count: int, tended: bool
) -> None:
    settle(sqlite_ledger, 1, count)
    sqlite_ledger.tend()
    if tended:
        tend(sqlite_ledger, clock)
    sqlite_ledger.verify("r3", Verification("verified", None, 10, 20))
    tend(sqlite_ledger, clock)
    assert rows(sqlite_ledger, "SELECT request_id FROM usage WHERE verification = 'verified'") == [("r3",)]
    assert requests(sqlite_ledger) == expected(count)


@pytest.mark.parametrize("when", ["in the tail", "sealed", "merged", "merged long ago"])
def test_a_deleted_conversation_leaves_no_text_in_any_file(
    folder: Path, sqlite_ledger: SqliteLedger, clock: Clock, when: str
) -> None:
    for n in range(3):
        sqlite_ledger.start_conversation(conversation(f"c{n}", f"title{n}"))
    settle(sqlite_ledger, 1, 5 if when == "in the tail" else 45)
    if when == "sealed":
        sqlite_ledger.tend()
    elif when == "merged":
        for _ in range(3):
            sqlite_ledger.tend()
            clock.advance(seconds=10)
    elif when == "merged long ago":
        tend(sqlite_ledger, clock)
    assert "secret1" in everything_published(folder)
    sqlite_ledger.delete_conversation("c1")
    text = everything_published(folder)
    assert "secret1" not in text
    assert "title1" not in text
    assert "secret2" in text
    assert b"secret1" not in (folder / "ledger.sqlite3").read_bytes()
    kept = {f"m{n}" for n in range(1, (5 if when == "in the tail" else 45) + 1) if n % 3 != 1}
    assert {row[0] for row in rows(sqlite_ledger, "SELECT id FROM messages")} == kept
    settle(sqlite_ledger, 100, 101)
    assert {row[0] for row in rows(sqlite_ledger, "SELECT id FROM messages")} == kept | {"m101"}


def test_a_deletion_that_was_interrupted_is_finished_later(
    folder: Path, sqlite_ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(sqlite_ledger, 1, 5)
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_ledger._segments, "complete", lambda: None)
        sqlite_ledger.delete_conversation("c1")
    sqlite_ledger.tend()
    assert "secret1" not in everything_published(folder)


def test_a_folder_name_full_of_pattern_characters_is_no_pattern(tmp_path: Path, clock: Clock) -> None:
    ledger = SqliteLedger(tmp_path / "[a]*b'c", clock=clock, pace=SMALL)
    settle(ledger, 1, 12)
    tend(ledger, clock)
    assert requests(ledger) == expected(12)
    ledger.close()


@pytest.mark.slow
def test_a_reader_finds_no_gap_while_files_are_sealed_merged_and_emptied(folder: Path) -> None:
    pace = Pace(20, 4, 60, mark_after=timedelta(seconds=1), empty_after=timedelta(seconds=2))
    ledger = SqliteLedger(folder, pace=pace)
    done = threading.Event()
    settled = 0
    wrong: list[object] = []

    def read() -> None:
        with ledger.connect() as connection:
            while not done.is_set():
                at_least = settled
                total, distinct = connection.execute(
                    "SELECT count(*), count(DISTINCT request_id) FROM usage"
                ).fetchone() or (0, 0)
                if total != distinct or total < at_least:
                    wrong.append((at_least, total, distinct))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    small = folder / "published" / "usage" / "small" / "0000.parquet"
    emptied = False
    while not emptied:
        before = small.stat().st_size if small.exists() else 0
        ledger.settle(usage_row(f"r{settled + 1}"), [DAY])
        settled += 1
        emptied = small.exists() and small.stat().st_size < before
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert rows(ledger, "SELECT count(*) FROM usage") == [(settled,)]
    ledger.close()
