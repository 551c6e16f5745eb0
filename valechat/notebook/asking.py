"""A magic's question: interpolated, asked, drawn while it arrives, handed over."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from valechat.chat import Chat
from valechat.engine import engine
from valechat.errors import ConfigError, StreamBroken
from valechat.messages import ImagePart
from valechat.money import total
from valechat.notebook import current
from valechat.notebook.arguments import Asking
from valechat.notebook.formats import FORMATS, Bundle, Format
from valechat.notebook.host import Host
from valechat.notebook.interpolate import interpolate
from valechat.notebook.live import Arriving
from valechat.notebook.outputs import Output, small
from valechat.notebook.stopped import Stopped
from valechat.notebook.wording import outcome
from valechat.reply import Reply, total_usage
from valechat.services import services

__all__ = ["Prompt", "ask", "ask_prepared", "expanded", "instructed", "wait_for"]

WORTH_A_NOTE = 500
"""A value of more tokens than this is mentioned below the question."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent, and what the user should know about how it came to be."""

    text: str
    notes: tuple[str, ...] = ()
    images: tuple[ImagePart, ...] = ()


def expanded(prompt: str, host: Host, asking: Asking) -> Prompt:
    """A prompt with the notebook's values in it.

    Raises:
        ConfigError: There is nothing to send.
    """
    result = interpolate(prompt, host.names, budget=services().settings.variables.tokens, reveal=asking.reveal)
    text = result.text.strip("\n")
    if not text.strip():
        raise ConfigError("There is no question.", fix="Write it below the line, or after %valechat.")
    notes = list(asking.notes)
    named = {_name(written) for written in result.values}
    notes += [f"--reveal {name}: the question names no {{{name}}}" for name in asking.reveal if name not in named]
    for written, sent in result.values.items():
        if sent.what or sent.tokens > WORTH_A_NOTE:
            notes.append(f"{{{written}}}: {sent.what or 'whole'}, about {sent.tokens:,} tokens")
        if sent.hidden:
            notes.append(f"{{{written}}}: hidden: {', '.join(sent.hidden)}; `--reveal {_name(written)}` sends it")
    images = tuple(image for sent in result.values.values() for image in sent.images)
    return Prompt(text, (*notes, *result.notes), images)


def _name(written: str) -> str:
    """The variable a reference begins with."""
    return re.split(r"[.\[!:]", written, maxsplit=1)[0]


def instructed(chat: Chat, form: Format) -> Chat:
    """The chat with what the format asks of the model added to its system prompt."""
    if form.instruction:
        chat.system = "\n\n".join(filter(None, [chat.system, form.instruction]))
    return chat


def ask(host: Host, asking: Asking, prompt: str) -> Reply:
    """Ask one model the prompt, with the notebook's values in it; see `ask_prepared`."""
    return ask_prepared(host, asking, expanded(prompt, host, asking), FORMATS[asking.format])


def ask_prepared(host: Host, asking: Asking, prepared: Prompt, form: Format) -> Reply:
    """Ask one model and show its answer below the cell.

    Raises:
        ValeChatError: There is no whole answer, or it is not what the format needs. What arrived is shown.
        Stopped: The user stopped it; what arrived is shown and assigned.
    """
    chat = instructed(current.chat_for(asking, host.function), form)
    model = asking.models[0] if asking.models else None
    arriving = Arriving(model or chat.model or "the default model", chat.conversation_id)
    view = _View(arriving, form, prepared.notes, stream=asking.stream)

    try:
        wait_for(
            arriving.follow(chat.turn(prepared.text, model=model, images=prepared.images, max_cost=asking.max_cost)),
            view.draw,
        )
    except KeyboardInterrupt:
        reply = _partial(arriving)
        current.remember(reply)
        host.assign(asking.output, reply)
        view.finish(reply)
        raise Stopped from None
    except Exception:
        view.give_up()
        raise
    reply = _whole(arriving)
    current.remember(reply)
    host.assign(asking.output, reply)
    if reply.status == "failed":
        view.finish(reply)
        raise StreamBroken(
            reply.notes[-1] if reply.notes else "The answer broke off.",
            provider=reply.model.partition("/")[0],
            fix="What arrived is above and in the conversation; ask to go on, or run the cell again.",
        )
    try:
        finished = form.finish(reply)
    except Exception:
        view.finish(reply)
        raise
    host.assign(asking.output, finished.value)
    if finished.next_cell is not None:
        host.next_cell(finished.next_cell)
    view.finish(reply, finished.bundle)
    return reply


def wait_for(work: Coroutine[Any, Any, None], draw: Callable[[], None]) -> None:
    """Run work on the engine's loop and draw while it runs. An interrupt stops the work first."""
    engine().run(work, each_beat=draw)


class _View:
    """One answer's outputs: the text, and the small print below it."""

    def __init__(self, arriving: Arriving, form: Format, notes: tuple[str, ...], *, stream: bool) -> None:
        self._arriving = arriving
        self._format = form
        self._stream = stream
        self._notes = notes
        self._text = Output()
        self._print = Output()

    def draw(self) -> None:
        """Show what has arrived, if it is time to."""
        arriving = self._arriving
        if arriving.duration < 0.3 and not arriving.text:
            return
        if self._text.due:
            self._text.show(self._format.arriving(arriving.text if self._stream else ""))
        if self._print.due:
            self._print.show(small(*self._notes, *arriving.tools, arriving.progress))

    def finish(self, reply: Reply, bundle: Bundle | None = None) -> None:
        """Show the answer as it is in the end."""
        arriving = self._arriving
        self._text.show(bundle or self._format.arriving(reply.text))
        self._print.show(small(*self._notes, *arriving.tools, *reply.notes, outcome(reply, arriving.duration)))

    def give_up(self) -> None:
        """Leave what stands there, and no sign of work under way."""
        if self._print.shown:
            self._print.show(small(*self._notes, *self._arriving.notes, f"no answer · {self._arriving.model}"))


def _whole(arriving: Arriving) -> Reply:
    if arriving.reply is None:
        raise AssertionError("a turn that does not raise ends with `done`")
    return arriving.reply


def _partial(arriving: Arriving) -> Reply:
    """What a stopped turn brought, with what the ledger says it cost."""
    rows = [
        row for row in services().ledger.conversation_usage(arriving.conversation_id) if row.ts >= arriving.begun_at
    ]
    costs = [row.cost for row in rows]
    cost = total(cost for cost in costs if cost is not None) if rows and None not in costs else None
    reply = Reply(
        text=arriving.text,
        model=f"{rows[-1].provider}/{rows[-1].model}" if rows else arriving.model,
        usage=total_usage([row.usage for row in rows]),
        cost=cost,
        status="cancelled",
        request_ids=tuple(row.request_id for row in rows),
        notes=tuple(arriving.notes),
    )
    return replace(reply, verification=rows[-1].verification.status) if rows else reply
