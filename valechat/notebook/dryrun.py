"""`--dry-run`: what a question would send and could cost, without sending it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from valechat.billing.estimate import default_max_tokens, input_bound, likely, likely_input, size_of, worst_case
from valechat.billing.limits import plan
from valechat.chat import Chat
from valechat.engine import engine
from valechat.ledger.threads import durably
from valechat.messages import Message
from valechat.notebook import current
from valechat.notebook.arguments import Asking
from valechat.notebook.asking import expanded, instructed
from valechat.notebook.formats import FORMATS
from valechat.notebook.host import Host
from valechat.notebook.outputs import show, small
from valechat.notebook.wording import dollars
from valechat.services import services
from valechat.session import Target
from valechat.tools import FunctionTools

__all__ = ["dry_run"]


@dataclass(frozen=True, slots=True)
class _Estimate:
    """What one model would be sent and could cost."""

    model: str
    input_tokens: int
    most_input_tokens: int
    most_output_tokens: int
    likely: Decimal | None
    worst: Decimal | None
    limits: tuple[tuple[str, Decimal], ...]


def dry_run(host: Host, asking: Asking, prompt: str) -> None:
    """Show what the magic would send to each model, and what it would cost; nothing is sent or stored.

    Raises:
        ValeChatError: The question could not be sent as it is.
    """
    prepared = expanded(prompt, host)
    chat = instructed(_chat(asking), FORMATS[asking.format])
    tools = FunctionTools([host.function(name) for name in asking.tools]) if asking.tools else None
    afresh = asking.new or len(asking.models) > 1 or chat.conversation_id == ""

    async def estimate() -> tuple[int, list[_Estimate]]:
        said = [] if afresh else [stored.message for stored in await chat.stored()]
        messages = [*said, Message.user(prepared.text)]
        size = size_of(messages, chat.system, tools.specs() if tools else ())
        names = asking.models or (chat.model or await services().default_model(),)
        found = []
        for name in names:
            target = await services().target(name)
            table, local, priced_as = services().prices, target.provider.local, services().price_name(target)
            bound = input_bound(size, priced_as, table)
            most = chat.max_tokens or default_max_tokens(priced_as, table)
            found.append(
                _Estimate(
                    target.name,
                    likely_input(size),
                    bound,
                    most,
                    likely(priced_as, likely_input(size), table=table, local=local),
                    worst_case(priced_as, bound, most, table=table, local=local),
                    await _limits(target, chat),
                )
            )
        return len(said), found

    earlier, estimates = engine().run(estimate())
    sent = [f"SYSTEM\n{chat.system}"] if chat.system else []
    if earlier:
        sent.append(f"… {earlier} earlier messages of the conversation")
    if tools:
        sent.append(f"TOOLS\n{', '.join(spec.name for spec in tools.specs())}")
    sent.append(f"QUESTION\n{prepared.text}")
    show({"text/plain": "\n\n".join(sent)})
    show(small(*prepared.notes, *(line for found in estimates for line in _lines(found, asking)), "Nothing was sent."))


def _chat(asking: Asking) -> Chat:
    """As the question would be asked, but no conversation is begun for it."""
    base = current.notebook_chat()
    conversation = base.conversation_id
    if asking.conversation is not None:
        conversation = current.named(asking.conversation, create=False) or ""
    return Chat(
        base.model,
        system=asking.system if asking.system is not None else base.system,
        max_tokens=asking.max_tokens or base.max_tokens,
        conversation=conversation or None,
    )


async def _limits(target: Target, chat: Chat) -> tuple[tuple[str, Decimal], ...]:
    limits = services().settings.limits
    ceilings = plan(limits, target.name, chat.conversation_id, datetime.now(UTC), services().zone).ceilings
    states = await durably(services().ledger.limit_states, ceilings)
    return tuple((state.limit, state.remaining) for state in states)


def _lines(found: _Estimate, asking: Asking) -> list[str]:
    size = f"about {found.input_tokens:,} tokens in (at most {found.most_input_tokens:,})"
    cost = f"likely {dollars(found.likely)}, at most {dollars(found.worst)}"
    lines = [f"{found.model} · {size}, at most {found.most_output_tokens:,} out · {cost}"]
    if asking.max_cost is not None and found.worst is not None and found.worst > asking.max_cost:
        lines.append(f"--max-cost {dollars(asking.max_cost)} is below that: the answer would be cut to fit, or refused")
    lines += [f"limit {name}: {dollars(left)} left" for name, left in found.limits]
    return lines
