"""A server may have a model answer it: with the user's consent, within the user's limits, at the user's cost.

MCP calls this sampling. The server is told that it was refused, never why: what the user spends and may
spend is none of its business.
"""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from valechat.accumulate import Answer
from valechat.asking import Asker, Confirmation, SamplingApproval, nobody
from valechat.billing.estimate import default_max_tokens, size_of
from valechat.billing.table import PriceTable
from valechat.catalogue import Model
from valechat.config import Settings
from valechat.errors import ConfigError, ConfirmationRequired, LimitReached, ProviderError, ValeChatError
from valechat.ledger.base import RequestStatus
from valechat.ledger.threads import durably
from valechat.meter import Held, Meter
from valechat.plugins.approvals import Approvals
from valechat.providers.base import Request
from valechat.quote import Quote

if TYPE_CHECKING:
    import mcp_types as types

    from valechat.session import Target

__all__ = ["REJECTED", "Answerers", "Sampling"]

REJECTED = -1
"""The code with which the specification's example refuses a request the user rejected."""

WINDOW = 60.0


class Answerers(Protocol):
    """What is used of `Services`: models, prices, limits."""

    @property
    def settings(self) -> Settings:
        """The settings as they are now."""
        ...

    @property
    def prices(self) -> PriceTable:
        """The price table."""
        ...

    @property
    def meter(self) -> Meter:
        """Holds and settles what requests cost."""
        ...

    async def target(self, name: str) -> Target:
        """The model of that name."""
        ...

    async def default_model(self) -> str:
        """The model that is asked when none is named."""
        ...

    async def models(self) -> Sequence[Model]:
        """What can be chatted with."""
        ...

    async def ready(self, target: Target) -> None:
        """Make sure that the target has its key."""
        ...

    def price_name(self, target: Target) -> str:
        """Under which name it is priced."""
        ...


class _Refusal(Exception):
    """What the server is told in the place of an answer."""


class Sampling:
    """Answers `sampling/createMessage`. Used on the engine's loop.

    A server may ask only so often in a minute (`[plugins] sampling_per_minute`), whether or not it gets an
    answer: it can neither flood the user with questions nor go round in a loop of its own.

    Args:
        services: Models, prices, limits.
        approvals: What the user decided before.
    """

    def __init__(self, services: Answerers, approvals: Approvals) -> None:
        self._services = services
        self._approvals = approvals
        self._asked_at: dict[str, deque[float]] = defaultdict(deque)

    async def __call__(
        self, plugin: str, params: types.CreateMessageRequestParams, asker: Asker
    ) -> types.CreateMessageResult | types.CreateMessageResultWithTools | types.ErrorData:
        """A model's answer, or why there is none."""
        import mcp_types

        from valechat.plugins import sampled

        try:
            self._count(plugin)
            target = await self._target(params)
            priced_as = self._services.price_name(target)
            most = default_max_tokens(priced_as, self._services.prices)
            request = sampled.request(params, target.model, most)
            held = await self._reserved(plugin, target, request, sampled.shown(request), asker)
            return sampled.result(await self._answer(target, held), params, target.model)
        except _Refusal as refusal:
            return mcp_types.ErrorData(code=REJECTED, message=str(refusal))
        except sampled.Unfit as error:
            return mcp_types.ErrorData(code=mcp_types.INVALID_PARAMS, message=str(error))
        except LimitReached:
            return mcp_types.ErrorData(code=REJECTED, message="The user's limits leave no room for this request.")
        except ValeChatError as error:
            return mcp_types.ErrorData(code=mcp_types.INTERNAL_ERROR, message=f"No model answered: {error.kind}.")

    def _count(self, plugin: str) -> None:
        most, now = self._services.settings.plugins.sampling_per_minute, time.monotonic()
        times = self._asked_at[plugin]
        while times and now - times[0] >= WINDOW:
            times.popleft()
        if len(times) >= most:
            raise _Refusal(f"At most {most} requests a minute are answered; try again later.")
        times.append(now)

    async def _target(self, params: types.CreateMessageRequestParams) -> Target:
        """The model that the server hints at, if it can be asked now; else the user's own."""
        usual = await self._services.default_model()
        hints = [
            hint.name.lower()
            for hint in (params.model_preferences and params.model_preferences.hints) or ()
            if hint.name
        ]
        if hints:
            known = [usual, *(model.id for model in await self._services.models() if model.usable and not model.demo)]
            usual = next((name for hint in hints for name in known if hint in name.lower()), usual)
        target = await self._services.target(usual)
        await self._services.ready(target)
        return target

    async def _reserved(self, plugin: str, target: Target, request: Request, text: str, asker: Asker) -> Held:
        """The request, held against the limits, with the user's consent to it and to its cost."""
        verdict = await durably(self._approvals.sampling, plugin)
        if verdict == "deny":
            raise _Refusal("The user does not let this server ask models.")
        if verdict == "ask":
            await self._ask(plugin, target, request, text, asker)
        agreed = verdict == "ask"
        while True:
            try:
                return await self._services.meter.reserve(
                    request, target.provider, kind="sampling", plugin=plugin, confirmed=agreed
                )
            except ConfirmationRequired as required:
                question = Confirmation(f"{plugin}: {required.message}", required.worst_case, target.name)
                if agreed or not await asker.confirm(question):
                    raise _Refusal("The user did not agree to this request.") from required
                agreed = True

    async def _ask(self, plugin: str, target: Target, request: Request, text: str, asker: Asker) -> None:
        if asker is nobody:
            raise _Refusal("The user could not be asked.")
        services, tokens = self._services, request.options.max_tokens or 0
        size = size_of(request.messages, request.system, request.tools)
        quote = Quote(services.price_name(target), size, services.prices, target.provider.local)
        decision = await asker.approve(
            SamplingApproval(
                plugin,
                model=target.name,
                system=request.system or "",
                text=text,
                max_tokens=tokens,
                most_cost=quote.worst(tokens),
            )
        )
        with contextlib.suppress(ConfigError):
            # A decision that cannot be written counts for this request; the user is asked again next time.
            await durably(self._approvals.remember_sampling, plugin, decision)
        if decision in ("no", "never"):
            raise _Refusal("The user rejected this request.")

    async def _answer(self, target: Target, held: Held) -> Answer:
        """The answer, settled whatever becomes of it."""
        meter, answer = self._services.meter, Answer()
        status: RequestStatus = "cancelled"
        try:
            async with contextlib.aclosing(target.provider.stream(held.request)) as chunks:
                async for chunk in chunks:
                    answer.add(chunk)
                    if held.exhausted_by(answer):
                        status = "limit"
                        break
                else:
                    status = "complete"
        except ProviderError as error:
            await meter.settle(held, answer, "failed", error)
            raise
        except ValeChatError:
            # It never left: its key is missing.
            await meter.release(held)
            raise
        except BaseException:
            await meter.settle(held, answer, status)
            raise
        await meter.settle(held, answer, status)
        return answer
