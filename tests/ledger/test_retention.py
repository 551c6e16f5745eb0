"""What is deleted when it is old, and what never is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.ledger.samples import DAY, Clock, conversation, daily, message, rows, usage_row
from valechat.errors import ConfigError
from valechat.ledger.base import Pruned, Retention
from valechat.ledger.pace import Pace
from valechat.ledger.sqlite import SqliteLedger
from valechat.messages import Message, ToolResultPart

A_MONTH = Retention(conversations=timedelta(days=30))
RESULTS = Retention(tool_results=timedelta(days=7))


@pytest.fixture
def sqlite_ledger(folder: Path, clock: Clock) -> Iterator[SqliteLedger]:
    ledger = SqliteLedger(folder, clock=clock, pace=Pace(seal_rows=10, lag_rows=2, merge_rows=30))
    yield ledger
    ledger.close()


def talk(ledger: SqliteLedger, clock: Clock, conversation_id: str) -> None:
    """A question, a tool's answer and a reply, billed at $0.01."""
    ledger.start_conversation(conversation(conversation_id, f"title {conversation_id}", clock.now))
    result = Message("tool", (ToolResultPart("t1", "log", f"answer of {conversation_id}", structured={"a": 1}),))
    ledger.settle(
        usage_row(f"r-{conversation_id}", "0.01", conversation_id=conversation_id, ts=clock.now),
        [DAY],
        [
            message(f"q-{conversation_id}", f"secret {conversation_id}", conversation_id=conversation_id, ts=clock.now),
            message(f"t-{conversation_id}", "", conversation_id=conversation_id, ts=clock.now, message=result),
        ],
    )


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_conversation_that_nobody_used_for_that_long_is_deleted(sqlite_ledger: SqliteLedger, clock: Clock) -> None:
    talk(sqlite_ledger, clock, "old")
    clock.advance(days=29)
    talk(sqlite_ledger, clock, "new")
    assert sqlite_ledger.prune(A_MONTH) == Pruned(0, 0)
    clock.advance(days=2)
    assert sqlite_ledger.prune(A_MONTH) == Pruned(1, 0)
    assert [head.id for head in sqlite_ledger.conversations()] == ["new"]
    assert {row[0] for row in rows(sqlite_ledger, "SELECT conversation_id FROM messages")} == {"new"}


def test_a_conversation_that_is_used_again_stays_whole(sqlite_ledger: SqliteLedger, clock: Clock) -> None:
    talk(sqlite_ledger, clock, "old")
    clock.advance(days=29)
    sqlite_ledger.add_messages([message("again", "again", conversation_id="old", ts=clock.now)])
    clock.advance(days=29)
    sqlite_ledger.prune(A_MONTH)
    assert [stored.id for stored in sqlite_ledger.messages("old")] == ["q-old", "t-old", "again"]


def test_its_text_is_in_no_file_any_more(folder: Path, sqlite_ledger: SqliteLedger, clock: Clock) -> None:
    talk(sqlite_ledger, clock, "old")
    assert b"secret old" in everything(folder)
    clock.advance(days=31)
    sqlite_ledger.prune(A_MONTH)
    for text in (b"secret old", b"answer of old", b"title old"):
        assert text not in everything(folder)


def test_its_accounting_stays(sqlite_ledger: SqliteLedger, clock: Clock) -> None:
    talk(sqlite_ledger, clock, "old")
    clock.advance(days=31)
    sqlite_ledger.prune(A_MONTH)
    assert rows(sqlite_ledger, "SELECT request_id, cost FROM usage") == [("r-old", Decimal("0.01"))]
    assert rows(sqlite_ledger, "SELECT conversation_id, title, cost FROM spend_by_conversation") == [
        ("old", None, Decimal("0.01"))
    ]
    assert sqlite_ledger.limit_states([daily("1")])[0].used == Decimal("0.01")


def test_old_answers_of_tools_are_removed_and_the_talk_stays(
    folder: Path, sqlite_ledger: SqliteLedger, clock: Clock
) -> None:
    talk(sqlite_ledger, clock, "old")
    clock.advance(days=8)
    talk(sqlite_ledger, clock, "new")
    assert sqlite_ledger.prune(RESULTS) == Pruned(0, 1)
    question, answer = sqlite_ledger.messages("old")
    (part,) = answer.message.parts
    assert question.message.text == "secret old"
    assert isinstance(part, ToolResultPart)
    assert (part.call_id, part.name, part.structured) == ("t1", "log", None)
    assert part.text.startswith("[removed")
    assert b"answer of old" not in everything(folder)
    assert b"answer of new" in everything(folder)


def test_more_old_answers_than_one_step_takes_are_all_removed(sqlite_ledger: SqliteLedger, clock: Clock) -> None:
    result = Message("tool", (ToolResultPart("t1", "log", "answer"),))
    sqlite_ledger.add_messages([message(f"m{n}", "", message=result) for n in range(450)])
    clock.advance(days=8)
    assert sqlite_ledger.prune(RESULTS) == Pruned(0, 450)
    assert sqlite_ledger.prune(RESULTS) == Pruned(0, 0)


def test_nothing_is_deleted_where_nothing_is_set(sqlite_ledger: SqliteLedger, clock: Clock) -> None:
    talk(sqlite_ledger, clock, "old")
    clock.advance(days=9999)
    assert sqlite_ledger.prune(Retention()) == Pruned(0, 0)


class Noted:
    """Lets a test wait until the background has pruned."""

    def __init__(self, ledger: SqliteLedger, patch: pytest.MonkeyPatch) -> None:
        self.done = threading.Event()
        self.count = 0
        prune = ledger._daily._prune

        def noted(retention: Retention) -> Pruned:
            pruned = prune(retention)
            self.count += 1
            self.done.set()
            return pruned

        patch.setattr(ledger._daily, "_prune", noted)


def test_it_is_done_once_a_day_by_whoever_settles_first(
    sqlite_ledger: SqliteLedger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = Noted(sqlite_ledger, monkeypatch)
    sqlite_ledger.keep(lambda: A_MONTH)
    talk(sqlite_ledger, clock, "old")
    assert noted.done.wait(30)
    sqlite_ledger.close()
    noted.done.clear()
    clock.advance(hours=23)
    sqlite_ledger.settle(usage_row("within the day"), [DAY])
    sqlite_ledger.close()
    assert noted.count == 1
    clock.advance(days=31)
    sqlite_ledger.settle(usage_row("a month later"), [DAY])
    assert noted.done.wait(30)
    assert sqlite_ledger.conversation("old") is None


def test_settings_that_cannot_be_read_delete_nothing_and_stop_no_request(
    folder: Path, sqlite_ledger: SqliteLedger, clock: Clock
) -> None:
    def broken() -> Retention:
        raise ConfigError("No TOML.", fix="Mend it.")

    sqlite_ledger.keep(broken)
    talk(sqlite_ledger, clock, "old")
    clock.advance(days=400)
    assert sqlite_ledger.settle(usage_row("r1"), [DAY])
    sqlite_ledger.close()
    assert sqlite_ledger.conversation("old") is not None
    assert not (folder / "pruned").exists()
