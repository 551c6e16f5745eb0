"""Several models asked the same at once, their answers side by side.

Each is asked afresh, in a conversation of its own: what was said before would favour the model that
said it. The requests are of kind `compare` in the ledger.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from valechat.asking import (
    Approval,
    Confirmation,
    Decision,
    Filled,
    Form,
    Grant,
    GrantAsker,
    SamplingApproval,
    Visit,
    asker,
)
from valechat.engine import engine
from valechat.errors import ConfigError, ConfirmationRequired
from valechat.events import Event
from valechat.harmless import harmless
from valechat.ids import new_id
from valechat.notebook import current
from valechat.notebook.arguments import Asking
from valechat.notebook.asking import Prompt, expanded, instructed, wait_for
from valechat.notebook.formats import FORMATS, Bundle
from valechat.notebook.host import Host
from valechat.notebook.live import Arriving
from valechat.notebook.outputs import Output, small
from valechat.notebook.stopped import Stopped
from valechat.notebook.wording import outcome
from valechat.reply import Reply
from valechat.services import services

__all__ = ["compare"]


def compare(host: Host, asking: Asking, prompt: str) -> dict[str, Reply]:
    """Ask all models at once and show their answers side by side; the replies by model.

    Raises:
        ValeChatError: A model did not answer. The others' answers are shown and assigned.
        Stopped: The user stopped it; whole answers are assigned.
    """
    if asking.format not in ("markdown", "text"):
        raise ConfigError(
            f"Answers side by side are text; `-f {asking.format}` is for one model.",
            fix="Name one model, or leave -f out.",
        )
    if asking.conversation is not None or asking.new:
        raise ConfigError("A comparison asks each model afresh, in no conversation.", fix="Leave -c and --new out.")
    prepared = expanded(prompt, host, asking)
    board = _Board(engine().run(_names(asking.models)), prepared, asking)
    base = instructed(current.chat_for(asking, host.function), FORMATS[asking.format])

    def turn(column: Arriving, *, agreed: bool) -> AsyncGenerator[Event, None]:
        chat = base.in_conversation(column.conversation_id)
        return chat.turn(
            prepared.text,
            model=column.model,
            images=prepared.images,
            max_cost=asking.max_cost,
            kind="compare",
            confirmed=agreed,
            asker=_ButForCosts(),
        )

    try:
        wait_for(_ask_all(board, turn), board.draw)
    except KeyboardInterrupt:
        host.assign(asking.output, board.replies)
        board.finish(stopped=True)
        raise Stopped from None
    except ConfirmationRequired:
        host.assign(asking.output, board.replies)
        board.finish()
        raise
    host.assign(asking.output, board.replies)
    board.finish()
    for column in board.columns:
        if column.error is not None:
            raise column.error
    return board.replies


async def _names(models: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys([(await services().target(model)).name for model in models]))


async def _ask_all(board: _Board, turn: Callable[..., AsyncGenerator[Event, None]], *, agreed: bool = False) -> None:
    """Ask those that have not answered. For all that cost more than the user wants unasked, one question is put.

    Raises:
        ConfirmationRequired: The user did not agree, or nobody can be asked.
    """
    waiting = board.unanswered()
    await asyncio.gather(*(column.follow_quietly(turn(column, agreed=agreed)) for column in waiting))
    for column in waiting:
        if isinstance(required := column.error, ConfirmationRequired) and not agreed:
            if not await asker().confirm(Confirmation(required.message, required.worst_case, column.model)):
                raise required
            await _ask_all(board, turn, agreed=True)
            return


class _ButForCosts:
    """The process's own front end, but for costs: those are asked about for all models together."""

    async def approve(self, question: Approval | SamplingApproval) -> Decision:
        return await asker().approve(question)

    async def fill(self, form: Form) -> Filled:
        return await asker().fill(form)

    async def visit(self, page: Visit) -> str | None:
        return await asker().visit(page)

    async def grant(self, question: Grant) -> bool:
        front_end: object = asker()
        return isinstance(front_end, GrantAsker) and await front_end.grant(question)

    async def confirm(self, question: Confirmation) -> bool:
        del question
        return False


class _Board:
    """The answers side by side, as one output."""

    def __init__(self, models: list[str], prepared: Prompt, asking: Asking) -> None:
        self.columns = [Arriving(model, new_id()) for model in models]
        self._notes = prepared.notes
        self._stream = asking.stream
        self._output = Output()
        self._print = Output()

    @property
    def replies(self) -> dict[str, Reply]:
        """The whole answers, by model."""
        return {column.model: column.reply for column in self.columns if column.reply is not None}

    def unanswered(self) -> list[Arriving]:
        """The columns that are still to be asked."""
        for column in self.columns:
            if isinstance(column.error, ConfirmationRequired):
                column.error = None
        return [column for column in self.columns if column.reply is None and column.error is None]

    def draw(self) -> None:
        """Show what has arrived, if it is time to."""
        if self._output.due:
            self._output.show(self._bundle(stopped=False))

    def finish(self, *, stopped: bool = False) -> None:
        """Show the answers as they are in the end."""
        self._output.show(self._bundle(stopped=stopped))
        if self._notes:
            self._print.show(small(*self._notes))

    def _bundle(self, *, stopped: bool) -> Bundle:
        cells, plain = [], []
        for column in self.columns:
            text = column.text if self._stream or column.reply is not None else ""
            foot = _foot(column, stopped=stopped)
            width = 100 // len(self.columns)
            cells.append(
                f'<td style="text-align: left; vertical-align: top; width: {width}%">\n\n**{column.model}**\n\n'
                f"{_closed(harmless(text))}\n\n<sub>{harmless(foot).replace('$', 'USD ')}</sub>\n\n</td>"
            )
            plain.append(f"{column.model}\n{text}\n{foot}")
        table = "<table><tr>\n" + "\n".join(cells) + "\n</tr></table>"
        return {"text/markdown": table, "text/plain": "\n\n".join(plain)}


def _foot(column: Arriving, *, stopped: bool) -> str:
    if column.error is not None:
        return str(column.error)
    if column.reply is not None:
        return " · ".join([*column.reply.notes, outcome(column.reply, column.duration)])
    return "stopped" if stopped else column.progress


def _closed(markdown: str) -> str:
    """Markdown whose last fence is closed, so that it ends where its column does."""
    fence = ""
    for line in markdown.splitlines():
        bare = line.lstrip()
        mark = bare[:3]
        if mark not in ("```", "~~~"):
            continue
        run = bare[: len(bare) - len(bare.lstrip(mark[0]))]
        if not fence:
            fence = run
        elif run.startswith(fence) and not bare[len(run) :].strip():
            fence = ""
    return f"{markdown}\n{fence}" if fence else markdown
