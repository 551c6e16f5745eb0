"""Chatting while the ledger cannot be written, or others have its files open: nothing is lost, and it says why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.ledger.processes import ROOT, line, worker
from tests.scripted import ScriptedProvider, answer
from valechat.billing.table import default_table
from valechat.config import Limits
from valechat.events import DoneEvent
from valechat.ledger import open_ledger
from valechat.messages import Message
from valechat.meter import Meter
from valechat.paths import user_paths
from valechat.session import Target, Turn, run_turn

posix = pytest.mark.skipif(sys.platform == "win32", reason="permissions and limits of POSIX")


COST = Decimal("0.00012")
"""Of each answer: 100 tokens in and 10 out, at $1 and $2 a million."""


def amounts(texts: list[str]) -> list[Decimal]:
    return [Decimal(text) for text in texts]


def chatted(verb: str, home: Path) -> Any:
    """What a chatting process says became of its questions."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.ledger.chatter", verb],
        cwd=ROOT,
        env={**os.environ, "VALECHAT_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@posix
def test_a_question_that_cannot_be_stored_is_not_sent_and_the_next_works(home: Path) -> None:
    said = chatted("full_before", home)
    first, failed, third = said["asked"]
    assert (first, third) == ("Yes", "Yes")
    assert failed.startswith("LedgerUnwritable: ")
    assert "space" in failed
    assert said["sent"] == 2
    assert said["messages"] == [["user", "First"], ["assistant", "Yes"], ["user", "Third"], ["assistant", "Yes"]]
    assert amounts(said["costs"]) == [COST] * 2
    assert amounts(said["limits"][0]) == [2 * COST, 0]


@posix
def test_an_answer_the_disk_had_no_room_for_is_billed_and_kept_once_it_has(home: Path) -> None:
    said = chatted("full_during", home)
    first, failed, refused, fourth = said["asked"]
    assert (first, fourth) == ("Yes", "Yes")
    assert failed.startswith("LedgerUnwritable: ")
    assert refused.startswith("LedgerUnwritable: ")
    assert said["sent"] == 3
    assert [text for _, text in said["messages"]] == ["First", "Yes", "Second", "x" * 20, "Fourth", "Yes"]
    assert amounts(said["costs"]) == [COST] * 3
    assert amounts(said["limits"][0]) == [3 * COST, 0]
    assert said["published"] == 3


@posix
def test_a_folder_that_becomes_read_only_is_named_and_nothing_is_sent() -> None:
    with tempfile.TemporaryDirectory() as open_to_all:
        Path(open_to_all).chmod(0o755)
        said = chatted("read_only", Path(open_to_all))
    first, failed, third = said["asked"]
    assert (first, third) == ("Yes", "Yes")
    assert failed.startswith("LedgerUnwritable: ")
    assert "VALECHAT_HOME" in failed
    assert said["sent"] == 2
    assert [text for _, text in said["messages"]] == ["First", "Yes", "Third", "Yes"]
    assert amounts(said["costs"]) == [COST] * 2


async def test_chatting_goes_on_while_another_program_has_the_database_open() -> None:
    ledger = open_ledger(user_paths())
    limits = Limits.model_validate({"daily": "1"})
    meter = Meter(ledger, limits=lambda: limits, prices=default_table, zone=lambda: None)
    assert ledger.database.exists()
    with worker("look", user_paths().ledger) as process:
        assert line(process) == "2"
        for n in range(3):
            turn = Turn("c", Message.user(f"Question {n}"), [Target(ScriptedProvider(answer("Yes")), "echo")])
            events = [event async for event in run_turn(turn, ledger, meter)]
            assert isinstance(events[-1], DoneEvent)
        with ledger.connect() as connection:
            assert connection.execute("SELECT count(*), sum(cost) FROM usage").fetchall()[0][0] == 3
    ledger.close()
