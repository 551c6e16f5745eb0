"""One panel's comparison: one question, several models at once, and the answer to go on with.

The question is in the conversation once; each answer is a branch below it, and a request of kind `compare`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from valechat.asking import Asker
from valechat.branches import Tree
from valechat.branching import add_question, drop_question, show_branch
from valechat.chat import Chat, title_of
from valechat.errors import ConfigError, ValeChatError
from valechat.ids import new_id
from valechat.ledger.threads import durably
from valechat.messages import Message
from valechat.notebook.liveturn import LiveTurn
from valechat.notebook.outbox import Outbox
from valechat.notebook.protocol import (
    ColumnEnded,
    Compare,
    CompareEnded,
    CompareStarted,
    ComparisonShown,
    KeepAnswer,
    MessageShown,
    Refused,
    Send,
)
from valechat.notebook.shown import error_shown, messages_shown, spent
from valechat.notebook.uploads import Taken, Uploads
from valechat.notebook.variabledesk import VariableDesk
from valechat.services import services

__all__ = ["MOST_MODELS", "CompareDesk"]

MOST_MODELS = 6
"""Answers that can be read beside each other."""

Show = Callable[[], Awaitable[None]]
Handler = Callable[[Any], Coroutine[Any, Any, None]]


class CompareDesk:
    """Runs a panel's comparisons, one at a time. Used on the engine's loop.

    `show` is awaited when an answer was kept: the panel is to show the conversation as it is then.
    """

    def __init__(
        self, chat: Chat, outbox: Outbox, taking: tuple[Uploads, VariableDesk], asker: Asker, show: Show
    ) -> None:
        self._chat = chat
        self._outbox = outbox
        self._uploads, self._variables = taking
        self._asker = asker
        self._show = show
        self._columns: list[_Column] = []
        self._question: MessageShown | None = None
        self._conversation = ""
        self._turn = ""

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What is done with which message; `compare` has buffers and is called by itself."""
        return {"keep_answer": self.keep}

    def shown(self, conversation_id: str) -> ComparisonShown | None:
        """The comparison in this conversation as it stands, None where there is none."""
        if self._question is None or self._conversation != conversation_id:
            return None
        return ComparisonShown(
            turn=self._turn, question=self._question, answers=[column.answer for column in self._columns]
        )

    @property
    def answering(self) -> set[str]:
        """The conversation in which answers still come."""
        return {self._conversation} if any(column.running for column in self._columns) else set()

    def stop(self, turn: str) -> None:
        """Stop an answer, or all by the comparison's own turn."""
        for column in self._columns:
            if turn in (column.live.turn, self._turn):
                column.stop()

    def close(self) -> None:
        """The conversation goes on: a comparison whose answers are all there is shown no longer."""
        if self._question is not None and not self.answering:
            self._end()

    async def compare(self, message: Compare, buffers: Sequence[bytes | memoryview]) -> None:
        """Ask all models, and tell the panel of each answer as it comes."""
        question_id, conversation_id = new_id(), self._chat.conversation_id
        attached = message.get("attachments", [])
        taken = Taken([], [], None)
        try:
            taken = await self._uploads.take(attached, buffers, question_id, conversation_id, services().settings.sizes)
            taken = await self._variables.join(taken, message, question_id)
            if taken.error is not None:
                raise taken.error
            models = await _models(message["models"])
            if self.answering:
                raise ConfigError("A comparison is under way.", fix="Stop it first, or wait for its end.")
            question = Message.user(message["text"], *taken.parts)
            title = title_of(message["text"])
            await add_question(services().ledger, conversation_id, question, question_id, title=title, model=models[0])
        except ValeChatError as error:
            self._refuse(message, taken, error)
            return
        self._begin(message, question_id, conversation_id, taken, models)
        await asyncio.gather(*(column.run(self._answered) for column in self._columns))
        await self._finish(message, taken)

    async def keep(self, message: KeepAnswer) -> None:
        """Go on with an answer and its model."""
        column = next((one for one in self._columns if one.answer["id"] == message["answer"]), None)
        if column is None or column.stored_id is None:
            raise ConfigError("There is no such answer to go on with.", fix="Ask again.")
        await self._chat.branch(column.stored_id)
        self._chat.model = column.model
        self._end()
        await self._show()

    def _begin(
        self, message: Compare, question_id: str, conversation_id: str, taken: Taken, models: Sequence[str]
    ) -> None:
        self._turn, self._conversation = message["turn"], conversation_id
        self._columns = []
        for number, model in enumerate(models):
            send = Send(type="send", turn=f"{message['turn']}-{number}", text=message["text"], model=model)
            live = LiveTurn(send, question_id, taken, model, conversation_id)
            self._columns.append(_Column(self._chat, live, self._asker, self._outbox))
        self._question = {**self._columns[0].live.question, "turn": None}
        shown = self.shown(conversation_id)
        assert shown is not None  # noqa: S101  # it was begun just now
        self._outbox.send(CompareStarted(type="compare_started", seq=0, conversation=conversation_id, comparison=shown))

    async def _answered(self, column: _Column) -> None:
        if not self.answering:
            # Before the panel is told of the last answer: the next question may come at once.
            await self._go_on_from_the_first()
        rows = await durably(services().ledger.conversation_usage, self._conversation)
        total_cost, unpriced = spent(rows)
        self._outbox.send(
            ColumnEnded(
                type="column_ended",
                seq=0,
                turn=column.live.turn,
                answer=column.answer,
                total_cost=total_cost,
                unpriced=unpriced,
            )
        )

    async def _go_on_from_the_first(self) -> None:
        first = next((column.stored_id for column in self._columns if column.stored_id is not None), None)
        if first is not None:
            await show_branch(services().ledger, self._conversation, first)

    async def _finish(self, message: Compare, taken: Taken) -> None:
        """Take the question back when no model answered it."""
        if any(column.stored_id is not None for column in self._columns):
            return
        error = next((column.error for column in self._columns if column.error is not None), None)
        question_id = self._columns[0].question_id
        await drop_question(services().ledger, self._conversation, question_id)
        self._refuse(message, taken, error or ConfigError("No model answered.", fix="Ask again."))
        self._end()

    def _end(self) -> None:
        self._columns, self._question, self._turn = [], None, ""
        self._outbox.send(CompareEnded(type="compare_ended", seq=0))

    def _refuse(self, message: Compare, taken: Taken, error: BaseException) -> None:
        back = taken.to_return
        if taken.error is None:
            self._uploads.keep(back.shown, back.parts)
        refused = Refused(
            type="refused",
            seq=0,
            turn=message["turn"],
            text=message["text"],
            error=error_shown(error),
            conversation=self._chat.conversation_id,
        )
        if back.shown:
            refused["attachments"] = back.shown
        self._outbox.send(refused)


