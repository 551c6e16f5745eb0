"""Damaged ledgers: what is left of them is recovered, and what is lost is said."""

from __future__ import annotations

import random
import shutil
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.ledger.old.fill import said
from tests.ledger.samples import DAY, Clock, conversation, message, rows, usage_row
from valechat.errors import LedgerDamaged
from valechat.ledger.base import Bucket, Ceiling
from valechat.ledger.pace import Pace
from valechat.ledger.salvage import Salvaged
from valechat.ledger.sqlite import SqliteLedger

OLD = Path(__file__).parent / "old"
PAGE = 4096
SMALL = Pace(seal_rows=10, lag_rows=2, merge_rows=30)


@pytest.fixture
def sqlite_ledger(folder: Path, clock: Clock) -> Iterator[SqliteLedger]:
    """A ledger with everything in it, written by the first version; to be damaged before its first use."""
    with tarfile.open(OLD / "v1.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    ledger = SqliteLedger(folder, clock=clock, pace=SMALL)
    yield ledger
    ledger.close()


def truth(folder: Path) -> Path:
    return folder / "ledger.sqlite3"


def pages_of(folder: Path, name: str) -> list[int]:
    """The pages of a table or index, as offsets into the file."""
    db = sqlite3.connect(truth(folder))
    content = truth(folder).read_bytes()
    found = []
    waiting = [db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0]]
    db.close()
    while waiting:
        start = (waiting.pop() - 1) * PAGE
        found.append(start)
        page = content[start : start + PAGE]
        if page[0] in (0x05, 0x02):
            cells = int.from_bytes(page[3:5], "big")
            offsets = [int.from_bytes(page[12 + 2 * n : 14 + 2 * n], "big") for n in range(cells)]
            waiting += [int.from_bytes(page[offset : offset + 4], "big") for offset in offsets]
            waiting.append(int.from_bytes(page[8:12], "big"))
    return found


def overwrite(folder: Path, start: int, content: bytes) -> None:
    with truth(folder).open("r+b") as file:
        file.seek(start)
        file.write(content)


def recover(ledger: SqliteLedger, *backups: Path) -> Salvaged:
    return ledger.salvage(backups, model_scope=lambda model: f"model:{model}")


def lost(found: Salvaged) -> dict[str, int]:
    return {saved.table: saved.lost for saved in found.tables if saved.lost}


def is_whole(folder: Path) -> bool:
    db = sqlite3.connect(truth(folder))
    found: str = db.execute("PRAGMA integrity_check").fetchone()[0]
    db.close()
    return found == "ok"


