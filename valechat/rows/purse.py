"""A job's money: one hold for all its requests under way, in place of one each.

What is held always covers the worst case of every request that has left and is not settled. It grows a few
requests ahead, in one transaction for all of them, and shrinks with each group of settled rows, in the
transaction that writes them. So the limits hold exactly as they do for a single request.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from valechat.billing.estimate import default_max_tokens, size_of
from valechat.billing.limits import Plan, plan, rate_holds
from valechat.billing.sentences import explain
from valechat.errors import LedgerError, LimitReached
from valechat.held import Held
from valechat.ids import new_id
from valechat.ledger.base import Ceiling, Hold
from valechat.ledger.jobs import job_bucket
from valechat.ledger.threads import durably
from valechat.meter import LAPSE, RENEW_SECONDS, Meter
from valechat.money import EXACT
from valechat.providers.base import Provider, Request
from valechat.quote import Quote, price_changing, price_name
from valechat.services import Services

__all__ = ["MAX_COST", "Purse"]

MAX_COST = "max_cost"
"""The name of the limit that is a job's own."""

_ZERO = Decimal(0)
_FRESH_SECONDS = 1.0
"""How old a look at limits and prices may be."""

_RATE_LOOK = 0.5
"""Seconds between two looks whether a limit a minute has room again."""


@dataclass(slots=True)
class _Account:
    """What is held and under way, against one set of buckets: those of a day."""

    plan: Plan
    hold_id: str
    held: Decimal = _ZERO
    out: Decimal = _ZERO


