"""What a request costs, before and after: reserve, send, settle.

The worst case is held against every limit before a request leaves; after it the hold becomes the true
cost. A request that was stopped or broke off is billed by what is known of it and an estimate of the
rest, never at nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, ParamSpec

from valechat.accumulate import Answer
from valechat.billing.costing import Priced, price
from valechat.billing.estimate import default_max_tokens, likely_input, size_of
from valechat.billing.limits import Limits, plan, rate_holds
from valechat.billing.periods import billing_period_of, day_of
from valechat.billing.sentences import explain, lowered
from valechat.billing.table import PriceTable
from valechat.billing.verify import verifiable, verify_later
from valechat.errors import (
    AuthenticationFailed,
    CircuitOpen,
    LedgerError,
    LimitReached,
    ModelNotFound,
    ProviderError,
    RateLimited,
    RequestRejected,
    Unreachable,
)
from valechat.held import Charge, Held
from valechat.ids import new_id
from valechat.ledger.base import (
    Hold,
    Kind,
    Ledger,
    RequestStatus,
    StoredMessage,
    UsageRow,
    Verification,
)
from valechat.ledger.threads import durably, to_the_end
from valechat.messages import Message, TextPart
from valechat.owed import Owed
from valechat.providers.base import Provider, Request
from valechat.quote import BYTES_PER_TOKEN, Quote, ask_first, over_max_cost, price_changing, price_name, unpriced
from valechat.usage import Usage

__all__ = ["Charge", "Held", "Meter"]

P = ParamSpec("P")

LAPSE = timedelta(minutes=3)
"""How long a hold outlives the last sign of life of its kernel."""

RENEW_SECONDS = 60.0

_NOT_SERVED = (AuthenticationFailed, CircuitOpen, ModelNotFound, RateLimited, RequestRejected, Unreachable)
"""Refusals before any work was done, which no provider bills."""


class Meter:
    """Holds and settles requests.

    Args:
        ledger: Where holds and rows go.
        limits: The user's limits as they are now.
        prices: The price table as it is now.
        zone: The user's time zone; None is the system's own.
        priced_as: The provider whose prices a provider's models have, where it is an account of another name.
        clock: What time it is.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        limits: Callable[[], Limits],
        prices: Callable[[], PriceTable],
        zone: Callable[[], tzinfo | None],
        priced_as: Callable[[str], str] = lambda name: name,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger = ledger
        self._limits = limits
        self._prices = prices
        self._zone = zone
        self._priced_as = priced_as
        self._clock = clock
        self._recounting: set[asyncio.Task[None]] = set()
        self._owed = Owed()

    async def reserve(
        self,
        request: Request,
        provider: Provider,
        *,
        kind: Kind = "chat",
        conversation_id: str | None = None,
        max_cost: Decimal | None = None,
        confirmed: bool = False,
        plugin: str | None = None,
    ) -> Held:
        """Hold a request's worst case against all limits.

        Where the worst case does not fit but the likely case does, `max_tokens` is lowered to what
        fits. A free model is never refused.

        Args:
            request: The request.
            provider: Where it goes.
            kind: What it is for, as its row will say.
            conversation_id: The conversation it belongs to.
            max_cost: USD this request may cost at most, besides the limits.
            confirmed: The user agreed to a cost above `confirm_above`, or to an unknown one.
            plugin: The plugin that asked for it, as its row will say; None where the user did.

        Raises:
            LimitReached: A limit leaves no room.
            ConfirmationRequired: The user has to agree first.
        """
        await self.make_good()
        limits, now, zone = self._limits(), self._clock(), self._zone()
        model = f"{provider.name}/{request.model}"
        prices = self._prices()
        priced_as = price_name(provider.name, request.model, prices, self._priced_as)
        quote = Quote(
            priced_as,
            size_of(request.messages, request.system, request.tools, request.options.schema),
            prices,
            provider.local,
            price_changing(request.options.extra),
        )
        spending = plan(limits, model, conversation_id, now, zone)
        wanted = request.options.max_tokens or default_max_tokens(priced_as, prices)
        amount = quote.worst(wanted)
        limited = bool(spending.ceilings) or max_cost is not None
        if amount is None and limited and not confirmed:
            raise unpriced(model)
        request_id, max_tokens, tightest = new_id(), wanted, "max_cost"
        if max_cost is not None and amount is not None and amount > max_cost:
            max_tokens = quote.fitting(max_cost, max_tokens, over_max_cost(model, amount, max_cost))
            amount = quote.worst(max_tokens)
        if not confirmed and limits.confirm_above is not None and amount is not None and amount > limits.confirm_above:
            raise ask_first(model, amount, limits.confirm_above)
        hold = Hold(request_id, amount, spending.buckets, spending.ceilings, now + LAPSE)
        hold, max_tokens, tightest = await self._hold(hold, quote, max_tokens, tightest)
        amount = hold.amount
        rate = rate_holds(limits, provider.name, request_id, now, tokens=quote.input_tokens + max_tokens, cost=amount)
        await self.hold_rates(request_id, rate)
        if limited and amount is not None:
            request = replace(request, options=replace(request.options, max_tokens=max_tokens))
        held = Held(
            request_id=request_id,
            request=request,
            priced_as=priced_as,
            provider=provider,
            kind=kind,
            conversation_id=conversation_id,
            plugin=plugin,
            note=lowered(wanted, max_tokens, tightest) if max_tokens < wanted else "",
            began=now,
            zone=zone,
            size=quote.size,
            plan=spending,
            most_output_bytes=quote.output_bytes(amount) if limited and amount else None,
            rate=rate,
        )
        held.renewing = asyncio.create_task(self._renew(request_id))
        return held

    async def release(self, held: Held) -> None:
        """Give back a hold whose request never left."""
        await _stop(held.renewing)
        await to_the_end(self._release([held.request_id, *(hold.request_id for hold in held.rate)]))

    async def make_good(self) -> None:
        """Write what could not be written when it was due, because the disk was full or read-only.

        Raises:
            LedgerUnwritable: It still cannot be written, so nothing more may be spent.
        """
        await self._owed.make_good()

    async def _release(self, request_ids: Sequence[str]) -> None:
        for request_id in request_ids:
            await self._owed.write(self._ledger.release, request_id)

    async def settle(
        self,
        held: Held,
        answer: Answer,
        status: RequestStatus,
        error: ProviderError | None = None,
        messages: Sequence[StoredMessage] = (),
    ) -> Charge:
        """Write the request's row, its true cost and its messages, in the place of its hold.

        It is done to its end when the caller is cancelled meanwhile.

        Raises:
            LedgerUnwritable: It is kept in memory, and written before the next request leaves.
        """
        return await to_the_end(self._settle(held, answer, status, error, messages))

    async def _settle(
        self,
        held: Held,
        answer: Answer,
        status: RequestStatus,
        error: ProviderError | None,
        messages: Sequence[StoredMessage],
    ) -> Charge:
        await _stop(held.renewing)
        row = self.bill(held, answer, status, error, message_id=messages[-1].id if messages else None)
        await self._owed.write(self._ledger.settle, row, held.plan.buckets, messages)
        await self.settle_rates(held, row)
        if row.verification.status == "pending":
            self._recount(held, answer, row.usage)
        return Charge(row.usage, row.cost, row.verification.status)

    def bill(
        self,
        held: Held,
        answer: Answer,
        status: RequestStatus,
        error: ProviderError | None = None,
        *,
        message_id: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> UsageRow:
        """A request's row: what it used and what that costs. Nothing is written.

        `details` are added to those of its usage: how it was processed, where the answer does not say.
        """
        usage = Usage.from_wire(held.provider.wire, answer.usage_raw) if answer.usage_raw else Usage()
        if details:
            usage = replace(usage, details={**usage.details, **details})
        priced, verification = self._priced(held, answer, usage, error)
        return UsageRow(
            request_id=held.request_id,
            ts=held.began,
            day=day_of(held.began, held.zone),
            billing_period=billing_period_of(held.began, held.zone),
            provider=held.provider.name,
            model=held.request.model,
            kind=held.kind,
            usage=usage,
            cost=priced.cost,
            cost_source=priced.source,
            status=status,
            conversation_id=held.conversation_id,
            message_id=message_id,
            first_token_ms=answer.first_token_ms,
            duration_ms=answer.duration_ms,
            unit_prices=priced.unit_prices,
            error=None if error is None else f"{error.kind}: {error.message}",
            verification=verification,
            plugin=held.plugin,
        )

    async def write(self, call: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Write to the ledger now, or before anything more is spent.

        Raises:
            LedgerUnwritable: It is kept in memory for `make_good`.
        """
        await self._owed.write(call, *args, **kwargs)

    async def recounted(self) -> None:
        """Wait until all answers so far are verified."""
        await asyncio.gather(*self._recounting)

    def _recount(self, held: Held, answer: Answer, usage: Usage) -> None:
        """Verify in the background; the answer does not wait for it."""
        task = asyncio.create_task(self._verify(held, answer, usage))
        self._recounting.add(task)
        task.add_done_callback(self._recounting.discard)

    async def _verify(self, held: Held, answer: Answer, usage: Usage) -> None:
        request = held.request
        system = [Message("system", (TextPart(request.system),))] if request.system else []
        found = await verify_later(
            usage,
            held.priced_as,
            prompt=[*system, *request.messages],
            answer=answer.message,
            tools=bool(request.tools),
            schema=request.options.schema is not None,
        )
        await durably(self._ledger.verify, held.request_id, found)

    def _priced(
        self, held: Held, answer: Answer, usage: Usage, error: ProviderError | None
    ) -> tuple[Priced, Verification]:
        if isinstance(error, _NOT_SERVED) and not answer.started and not answer.usage_raw:
            return Priced(Decimal(0), "priced"), Verification("unable", "usage_missing")
        known = usage.input_tokens is not None and usage.output_tokens is not None
        whole = usage
        verification = Verification() if verifiable(held.priced_as) else Verification("unable", "tokenizer_unpublished")
        if not known:
            output = math.ceil(answer.output_bytes / BYTES_PER_TOKEN)
            most = held.request.options.max_tokens
            counted = Verification(
                "unable",
                "usage_missing",
                counted_input_tokens=likely_input(held.size),
                # A model stops there itself, however long its tokens are.
                counted_output_tokens=output if most is None else min(output, most),
            )
            verification = counted
            whole = replace(
                usage,
                input_tokens=counted.counted_input_tokens if usage.input_tokens is None else usage.input_tokens,
                output_tokens=counted.counted_output_tokens,
            )
        priced = price(whole, held.priced_as, held.began, local=held.provider.local, table=self._prices())
        if priced.cost is None and priced.at_most is not None:
            # A part has no price of its own, but a bound: the limits must not lose the rest.
            priced = replace(priced, cost=priced.at_most, source="estimated")
        if not known and priced.cost is not None and priced.cost > 0:
            priced = replace(priced, source="estimated")
        return priced, verification

    async def _hold(self, hold: Hold, quote: Quote, max_tokens: int, tightest: str) -> tuple[Hold, int, str]:
        """Hold the amount, or what fits: what was held, its `max_tokens`, and the limit that set it."""
        while True:
            try:
                await self._reserve(hold)
            except LimitReached as refused:
                states = await durably(self._ledger.limit_states, hold.ceilings)
                lowest = min(states, key=lambda state: state.remaining)
                refusal = explain(refused, needed=hold.amount, tz=self._zone())
                fits = quote.fitting(lowest.remaining, max_tokens, refusal)
                if fits >= max_tokens:
                    # Another request ended in between; there is room now.
                    continue
                max_tokens, tightest = fits, lowest.limit
                hold = replace(hold, amount=quote.worst(fits))
            else:
                return hold, max_tokens, tightest

    async def hold_rates(self, request_id: str, rate: Sequence[Hold]) -> None:
        """Hold what counts against limits a minute, or release the request's own hold too.

        Raises:
            LimitReached: The last minute took too much.
        """
        reserved = [request_id]
        try:
            for hold in rate:
                await self._reserve(hold)
                reserved.append(hold.request_id)
        except BaseException as error:
            await to_the_end(self._release(reserved))
            if isinstance(error, LimitReached):
                raise explain(error, tz=self._zone()) from None
            raise

    async def settle_rates(self, held: Held, row: UsageRow) -> None:
        """What stands for the last minute's tokens and cost becomes what they truly were."""
        usage, cost = row.usage, row.cost
        true = {
            "tokens": None
            if usage.input_tokens is None or usage.output_tokens is None
            else Decimal(usage.input_tokens + usage.output_tokens),
            "cost": cost,
        }
        for hold in held.rate:
            amount = true.get(hold.request_id.rpartition(":")[2])
            if amount is not None and hold.amount is not None and amount < hold.amount:
                await durably(self._ledger.reserve, replace(hold, amount=amount, ceilings=()))

    async def _reserve(self, hold: Hold) -> None:
        try:
            await durably(self._ledger.reserve, hold)
        except asyncio.CancelledError:
            await durably(self._ledger.release, hold.request_id)
            raise

    async def _renew(self, request_id: str) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with contextlib.suppress(LedgerError):
                # It lives on for a while; the next time may find the disk with room again.
                await durably(self._ledger.renew, request_id, self._clock() + LAPSE)


async def _stop(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({task})