def truncate(folder: Path) -> None:
    with truth(folder).open("r+b") as file:
        file.truncate(truth(folder).stat().st_size // 2 + 100)


def empty(folder: Path) -> None:
    truth(folder).write_bytes(b"")


def remove(folder: Path) -> None:
    truth(folder).unlink()


def zero_header(folder: Path) -> None:
    overwrite(folder, 0, bytes(PAGE))


def zero_rows(folder: Path) -> None:
    for start in pages_of(folder, "usage")[::2]:
        overwrite(folder, start, bytes(PAGE))


def zero_index(folder: Path) -> None:
    for start in pages_of(folder, "sqlite_autoindex_usage_1"):
        overwrite(folder, start, bytes(PAGE))


def zero_counters(folder: Path) -> None:
    for start in pages_of(folder, "buckets"):
        overwrite(folder, start, bytes(PAGE))


def scatter_garbage(folder: Path) -> None:
    chance = random.Random(7)
    for start in range(0, truth(folder).stat().st_size, 3 * PAGE):
        overwrite(folder, start + chance.randrange(PAGE - 600), chance.randbytes(600))


def replace_with_garbage(folder: Path) -> None:
    truth(folder).write_bytes(random.Random(7).randbytes(50 * PAGE))


DAMAGES: list[Callable[[Path], None]] = [
    truncate,
    empty,
    remove,
    zero_header,
    zero_rows,
    zero_index,
    zero_counters,
    scatter_garbage,
    replace_with_garbage,
]


def comparable(everything: dict[str, Any]) -> dict[str, Any]:
    """What must be the same after a recovery: all but holds, which lapse, and images, which are not published."""
    kept = {name: everything[name] for name in ("usage", "tool_calls", "key_access", "requests", "spend_by_model")}
    kept["requests"] = {
        key: (Decimal(row[0]) if row[0] != "None" else None, *row[1:]) for key, row in kept["requests"].items()
    }
    kept["messages"] = [(m["id"], m["conversation_id"], m["role"], m["content"]) for m in everything["messages"]]
    kept["heads"] = [head[:2] + head[3:] for head in everything["heads"]]
    return kept


@pytest.mark.parametrize("damage", DAMAGES)
def test_with_its_published_files_a_damaged_ledger_loses_nothing(
    folder: Path, sqlite_ledger: SqliteLedger, damage: Callable[[Path], None]
) -> None:
    before = comparable(said(sqlite_ledger))
    sqlite_ledger.close()
    damage(folder)
    assert lost(recover(sqlite_ledger)) == {}
    assert comparable(said(sqlite_ledger)) == before
    assert is_whole(folder)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_recovered_ledger_is_used_as_before(
    folder: Path, sqlite_ledger: SqliteLedger, damage: Callable[[Path], None]
) -> None:
    damage(folder)
    recover(sqlite_ledger)
    for n in range(30):
        sqlite_ledger.settle(usage_row(f"new{n}", conversation_id="c1"), [DAY], [message(f"new{n}", "afterwards")])
    assert rows(sqlite_ledger, "SELECT count(*), count(DISTINCT request_id) FROM usage") == [(90, 90)]
    assert [head.id for head in sqlite_ledger.conversations(search="afterwards")] == ["c1"]


def test_the_damaged_file_is_kept(folder: Path, sqlite_ledger: SqliteLedger) -> None:
    zero_header(folder)
    damaged = truth(folder).read_bytes()
    kept = recover(sqlite_ledger).kept
    assert kept is not None
    assert kept.name == "ledger-damaged-20261122-120000-000000.sqlite3"
    assert kept.read_bytes() == damaged


def test_the_error_of_a_damaged_ledger_says_how_to_recover_it(folder: Path, sqlite_ledger: SqliteLedger) -> None:
    zero_header(folder)
    with pytest.raises(LedgerDamaged) as refused:
        sqlite_ledger.usage_of(["r001"])
    assert "valechat restore --salvage" in (refused.value.fix or "")


@pytest.mark.parametrize("damage", [zero_header, zero_index])
def test_damage_beside_the_rows_loses_none_of_them(
    folder: Path, sqlite_ledger: SqliteLedger, damage: Callable[[Path], None]
) -> None:
    before = said(sqlite_ledger)
    sqlite_ledger.close()
    damage(folder)
    shutil.rmtree(folder / "published")
    assert lost(recover(sqlite_ledger)) == {}
    after = said(sqlite_ledger)
    assert {name: after[name] for name in ("usage", "talk", "tool_calls")} == {
        name: before[name] for name in ("usage", "talk", "tool_calls")
    }


def test_rows_that_no_copy_has_are_counted_as_lost(folder: Path, sqlite_ledger: SqliteLedger) -> None:
    before = said(sqlite_ledger)["requests"]
    sqlite_ledger.close()
    zero_rows(folder)
    shutil.rmtree(folder / "published")
    gone = lost(recover(sqlite_ledger))["usage"]
    kept = said(sqlite_ledger)["requests"]
    assert 0 < gone < len(before)
    assert len(kept) == len(before) - gone
    assert kept == {request: before[request] for request in kept}


def test_a_limit_does_not_forget_what_lost_rows_had_used(folder: Path, sqlite_ledger: SqliteLedger) -> None:
    total = Ceiling("monthly", Bucket("all", "2126-01"), Decimal(100))
    before = sqlite_ledger.limit_states([total])[0].used
    sqlite_ledger.close()
    zero_rows(folder)
    shutil.rmtree(folder / "published")
    recover(sqlite_ledger)
    assert before > 0
    assert sqlite_ledger.limit_states([total])[0].used == before


def test_counters_that_are_lost_are_added_up_anew(folder: Path, sqlite_ledger: SqliteLedger) -> None:
    sqlite_ledger.settle(usage_row("one", "0.25", conversation_id="c1"), [DAY])
    sqlite_ledger.settle(usage_row("two", "0.5"), [DAY])
    sqlite_ledger.close()
    zero_counters(folder)
    shutil.rmtree(folder / "published")
    recover(sqlite_ledger)
    by_day, by_model, by_conversation = sqlite_ledger.limit_states(
        [
            Ceiling("day", Bucket("all", "2026-11-22"), Decimal(1)),
            Ceiling("model", Bucket("model:mylab/scripted", "2026-11-22"), Decimal(1)),
            Ceiling("conversation", Bucket("conversation:c1", ""), Decimal(1)),
        ]
    )
    sums = "SELECT sum(cost) FROM usage WHERE day = '2026-11-22'"
    assert by_day.used == rows(sqlite_ledger, sums)[0][0]
    assert by_model.used == rows(sqlite_ledger, f"{sums} AND provider = 'mylab'")[0][0]
    assert by_conversation.used == rows(sqlite_ledger, "SELECT sum(cost) FROM usage WHERE conversation_id = 'c1'")[0][0]


def test_a_backup_gives_what_nothing_else_has(folder: Path, sqlite_ledger: SqliteLedger, tmp_path: Path) -> None:
    backup = sqlite_ledger.backup(tmp_path / "backup.sqlite3")
    before = said(sqlite_ledger)["requests"]
    sqlite_ledger.close()
    zero_rows(folder)
    shutil.rmtree(folder / "published")
    found = recover(sqlite_ledger, backup)
    usage = next(saved for saved in found.tables if saved.table == "usage")
    assert usage.backup > 0
    assert said(sqlite_ledger)["requests"] == before


def test_rows_of_a_backup_with_another_future_get_numbers_of_their_own(
    sqlite_ledger: SqliteLedger, tmp_path: Path
) -> None:
    common = sqlite_ledger.backup(tmp_path / "common.sqlite3")
    sqlite_ledger.settle(usage_row("theirs"), [DAY])
    other = sqlite_ledger.backup(tmp_path / "other.sqlite3")
    sqlite_ledger.restore(common)
    sqlite_ledger.settle(usage_row("ours"), [DAY])
    recover(sqlite_ledger, other)
    assert [row.request_id for row in sqlite_ledger.usage_of(["ours", "theirs"])] == ["ours", "theirs"]
    assert rows(sqlite_ledger, "SELECT count(*) FROM usage") == [(62,)]


def test_a_conversation_that_was_deleted_does_not_come_back_from_a_backup(
    folder: Path, sqlite_ledger: SqliteLedger, tmp_path: Path
) -> None:
    backup = sqlite_ledger.backup(tmp_path / "backup.sqlite3")
    sqlite_ledger.delete_conversation("c1")
    sqlite_ledger.close()
    zero_header(folder)
    recover(sqlite_ledger, backup)
    assert sqlite_ledger.messages("c1") == []
    assert {head.id for head in sqlite_ledger.conversations()} == {"c0", "c2"}


def test_messages_without_their_conversation_get_one(folder: Path, sqlite_ledger: SqliteLedger) -> None:
    for start in pages_of(folder, "conversations"):
        overwrite(folder, start, bytes(PAGE))
    shutil.rmtree(folder / "published")
    recover(sqlite_ledger)
    head = sqlite_ledger.conversation("c1")
    assert head is not None
    assert (head.title, head.message_count) == ("", 46)
    assert head.total_cost is not None


def test_images_that_only_the_file_had_are_said_to_be_lost(folder: Path, sqlite_ledger: SqliteLedger) -> None:
    empty(folder)
    assert recover(sqlite_ledger).without_media == 1
    (stored,) = [stored for stored in sqlite_ledger.messages("c1") if stored.id == "p1"]
    assert stored.message.text == "look[image/png, 3 bytes: lost]"


def test_a_long_message_comes_back_over_all_its_pages(folder: Path, sqlite_ledger: SqliteLedger) -> None:
    long = "".join(f"line {n} ü\n" for n in range(20_000))
    sqlite_ledger.start_conversation(conversation("long"))
    sqlite_ledger.add_messages([message("long", long, conversation_id="long")])
    sqlite_ledger.close()
    zero_header(folder)
    shutil.rmtree(folder / "published")
    recover(sqlite_ledger)
    assert sqlite_ledger.messages("long")[0].message.text == long


def test_a_transaction_that_was_cut_short_is_taken_back_first(folder: Path, sqlite_ledger: SqliteLedger) -> None:
    broken = pages_of(folder, "sqlite_autoindex_tool_calls_1")
    db = sqlite3.connect(truth(folder), isolation_level=None)
    db.execute("PRAGMA journal_mode = TRUNCATE")
    db.execute("PRAGMA cache_size = 1")
    db.execute("BEGIN")
    db.execute("UPDATE usage SET cost = '999'")
    copies = {path: path.read_bytes() for path in (truth(folder), folder / "ledger.sqlite3-journal")}
    db.execute("ROLLBACK")
    db.close()
    for path, content in copies.items():
        path.write_bytes(content)
    for start in broken:
        overwrite(folder, start, bytes(PAGE))
    recover(sqlite_ledger)
    assert rows(sqlite_ledger, "SELECT count(*), max(cost) < 1 FROM usage") == [(60, True)]


def test_a_published_file_that_is_damaged_too_is_named(folder: Path, sqlite_ledger: SqliteLedger) -> None:
    broken = folder / "published" / "usage" / "small" / "0000.parquet"
    broken.write_bytes(b"PAR1" + bytes(100))
    zero_header(folder)
    found = recover(sqlite_ledger)
    assert found.unreadable == (broken,)
    assert lost(found) == {}
