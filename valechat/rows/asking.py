"""One row asked: let through, held, sent, tried again where that costs nothing, and handed to the clerk."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from decimal import Decimal

from valechat.accumulate import Answer
from valechat.errors import (
    AuthenticationFailed,
    ModelNotFound,
    ProviderError,
    RateLimited,
    RequestRejected,
    ServerFailed,
    StreamBroken,
    TimedOut,
    Unreachable,
)
from valechat.held import Held
from valechat.ledger.base import RequestStatus, UsageRow
from valechat.ledger.jobs import JobRow, RowStatus
from valechat.messages import Message
from valechat.money import EXACT
from valechat.providers.base import Provider
from valechat.rows.clerk import Clerk, Ended, Request
from valechat.rows.gate import Gate
from valechat.rows.items import Common, Item
from valechat.rows.purse import Purse
from valechat.structured import Structure

__all__ = ["Asking", "read_answer"]

TRIES = 6
"""Failures after which a row is given up. Being asked to be slower is none."""

PAID_TRIES = 2
"""Requests of a row that may break off in the middle, which costs."""

_FIRST_WAIT = 0.25
_LONGEST_WAIT = 8.0


class Asking:
    """Asks rows, any number at once. `written` is told each row when it is in the ledger."""

    def __init__(
        self,
        job_id: str,
        common: Common,
        provider: Provider,
        *,
        gate: Gate,
        purse: Purse,
        clerk: Clerk,
        bill: Callable[..., UsageRow],
        structure: Structure | None,
        written: Callable[[JobRow, Item], None],
    ) -> None:
        self._job_id = job_id
        self._common = common
        self._provider = provider
        self._gate = gate
        self._purse = purse
        self._clerk = clerk
        self._price = bill
        self._structure = structure
        self._written = written

    async def ask(self, item: Item) -> None:
        """Ask a row, and hand what it came to to the clerk. A row's own failure is part of that.

        Raises:
            LimitReached: A limit leaves no room; the row was not sent.
            GaveUp: The server failed for too long.
            AuthenticationFailed: No row will be answered; so with ModelNotFound.
        """
        broken: list[Decimal | None] = []
        failures = 0
        while True:
            await self._gate.enter()
            try:
                held = await self._purse.take(self._common.request(item))
            except BaseException:
                self._gate.left()
                raise
            answer = Answer()
            try:
                status = await self._read(held, answer)
            except ProviderError as error:
                if not self._again(error, answer, failures, len(broken)):
                    await self._failed(item, held, answer, error, broken)
                    return
                if answer.started or answer.usage_raw:
                    request = self._bill(held, answer, "failed", error)
                    broken.append(request.usage.cost)
                    self._clerk.add(Ended([request]))
                else:
                    self._purse.give_back(held)
                failures += not isinstance(error, RateLimited)
                await asyncio.sleep(self._pause(failures))
            except BaseException:
                self._clerk.add(Ended([self._bill(held, answer, "cancelled")]))
                self._gate.left()
                raise
            else:
                self._gate.succeeded(self._provider.rate_limits())
                await self._answered(item, held, answer, status, broken)
                return

    async def _read(self, held: Held, answer: Answer) -> RequestStatus:
        async with aclosing(self._provider.stream(held.request)) as chunks:
            async for chunk in chunks:
                answer.add(chunk)
                if held.exhausted_by(answer):
                    return "limit"
        return "complete"

    def _again(self, error: ProviderError, answer: Answer, failures: int, paid: int) -> bool:
        """Tell the gate of a failure; whether the row is asked again."""
        if isinstance(error, AuthenticationFailed | ModelNotFound | RequestRejected):
            self._gate.left()
            return False
        self._gate.failed(error)
        if isinstance(error, TimedOut):
            # It may be answered and billed, unseen.
            return False
        if answer.started or answer.usage_raw:
            return paid + 1 < PAID_TRIES
        tries = isinstance(error, RateLimited | ServerFailed | StreamBroken | Unreachable)
        wanted = tries if error.should_retry is None else error.should_retry
        return wanted and failures + 1 < TRIES

    @staticmethod
    def _pause(failures: int) -> float:
        if not failures:
            return 0.0
        # The chance spreads the load of many rows; nothing secret hangs on it.
        return float(min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (failures - 1)) * (0.5 + random.random()))  # noqa: S311

    async def _failed(
        self, item: Item, held: Held, answer: Answer, error: ProviderError, broken: Sequence[Decimal | None]
    ) -> None:
        if isinstance(error, AuthenticationFailed | ModelNotFound):
            # It cost nothing, and so would be each row after it.
            self._purse.give_back(held)
            raise error
        request = self._bill(held, answer, "failed", error)
        await self._put(item, request, broken, "failed", None, error=f"{error.kind}: {error.message}")

    async def _answered(
        self, item: Item, held: Held, answer: Answer, status: RequestStatus, broken: Sequence[Decimal | None]
    ) -> None:
        request = self._bill(held, answer, status)
        cut = status == "limit" or (answer.stop is not None and answer.stop.reason == "max_tokens")
        text = answer.message.text
        found, parsed, why = read_answer(text, self._structure, cut=cut, note=held.note)
        await self._put(item, request, broken, found, text, parsed=parsed, error=why)

    def _bill(self, held: Held, answer: Answer, status: RequestStatus, error: ProviderError | None = None) -> Request:
        message: Message = answer.message
        return Request(held, self._price(held, answer, status, error), message)

    async def _put(
        self,
        item: Item,
        request: Request,
        broken: Sequence[Decimal | None],
        status: RowStatus,
        answer: str | None,
        *,
        parsed: object = None,
        error: str | None = None,
    ) -> None:
        row = JobRow(
            self._job_id,
            item.row,
            item.digest,
            item.prompt,
            status,
            datetime.now(UTC),
            f"{self._provider.name}/{self._common.model}",
            answer=answer,
            parsed=parsed,
            error=error,
            request_id=request.usage.request_id,
            cost=_sum([*broken, request.usage.cost]),
            source=item.source,
        )
        await self._clerk.put(Ended([request], row, lambda: self._written(row, item)))


def read_answer(
    text: str, structure: Structure | None, *, cut: bool = False, note: str = ""
) -> tuple[RowStatus, object, str | None]:
    """What an answer is worth: its row's status, its value as plain JSON types, and what is wrong with it."""
    if structure is None:
        return ("invalid", None, note or "The answer was cut at `max_tokens`.") if cut else ("complete", None, None)
    value, why = structure.read(text)
    if why:
        return "invalid", None, f"Cut. {note or why}" if cut else why
    from pydantic_core import to_jsonable_python

    return "complete", to_jsonable_python(value), None


def _sum(costs: Sequence[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for cost in costs:
        if cost is None:
            return None
        total = EXACT.add(total, cost)
    return total
