"""A kernel that is killed or shut down has lost nothing of what was said and spent."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.notebook.kernels import Kernel
from valechat.ledger import open_ledger
from valechat.paths import user_paths

ASK_AND_DIE = """
import os, signal, valechat
chat = valechat.Chat("demo/echo", options={"demo_tokens_per_second": 0})
reply = chat.ask_sync("Remember heliotrope")
os.kill(os.getpid(), signal.SIGKILL)
"""

STREAM_AND_DIE = """
import os, signal, valechat
chat = valechat.Chat("demo/echo", options={"demo_tokens_per_second": 50})
async for event in chat.stream("Count to 500"):
    if event.kind == "text" and "7" in event.text:
        os.kill(os.getpid(), signal.SIGKILL)
"""


STREAM_BESIDE = """
import threading, valechat
from valechat.engine import engine
chat = valechat.Chat("demo/echo", options={"demo_tokens_per_second": 50})
begun = threading.Event()

async def ask():
    async for event in chat.turn("Count to 500"):
        if event.kind == "text":
            begun.set()

asking = engine().submit(ask())
begun.wait(60)
"""


def killed(tmp_path: Path, home: Path, code: str) -> None:
    """Run a cell that kills its own kernel, and wait until the kernel is dead."""
    kernel = Kernel(tmp_path, home)
    try:
        kernel.run_to_death(code)
    finally:
        kernel.close()


@pytest.mark.slow
def test_conversation_and_usage_row_are_there_after_the_kernel_was_killed(tmp_path: Path, home: Path) -> None:
    killed(tmp_path, home, ASK_AND_DIE)
    ledger = open_ledger(user_paths())
    (conversation,) = ledger.conversations()
    question, answer = ledger.messages(conversation.id)
    assert question.message.text == "Remember heliotrope"
    assert "heliotrope" in answer.message.text
    (row,) = ledger.conversation_usage(conversation.id)
    assert (row.status, row.request_id) == ("complete", answer.request_id)
    assert conversation.total_cost == row.cost
    assert row.cost is not None
    assert row.cost > 0
    assert ledger.connect().sql("SELECT cost FROM usage").fetchall() == [(row.cost,)]
    ledger.close()


@pytest.mark.slow
def test_the_question_of_an_answer_that_was_cut_by_the_kill_is_kept_and_its_hold_lapses(
    tmp_path: Path, home: Path
) -> None:
    (home / "config.toml").write_text('[limits]\ndaily = "5.00"\n')
    killed(tmp_path, home, STREAM_AND_DIE)
    ledger = open_ledger(user_paths())
    (conversation,) = ledger.conversations()
    assert [stored.message.text for stored in ledger.messages(conversation.id)] == ["Count to 500"]
    held = ledger.connect().sql("SELECT held FROM limits WHERE \"limit\" = 'daily'").fetchall()
    assert held[0][0] > Decimal(0)
    ledger.close()


@pytest.mark.slow
def test_an_answer_under_way_is_settled_when_the_kernel_is_shut_down(tmp_path: Path, home: Path) -> None:
    kernel = Kernel(tmp_path, home)
    ran = kernel.run(STREAM_BESIDE)
    assert not ran.error, ran.traceback
    kernel.shut_down()
    ledger = open_ledger(user_paths())
    (conversation,) = ledger.conversations()
    assert [stored.status for stored in ledger.messages(conversation.id)] == ["complete", "cancelled"]
    (row,) = ledger.conversation_usage(conversation.id)
    assert (row.status, row.cost_source) == ("cancelled", "estimated")
    ledger.close()