class _Column:
    """One model's answer under way."""

    def __init__(self, chat: Chat, live: LiveTurn, asker: Asker, outbox: Outbox) -> None:
        self.live = live
        self.model = live.answer["model"]
        self.question_id = live.question["id"]
        self.stored_id: str | None = None
        self.error: BaseException | None = None
        # Turns of one chat in one conversation wait for each other; these are to run beside each other.
        self._chat = chat.in_conversation(live.conversation_id)
        self._chat.fallback = ()
        self._asker = asker
        self._outbox = outbox
        self._task: asyncio.Task[None] | None = None
        self._ended: MessageShown | None = None

    @property
    def running(self) -> bool:
        return self._ended is None

    @property
    def answer(self) -> MessageShown:
        return self._ended or self.live.answer

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def run(self, answered: Callable[[_Column], Awaitable[None]]) -> None:
        """Ask, to the end. Never raises; what failed is in the answer."""
        self._task = asyncio.get_running_loop().create_task(self._follow())
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._settle()
        await answered(self)

    async def _follow(self) -> None:
        turn = self._chat.turn("", model=self.model, kind="compare", again=self.question_id, asker=self._asker)
        try:
            async with contextlib.aclosing(turn) as events:
                async for event in events:
                    self.live.take(event, self._outbox)
        except Exception as error:  # noqa: BLE001  # shown in this answer's place; the others go on
            self.error = error

    async def _settle(self) -> None:
        """Find the answer in the ledger: below the question, by this model, and nobody else's."""
        ledger = services().ledger
        stored = await durably(ledger.messages, self.live.conversation_id)
        rows = {row.request_id: row for row in await durably(ledger.conversation_usage, self.live.conversation_id)}
        tree = Tree(stored)
        below = tree.turn(self.question_id) if self.question_id in tree else []
        first = next((one for one in below if one.parent_id == self.question_id and one.model == self.model), None)
        ended = {**self.live.answer, "turn": None, "status": "failed" if self.error else "cancelled"}
        if first is not None:
            self.stored_id = tree.newest_below(first.id)
            path = [one for one in tree.above(self.stored_id) if one.id in {message.id for message in below}]
            *_, shown = messages_shown(path, rows)
            ended = {**shown, "id": self.live.answer["id"], "tools": self.live.timed(shown["tools"])}
        ended["notes"] = self.live.answer["notes"]
        ended["error"] = None if self.error is None else error_shown(self.error)
        self._ended = ended  # type: ignore[assignment]  # the same keys, put together


async def _models(names: Sequence[str]) -> list[str]:
    """The models by their whole names, each once.

    Raises:
        ConfigError: There are too few or too many, or one is none.
    """
    found = list(dict.fromkeys([(await services().target(name)).name for name in names]))
    if not 2 <= len(found) <= MOST_MODELS:
        raise ConfigError(f"A comparison takes 2 to {MOST_MODELS} models.", fix="Choose others and send again.")
    return found
