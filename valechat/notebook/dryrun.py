"""`--dry-run`: what a question would send and could cost, without sending it."""

from __future__ import annotations

import base64

from valechat.billing.estimate import size_of
from valechat.chat import Chat
from valechat.engine import engine
from valechat.errors import TooLarge
from valechat.messages import Message
from valechat.notebook import current
from valechat.notebook.arguments import Asking
from valechat.notebook.asking import Prompt, expanded, instructed
from valechat.notebook.estimating import Estimate, estimate
from valechat.notebook.formats import FORMATS, Format
from valechat.notebook.host import Host
from valechat.notebook.outputs import show, small
from valechat.notebook.wording import dollars
from valechat.services import services

__all__ = ["dry_run", "dry_run_prepared"]


def dry_run(host: Host, asking: Asking, prompt: str) -> None:
    """Show what the magic would send to each model, and what it would cost; nothing is sent or stored.

    Raises:
        ValeChatError: The question could not be sent as it is.
    """
    dry_run_prepared(host, asking, expanded(prompt, host, asking), FORMATS[asking.format])


def dry_run_prepared(host: Host, asking: Asking, prepared: Prompt, form: Format) -> None:
    """As `dry_run`, for a prompt that has its values."""
    most = services().settings.sizes.message
    if (size := len(prepared.text.encode("utf-8", "surrogatepass"))) > most:
        raise TooLarge(
            f"The question is {size:,} bytes long; the limit is {most:,}.",
            fix="Shorten it, or raise `message` under [sizes] in config.toml.",
        )
    chat = current.offering(instructed(_chat(asking), form), asking.tools, host.function)
    afresh = asking.new or len(asking.models) > 1 or chat.conversation_id == ""

    async def estimates() -> tuple[int, list[str], list[Estimate]]:
        offered = chat.offered()
        said = [] if afresh else [stored.message for stored in await chat.stored()]
        size = size_of([*said, Message.user(prepared.text, *prepared.images)], chat.system, offered)
        names = asking.models or (chat.model or await services().default_model(),)
        found = [await estimate(chat, await services().target(name), size) for name in names]
        return len(said), [spec.name for spec in offered], found

    earlier, tools, found = engine().run(estimates())
    sent = [f"SYSTEM\n{chat.system}"] if chat.system else []
    if earlier:
        sent.append(f"… {earlier} earlier messages of the conversation")
    if tools:
        sent.append(f"TOOLS\n{', '.join(tools)}")
    sent.append(f"QUESTION\n{prepared.text}")
    show({"text/plain": "\n\n".join(sent)})
    for image in prepared.images:
        show({image.media_type: base64.b64encode(image.data).decode("ascii"), "text/plain": "an image"})
    show(small(*prepared.notes, *(line for one in found for line in _lines(one, asking)), "Nothing was sent."))


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
        plugins=base.plugins,
        conversation=conversation or None,
    )


def _lines(found: Estimate, asking: Asking) -> list[str]:
    size = f"about {found.input_tokens:,} tokens in (at most {found.most_input_tokens:,})"
    cost = f"likely {dollars(found.likely)}, at most {dollars(found.worst)}"
    lines = [f"{found.model} · {size}, at most {found.most_output_tokens:,} out · {cost}"]
    if asking.max_cost is not None and found.worst is not None and found.worst > asking.max_cost:
        lines.append(f"--max-cost {dollars(asking.max_cost)} is below that: the answer would be cut to fit, or refused")
    lines += [f"limit {state.limit}: {dollars(state.remaining)} left" for state in found.limits]
    return lines
