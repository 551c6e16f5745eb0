"""A process that chats while its disk is full, or its ledger may not be written.

Run as `python -m tests.ledger.chatter VERB`. It says on standard output, as one line of JSON, what
happened to each question.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys

from tests.scripted import ScriptedProvider, answer
from valechat.billing.table import default_table
from valechat.config import Limits
from valechat.errors import ValeChatError
from valechat.events import DoneEvent
from valechat.ledger import open_ledger
from valechat.ledger.base import Ledger
from valechat.ledger.store import LEDGER_FILE
from valechat.messages import Message
from valechat.meter import Meter
from valechat.paths import user_paths
from valechat.providers.base import Chunk, Options, Request
from valechat.session import Target, Turn, run_turn

LONG = "x" * 60_000
"""Too long for the pages that the file has, and within what an answer may cost."""


def disk(*, full: bool) -> None:
    """Fill the disk, so that no file grows beyond what the ledger is now, or give it space again."""
    most = (user_paths().ledger / LEDGER_FILE).stat().st_size if full else resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


class Chat:
    """One conversation; what became of each of its questions."""

    def __init__(self) -> None:
        limits = Limits.model_validate({"daily": "1"})
        self.ledger: Ledger = open_ledger(user_paths())
        self.meter = Meter(self.ledger, limits=lambda: limits, prices=default_table, zone=lambda: None)
        self.asked: list[str] = []
        self.sent = 0

    async def ask(self, question: str, reply: str = "Yes", *, fill: bool = False) -> None:
        def script(_request: Request) -> list[Chunk]:
            self.sent += 1
            if fill:
                disk(full=True)
            return answer(reply)

        turn = Turn(
            "c", Message.user(question), [Target(ScriptedProvider(script), "echo")], options=Options(max_tokens=20_000)
        )
        try:
            events = [event async for event in run_turn(turn, self.ledger, self.meter)]
        except ValeChatError as error:
            self.asked.append(f"{error.kind}: {error}")
        else:
            self.asked.append(events[-1].reply.text if isinstance(events[-1], DoneEvent) else "no end")

    def report(self) -> None:
        """Say what became of the questions, and what the ledger has."""
        rows = self.ledger.conversation_usage("c")
        with self.ledger.connect() as connection:
            used = connection.execute("SELECT used, held FROM limits").fetchall()
            published = connection.execute("SELECT request_id FROM usage").fetchall()
        said = {
            "asked": self.asked,
            "sent": self.sent,
            "messages": [[stored.message.role, stored.message.text[:20]] for stored in self.ledger.messages("c")],
            "costs": [str(row.cost) for row in rows],
            "limits": [[str(amount) for amount in one] for one in used],
            "published": len(published),
        }
        sys.stdout.write(json.dumps(said) + "\n")


async def full_before(chat: Chat) -> None:
    """The disk is full when a question is asked, and has space again for the next."""
    await chat.ask("First")
    disk(full=True)
    await chat.ask(LONG)
    disk(full=False)
    await chat.ask("Third")


async def full_during(chat: Chat) -> None:
    """The disk fills up while an answer is under way, and has space again two questions later."""
    await chat.ask("First")
    await chat.ask("Second", LONG, fill=True)
    await chat.ask("Third")
    disk(full=False)
    await chat.ask("Fourth")


async def read_only(chat: Chat) -> None:
    """The folder becomes read-only after the first question, and writable again for the third.

    Root may write anywhere, so it becomes someone else for a while.
    """
    await chat.ask("First")
    chat.ledger.close()
    ledger = user_paths().ledger
    paths = [ledger, *ledger.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    await chat.ask("Second")
    if root:
        os.seteuid(0)
    for path in paths:
        path.chmod(0o755 if path.is_dir() else 0o644)
    await chat.ask("Third")


async def main(verb: str) -> None:
    chat = Chat()
    await {"full_before": full_before, "full_during": full_during, "read_only": read_only}[verb](chat)
    chat.report()
    chat.ledger.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
