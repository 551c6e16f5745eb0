"""Before sending: how large a request would be, what it could cost, and what the limits leave for it."""

from __future__ import annotations

import asyncio
import mimetypes
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from valechat.billing.estimate import RequestSize, default_max_tokens, likely_input, size_of
from valechat.billing.limits import plan
from valechat.billing.sentences import moment, title, usd
from valechat.chat import Chat
from valechat.errors import ConfigError, ValeChatError
from valechat.history import spoken
from valechat.ledger.base import LimitState
from valechat.ledger.threads import durably
from valechat.messages import Message
from valechat.notebook import protocol
from valechat.notebook.outbox import Outbox
from valechat.notebook.shown import money
from valechat.notebook.uploads import Uploads
from valechat.quote import Quote, price_changing
from valechat.services import services
from valechat.session import Target

__all__ = ["Estimate", "Estimating", "estimate"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one model would be sent and could cost, in tokens and USD; a cost is None when no price is known."""

    model: str
    input_tokens: int
    most_input_tokens: int
    most_output_tokens: int
    likely: Decimal | None
    worst: Decimal | None
    limits: tuple[LimitState, ...]


async def estimate(chat: Chat, target: Target, size: RequestSize) -> Estimate:
    """What a request of this size to this model could cost, and how the limits over it stand."""
    found = services()
    name = found.price_name(target)
    quote = Quote(name, size, found.prices, target.provider.local, price_changing(chat.options))
    most = chat.max_tokens or default_max_tokens(name, found.prices)
    conversation = chat.conversation_id or None
    ceilings = plan(found.settings.limits, target.name, conversation, datetime.now(UTC), found.zone).ceilings
    states = await durably(found.ledger.limit_states, ceilings) if ceilings else ()
    return Estimate(
        target.name, likely_input(size), quote.input_tokens, most, quote.expected, quote.worst(most), tuple(states)
    )


class Estimating:
    """The estimates for one panel's composer. Used on the engine's loop; the counting is done beside it.

    The conversation so far is measured once and kept until `forget`.
    """

    def __init__(self, chat: Chat, uploads: Uploads, outbox: Outbox) -> None:
        self._chat = chat
        self._uploads = uploads
        self._outbox = outbox
        self._newest: asyncio.Task[None] | None = None
        self._measured: tuple[object, RequestSize] | None = None

    def forget(self) -> None:
        """The conversation has grown."""
        self._measured = None

    async def answer(self, question: protocol.Estimate) -> None:
        """Tell the panel; an older question that is not answered yet is given up."""
        if self._newest is not None:
            self._newest.cancel()
        self._newest = asyncio.current_task()
        try:
            found = await self.shown(question)
        except ValeChatError:
            # What is wrong is said when the question is sent, not at each key.
            found = None
        self._outbox.send(protocol.Estimated(type="estimated", seq=0, number=question["number"], estimate=found))

    async def shown(self, question: protocol.Estimate) -> protocol.EstimateShown | None:
        """What the composer's question would cost; None when the model is free.

        Raises:
            ValeChatError: There is no such model, or the settings cannot be read.
        """
        chat = self._chat
        target = await services().target(question["model"] or chat.model or await services().default_model())
        size = _sum(await self._so_far(), await self._typed(question))
        found = await estimate(chat, target, size)
        if found.worst == 0:
            return None
        tightest = min(found.limits, key=lambda state: state.remaining, default=None)
        return protocol.EstimateShown(
            input_tokens=found.input_tokens,
            most_input_tokens=found.most_input_tokens,
            most_output_tokens=found.most_output_tokens,
            likely=money(found.likely),
            most=money(found.worst),
            limit=None if tightest is None else _limit_shown(tightest),
            warning=_warning(found, tightest),
        )

    async def _so_far(self) -> RequestSize:
        """The size of all that goes with any question: conversation, instructions, tools."""
        chat = self._chat
        offered = chat.offered()
        of = (chat.conversation_id, chat.system, [spec.name for spec in offered])
        if self._measured is None or self._measured[0] != of:
            stored = await chat.stored()
            size = await asyncio.to_thread(lambda: size_of(spoken(stored), chat.system, offered))
            self._measured = (of, size)
        return self._measured[1]

    async def _typed(self, question: protocol.Estimate) -> RequestSize:
        message = Message.user(question["text"])
        images, other_bytes = 0, question.get("more", 0)
        attached = question.get("attachments", [])
        sizes = [*question.get("sizes", []), *[0] * len(attached)]
        for one, size in zip(attached, sizes, strict=False):
            if "id" in one:
                try:
                    part = await self._uploads.known(one["id"], self._chat.conversation_id)
                except ConfigError:
                    continue
                message = Message("user", (*message.parts, part))
            elif (mimetypes.guess_type(one["name"])[0] or "").startswith("image/"):
                images += 1
            else:
                other_bytes += size + len(one["name"].encode())
        return _sum(await asyncio.to_thread(size_of, [message]), RequestSize(other_bytes, messages=0, images=images))


def _sum(one: RequestSize, other: RequestSize) -> RequestSize:
    return RequestSize(
        one.text_bytes + other.text_bytes,
        one.messages + other.messages,
        one.images + other.images,
        one.tools + other.tools,
    )


def _limit_shown(state: LimitState) -> protocol.LimitShown:
    return protocol.LimitShown(
        title=title(state.limit),
        amount=money(state.amount) or "0",
        remaining=money(state.remaining) or "0",
        resets="" if state.resets_at is None else moment(state.resets_at, services().zone),
    )


def _warning(found: Estimate, tightest: LimitState | None) -> str:
    """What would happen on the way to the model, in the order in which it is looked at."""
    above = services().settings.limits.confirm_above
    if found.worst is None:
        return "" if tightest is None else "A limit cannot cover a price that is not known: you will be asked first."
    if above is not None and found.worst > above:
        return f"You will be asked first: it may cost more than {usd(above)}."
    if tightest is None or found.worst <= tightest.remaining:
        return ""
    if found.likely is not None and found.likely > tightest.remaining:
        return f"This is more than {title(tightest.limit)} leaves."
    return f"A long answer may be cut short to fit {title(tightest.limit)}."