class Purse:
    """Reserves for the requests of one job.

    Args:
        found: The services.
        provider: Where the requests go.
        model: `provider/model`.
        job_id: The job.
        max_cost: USD the whole job may cost, earlier runs included.
        ahead: For how many more requests is held than for those under way.

    Attributes:
        open: More requests are to come.
        writing: Held by whoever changes what is held.
    """

    def __init__(
        self,
        found: Services,
        provider: Provider,
        model: str,
        job_id: str,
        *,
        max_cost: Decimal | None = None,
        ahead: int = 16,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.priced_as = model
        self._found = found
        self._provider = provider
        self._model = model
        self._job = job_bucket(job_id)
        self._max_cost = max_cost
        self._ahead = ahead
        self._clock = clock
        self._looked = 0.0
        self._accounts: list[_Account] = []
        self._last_worst = _ZERO
        self.open = True
        self.writing = asyncio.Lock()
        self._taking = asyncio.Lock()
        self._settled = asyncio.Event()
        self._renewing = asyncio.create_task(self._renew())

    def biller(self) -> Meter:
        """A meter for bills, with the prices as this purse has them: it looks less often."""
        return Meter(
            self._found.ledger,
            limits=lambda: self._limits,
            prices=lambda: self._table,
            zone=lambda: self._zone,
            priced_as=self._found.priced_as,
        )

    @property
    def plan(self) -> Plan:
        """What the job's requests count in now."""
        self._look()
        return self._account().plan

    def quote(self, request: Request) -> Quote:
        """What a request may cost."""
        self._look()
        size = size_of(request.messages, request.system, request.tools, request.options.schema)
        return Quote(self.priced_as, size, self._table, self._provider.local, price_changing(request.options.extra))

    def most_tokens(self, request: Request) -> int:
        """Output tokens that are reckoned with for a request."""
        return request.options.max_tokens or self._default

    async def take(self, request: Request) -> Held:
        """Hold a request's worst case; waits while requests under way may still leave room for it.

        Raises:
            LimitReached: A limit leaves no room, and nothing is under way that could.
        """
        quote = self.quote(request)
        wanted = self.most_tokens(request)
        worst = quote.worst(wanted)
        if worst is None or worst == 0:
            return await self._held(request, quote, wanted, worst, self._account())
        async with self._taking:
            while True:
                self._look()
                account = self._account()
                if EXACT.add(account.out, worst) <= account.held:
                    break
                try:
                    await self._grow(account, worst)
                except LimitReached as refused:
                    if any(other.out for other in self._accounts):
                        # What is under way costs less than it might: there may be room when it is settled.
                        self._settled.clear()
                        await self._settled.wait()
                    elif account.held:
                        await self._empty(account)
                    else:
                        wanted = await self._fitting(account, quote, wanted, refused)
                        worst = quote.worst(wanted) or _ZERO
            self._last_worst = worst
            account.out = EXACT.add(account.out, worst)
        try:
            return await self._held(request, quote, wanted, worst, account)
        except BaseException:
            self._give_back(account, worst)
            raise

    def give_back(self, held: Held) -> None:
        """A request did not leave, or is settled."""
        worst = held.quoted
        for account in self._accounts:
            if worst and account.plan.buckets == held.plan.buckets:
                self._give_back(account, worst)

    def after(self, settled: Sequence[Held]) -> tuple[Hold | None, Hold | None]:
        """What to hold once these are settled: for what is under way then, and, if there is room, for some more.

        To be asked and written with `writing` held.
        """
        account = self._accounts[-1] if self._accounts else None
        if account is None or not account.held:
            return None, None
        done = sum((held.quoted or _ZERO for held in settled if held.plan.buckets == account.plan.buckets), _ZERO)
        left = EXACT.subtract(account.out, done)
        more = EXACT.add(left, EXACT.multiply(self._last_worst, self._ahead)) if self.open else left
        return self._hold(account, left, free=True), self._hold(account, more) if more > left else None

    def wrote(self, hold: Hold | None) -> None:
        """This is held now."""
        for account in self._accounts:
            if hold is not None and account.hold_id == hold.request_id:
                account.held = hold.amount or _ZERO

    async def close(self) -> None:
        """Give back what is held."""
        self._renewing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({self._renewing})
        for account in self._accounts:
            if account.held:
                await durably(self._found.ledger.release, account.hold_id)

    def _look(self) -> None:
        if (now := time.monotonic()) - self._looked < _FRESH_SECONDS and self._looked:
            return
        self._looked = now
        self._limits = self._found.settings.limits
        self._table = self._found.prices
        self._zone = self._found.zone
        provider, _, model = self._model.partition("/")
        self.priced_as = price_name(provider, model, self._table, self._found.priced_as)
        self._default = default_max_tokens(self.priced_as, self._table)
        made = plan(self._limits, self._model, None, self._clock(), self._zone)
        own = () if self._max_cost is None else (Ceiling(MAX_COST, self._job, self._max_cost),)
        made = Plan((*made.buckets, self._job), (*made.ceilings, *own))
        for account in self._accounts:
            if account.plan.buckets == made.buckets:
                account.plan = made
                self._accounts.remove(account)
                self._accounts.append(account)
                return
        self._accounts.append(_Account(made, new_id()))

    def _account(self) -> _Account:
        return self._accounts[-1]

    async def _grow(self, account: _Account, worst: Decimal) -> None:
        """Hold enough for this request and some more; or for this one alone.

        Raises:
            LimitReached: Not even that.
        """
        least = EXACT.add(account.out, worst)
        more = EXACT.add(least, EXACT.multiply(worst, self._ahead))
        async with self.writing:
            for amount in (more, least):
                try:
                    await durably(self._found.ledger.reserve, self._hold(account, amount))
                except LimitReached:
                    if amount is least:
                        raise
                else:
                    account.held = amount
                    return

    async def _empty(self, account: _Account) -> None:
        """Give back what is held for requests to come, which may stand in the way of this one."""
        async with self.writing:
            await durably(self._found.ledger.release, account.hold_id)
            account.held = _ZERO

    async def _fitting(self, account: _Account, quote: Quote, wanted: int, refused: LimitReached) -> int:
        """As many output tokens as fit, where the likely cost does.

        Raises:
            LimitReached: It does not.
        """
        states = await durably(self._found.ledger.limit_states, account.plan.ceilings)
        lowest = min(states, key=lambda state: state.remaining)
        refusal = explain(refused, needed=quote.worst(wanted), tz=self._zone)
        return quote.fitting(lowest.remaining, wanted, refusal)

    async def _held(
        self, request: Request, quote: Quote, max_tokens: int, worst: Decimal | None, account: _Account
    ) -> Held:
        request_id = new_id()
        limited = bool(account.plan.ceilings)
        tokens = quote.input_tokens + max_tokens
        rate = await self._rates(request_id, tokens, worst) if self._limits.rate else ()
        wanted = self.most_tokens(request)
        if limited and worst is not None:
            request = replace(request, options=replace(request.options, max_tokens=max_tokens))
        return Held(
            request_id=request_id,
            request=request,
            priced_as=self.priced_as,
            provider=self._provider,
            kind="map",
            conversation_id=None,
            note=f"Cut at {max_tokens:,} tokens by a limit." if max_tokens < wanted else "",
            began=self._clock(),
            zone=self._zone,
            size=quote.size,
            plan=account.plan,
            most_output_bytes=quote.output_bytes(worst) if limited and worst else None,
            rate=rate,
            quoted=worst,
        )

    async def _rates(self, request_id: str, tokens: int, cost: Decimal | None) -> Sequence[Hold]:
        """Wait until the limits a minute have room, and hold it.

        Raises:
            LimitReached: One has less room in all than this request takes.
        """
        while True:
            now = self._clock()
            rate = rate_holds(self._limits, self._provider.name, request_id, now, tokens=tokens, cost=cost)
            try:
                await self._found.meter.hold_rates(request_id, rate)
            except LimitReached as refused:
                if refused.used == 0 and refused.held == 0:
                    raise
                await asyncio.sleep(_RATE_LOOK)
            else:
                return rate

    def _give_back(self, account: _Account, worst: Decimal) -> None:
        account.out = EXACT.subtract(account.out, worst)
        self._settled.set()

    def _hold(self, account: _Account, amount: Decimal, *, free: bool = False) -> Hold:
        ceilings = () if free else account.plan.ceilings
        return Hold(account.hold_id, amount, account.plan.buckets, ceilings, self._clock() + LAPSE)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            for account in self._accounts:
                with contextlib.suppress(LedgerError):
                    # It lives on for a while; the next time may find the disk with room again.
                    await durably(self._found.ledger.renew, account.hold_id, self._clock() + LAPSE)
