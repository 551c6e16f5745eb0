"""A meter over a real ledger, both by a clock that a test sets, and a ledger that can be held up or fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from tests.ledger.samples import Clock
from tests.scripted import ScriptedProvider, answer
from valechat.accumulate import Answer
from valechat.billing.table import default_table
from valechat.config import Limits
from valechat.errors import LedgerUnwritable
from valechat.events import DoneEvent
from valechat.held import Held
from valechat.ledger.base import Bucket, Ceiling, Hold, UsageRow
from valechat.ledger.sqlite import SqliteLedger
from valechat.messages import Message
from valechat.meter import Meter
from valechat.paths import user_paths
from valechat.providers.base import Options, Request
from valechat.reply import Reply
from valechat.session import Target, Turn, run_turn

__all__ = ["COST", "QUESTION", "Money", "answered"]

QUESTION = Request("echo", [Message.user("Hi")], options=Options(max_tokens=1000))


class Recording(SqliteLedger):
    """A real ledger that notes what it is asked, and can be held up or fail where a test says so."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__(user_paths().ledger, clock=clock)
        self.reserved: list[Hold] = []
        self.refuse: Callable[[Hold], bool] = lambda hold: False
        self.unwritable = False
        self.settling = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.renewed = threading.Event()

    def reserve(self, hold: Hold) -> None:
        if self.refuse(hold):
            raise LedgerUnwritable("Refused by the test.", fix="None.")
        super().reserve(hold)
        self.reserved.append(hold)

    def renew(self, request_id: str, lapses_at: datetime) -> None:
        super().renew(request_id, lapses_at)
        self.renewed.set()

    def settle(self, row: UsageRow, buckets: Sequence[Bucket], messages: Any = ()) -> bool:
        self.settling.set()
        assert self.go_on.wait(60)
        if self.unwritable:
            raise LedgerUnwritable("The disk is full, says the test.", fix="None.")
        return super().settle(row, buckets, messages)


class Money:
    """A meter over a real ledger, both by a clock that the test sets."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.ledger = Recording(self.clock)
        self.limits = Limits.model_validate({"daily": "0.01", "monthly": "1"})
        self.zone: tzinfo = UTC
        self.meter = Meter(
            self.ledger, limits=lambda: self.limits, prices=default_table, zone=lambda: self.zone, clock=self.clock
        )

    async def reserve(self, **changes: Any) -> Held:
        return await self.meter.reserve(QUESTION, ScriptedProvider(), conversation_id="c", **changes)

    async def settle(self, held: Held, *, output_tokens: int = 10) -> None:
        await self.meter.settle(held, answered(output_tokens), "complete")

    async def spend(self) -> None:
        await self.settle(await self.reserve())

    async def ask(self, *providers: ScriptedProvider, **changes: Any) -> Reply:
        turn = Turn("c", Message.user("Hi"), [Target(provider, "echo") for provider in providers], **changes)
        *_, done = [event async for event in run_turn(turn, self.ledger, self.meter)]
        assert isinstance(done, DoneEvent)
        return done.reply

    def of(self, period: str, scope: str = "all") -> tuple[Decimal | int, Decimal | int]:
        """What is used and held in a period."""
        (state,) = self.ledger.limit_states([Ceiling("any", Bucket(scope, period), Decimal(1000))])
        return state.used, state.held

    def rows(self) -> list[UsageRow]:
        return self.ledger.conversation_usage("c")


def answered(output_tokens: int = 10) -> Answer:
    whole = Answer()
    for chunk in answer("Yes", output_tokens=output_tokens):
        whole.add(chunk)
    return whole


COST = Decimal("0.00012")
"""100 tokens in and 10 out, at $1 and $2 a million."""
