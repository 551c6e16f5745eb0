"""The one turn loop: limit → provider → tools → ledger → events.

A turn is a question and all that follows until the model has nothing left to do: one request, or
several when it calls tools. Each request is held against the limits before it leaves and settled
after it, whatever happened to it; each message is in the ledger before the turn is done.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from valechat.accumulate import Answer
from valechat.asking import Asker, Confirmation
from valechat.branches import Tree
from valechat.errors import ConfigError, ConfirmationRequired, ProviderError, ValeChatError
from valechat.events import (
    DoneEvent,
    Event,
    StatusEvent,
    TextEvent,
    ThinkingEvent,
    ToolCallEvent,
    UsageEvent,
)
from valechat.history import check_size, spoken
from valechat.ids import new_id
from valechat.ledger.base import Conversation, Kind, Ledger, RequestStatus, StoredMessage
from valechat.ledger.threads import durably, to_the_end
from valechat.messages import Message, ToolCallPart
from valechat.meter import Held, Meter
from valechat.providers.base import (
    Chunk,
    NoteChunk,
    Options,
    PartChunk,
    Provider,
    Request,
    TextChunk,
    ThinkingChunk,
)
from valechat.reply import Reply, Status, total_cost, total_usage
from valechat.structured import Structure
from valechat.toolbox import Toolbox
from valechat.toolcalls import ToolCalls
from valechat.usage import Usage

__all__ = ["Target", "Turn", "run_turn"]

MOST_ROUNDS = 25
"""Requests one turn may make before it stops asking the model about tool results."""


@dataclass(frozen=True, slots=True)
class Target:
    """A model to ask: its provider, the provider's own name for it, and `provider/model`."""

    provider: Provider
    model: str

    @property
    def name(self) -> str:
        """`provider/model`."""
        return f"{self.provider.name}/{self.model}"


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, and how to answer it.

    `targets` are asked in order, the next only when the one before failed without a visible word.
    `structure` reads the answer's value, where `options.schema` asks for one.
    `after` is the message that the question follows, empty for a new beginning; None goes on where the shown
    path ends. `again` says that the question is stored, and gets another answer.
    `confirmed` says that the user agreed to a cost above `confirm_above`; else `asker` is asked, if there
    is one. The asker is asked about tool calls too. `notes` are told first. `most_bytes` bounds all text.
    """

    conversation_id: str
    question: Message
    targets: Sequence[Target]
    system: str | None = None
    options: Options = field(default_factory=Options)
    structure: Structure | None = None
    toolbox: Toolbox | None = None
    asker: Asker | None = None
    notes: Sequence[str] = ()
    kind: Kind = "chat"
    max_cost: Decimal | None = None
    confirmed: bool = False
    title: str = ""
    most_bytes: int | None = None
    question_id: str = field(default_factory=new_id)
    after: str | None = None
    again: bool = False


def run_turn(turn: Turn, ledger: Ledger, meter: Meter) -> AsyncGenerator[Event, None]:
    """Ask the question and yield what happens, ending with `done`.

    Closing the generator, or cancelling the task that reads it, stops the request at once and
    settles it as `cancelled`, with what had arrived.

    Raises:
        LimitReached: A limit leaves no room; nothing was sent.
        ConfirmationRequired: The user has to agree first; nothing was sent.
        ProviderError: The last target failed before anything visible arrived.
        ConfigError: The message to go on from is not in the conversation.
        TooLarge: The conversation is longer than `most_bytes`; nothing was sent.
    """
    return _Run(turn, ledger, meter).events()


class _Run:
    """The state of one turn under way."""

    def __init__(self, turn: Turn, ledger: Ledger, meter: Meter) -> None:
        self._turn = turn
        self._ledger = ledger
        self._meter = meter
        self._said: list[Message] = []
        self._new: list[StoredMessage] = []
        self._last_id: str | None = None
        self._question_stored = False
        self._leaf = ""
        self._branches = False
        self._request_ids: list[str] = []
        self._usages: list[Usage] = []
        self._costs: list[Decimal | None] = []
        self._notes: list[str] = []
        self._verification = "pending"
        self._begun_text = ""
        self._confirmed = turn.confirmed

    async def events(self) -> AsyncGenerator[Event, None]:
        await self._meter.make_good()
        await self._take_place()
        targets = list(self._turn.targets)
        for text in self._turn.notes:
            yield self._note(text)
        while True:
            target = targets.pop(0)
            try:
                async with contextlib.aclosing(self._rounds(target)) as events:
                    async for event in events:
                        yield event
                return
            except ProviderError as error:
                if not targets or self._new[1:]:
                    await self._mark_failed()
                    raise
                yield self._note(f"{target.name} failed: {error.message} Asking {targets[0].name} instead.")

    async def _take_place(self) -> None:
        """Find the path that this turn goes on with."""
        turn = self._turn
        head = await durably(self._ledger.conversation, turn.conversation_id)
        tree = Tree(await durably(self._ledger.messages, turn.conversation_id))
        self._leaf = "" if head is None else head.leaf or ""
        end = path = tree.path(self._leaf)
        if turn.again:
            path = _above(tree, turn.question_id)
            self._new = path[-1:]
            self._question_stored = True
        elif turn.after is not None:
            path = _above(tree, turn.after) if turn.after else []
        self._last_id = path[-1].id if path else None
        self._branches = [stored.id for stored in path] != [stored.id for stored in end]
        self._said = spoken(path)
        check_size([*self._said, turn.question], turn.most_bytes)

    async def _show(self, leaf: str) -> None:
        """Let the shown path go through a message, where this turn is a branch."""
        if self._branches:
            await durably(lambda: self._ledger.change_conversation(self._turn.conversation_id, leaf=leaf))

    async def _rounds(self, target: Target) -> AsyncGenerator[Event, None]:
        """Requests to one model, until it calls no more tools."""
        for number in range(1, MOST_ROUNDS + 1):
            outcome = _Outcome()
            async with contextlib.aclosing(self._request(target, outcome)) as events:
                async for event in events:
                    yield event
            if outcome.paused:
                # Its own words so far, sent back as they are, let the model go on (Anthropic's `pause_turn`).
                self._begun_text += outcome.message.text
                continue
            calls, toolbox = outcome.message.tool_calls, self._turn.toolbox
            if outcome.status != "complete" or not calls or toolbox is None:
                break
            async with contextlib.aclosing(self._call_tools(calls, toolbox)) as results:
                async for event in results:
                    yield event
            if number == MOST_ROUNDS:
                outcome.status = "limit"
                yield self._note(f"Stopped after {MOST_ROUNDS} rounds of tool calls. Ask again to go on.")
        parsed: Any = None
        if self._turn.structure is not None:
            parsed, why = self._turn.structure.read(outcome.message.text)
            if why:
                yield self._note(why)
        yield DoneEvent(self._reply(target, outcome, parsed))

    async def _request(self, target: Target, outcome: _Outcome) -> AsyncGenerator[Event, None]:
        """One request: held, sent, streamed, settled."""
        turn = self._turn
        request = Request(
            model=target.model,
            messages=[*self._said, *([] if self._question_stored else [turn.question])],
            system=turn.system,
            tools=turn.toolbox.specs() if turn.toolbox else (),
            options=turn.options,
        )
        held = await self._reserve(request, target)
        answer = Answer()
        outcome.status = "cancelled"
        try:
            if held.note:
                yield self._note(held.note)
            await to_the_end(self._store_question(target))
            outcome.left = True
            async with contextlib.aclosing(target.provider.stream(held.request)) as chunks:
                async for chunk in chunks:
                    answer.add(chunk)
                    if (event := self._shown(chunk)) is not None:
                        yield event
                    if held.exhausted_by(answer):
                        outcome.status = "limit"
                        break
                else:
                    outcome.status = "complete"
        except ProviderError as error:
            outcome.status, outcome.error = "failed", error
            await self._settle(held, answer, outcome)
            if not answer.started:
                raise
            yield self._note(f"The answer broke off: {error}")
        except ValeChatError:
            # It never left: a key is missing, or the ledger cannot keep the question.
            await self._meter.release(held)
            raise
        except BaseException:
            await self._interrupted(held, answer, outcome)
            raise
        else:
            await self._settle(held, answer, outcome)
            if outcome.status == "limit":
                yield self._note("Stopped: the answer reached the end of what the limits leave for it.")
        yield UsageEvent(held.request_id, self._usages[-1], self._costs[-1])

    async def _reserve(self, request: Request, target: Target) -> Held:
        """Hold the request's worst case. What the user agrees to here counts for the whole turn, as `confirmed` does.

        Raises:
            ConfirmationRequired: There is nobody to ask, or the user said no.
        """
        turn = self._turn
        while True:
            try:
                return await self._meter.reserve(
                    request,
                    target.provider,
                    kind=turn.kind,
                    conversation_id=turn.conversation_id,
                    max_cost=turn.max_cost,
                    confirmed=self._confirmed,
                )
            except ConfirmationRequired as required:
                question = Confirmation(required.message, required.worst_case, target.name)
                if self._confirmed or turn.asker is None or not await turn.asker.confirm(question):
                    raise
                self._confirmed = True

    async def _interrupted(self, held: Held, answer: Answer, outcome: _Outcome) -> None:
        if outcome.left:
            await self._settle(held, answer, outcome)
        else:
            await self._meter.release(held)
            await self._mark_failed()

    async def _settle(self, held: Held, answer: Answer, outcome: _Outcome) -> None:
        outcome.message = answer.message
        outcome.paused = answer.stop is not None and answer.stop.reason == "paused" and outcome.status == "complete"
        message = StoredMessage(
            id=new_id(),
            conversation_id=self._turn.conversation_id,
            parent_id=self._last_id,
            message=answer.message,
            ts=datetime.now(UTC),
            model=held.model,
            request_id=held.request_id,
            status=outcome.status,
        )
        keep = [message] if answer.message.parts or outcome.status == "cancelled" else []
        charge = await self._meter.settle(held, answer, outcome.status, outcome.error, keep)
        if keep:
            self._last_id = message.id
            self._new.append(message)
            self._said.append(answer.message)
        self._request_ids.append(held.request_id)
        self._usages.append(charge.usage)
        self._costs.append(charge.cost)
        self._verification = charge.verification

    async def _store_question(self, target: Target) -> None:
        turn = self._turn
        if self._question_stored:
            if turn.again and not self._new[1:]:
                await self._show(turn.question_id)
            return
        now = datetime.now(UTC)
        await durably(
            self._ledger.start_conversation,
            Conversation(turn.conversation_id, turn.title, now, now, target.name),
        )
        await self._store(turn.question, turn.question_id, now)
        self._question_stored = True
        await self._show(turn.question_id)

    async def _store(self, message: Message, message_id: str, ts: datetime) -> None:
        stored = StoredMessage(message_id, self._turn.conversation_id, self._last_id, message, ts)
        await durably(self._ledger.add_messages, [stored])
        self._last_id = message_id
        self._said.append(message)
        self._new.append(stored)

    async def _mark_failed(self) -> None:
        """Keep a question that found no answer, outside what later turns send to a model."""
        failed = [_failed(stored) for stored in self._new if stored.id == self._turn.question_id]
        if failed and not self._turn.again:
            await durably(self._ledger.add_messages, failed)
        if not self._new[1:]:
            await self._show(self._leaf)

    async def _call_tools(self, calls: Sequence[ToolCallPart], toolbox: Toolbox) -> AsyncGenerator[Event, None]:
        """All calls of one answer; their results are one message, in the order of the calls."""
        running = ToolCalls(calls, toolbox, asker=self._turn.asker, ledger=self._ledger, message_id=self._last_id)
        try:
            async with contextlib.aclosing(running.events()) as events:
                async for event in events:
                    yield self._note(event.text) if type(event) is StatusEvent else event
        finally:
            await self._store(Message("tool", running.results), new_id(), datetime.now(UTC))

    def _shown(self, chunk: Chunk) -> Event | None:
        if isinstance(chunk, TextChunk):
            return TextEvent(chunk.text)
        if isinstance(chunk, ThinkingChunk):
            return ThinkingEvent(chunk.text)
        if isinstance(chunk, NoteChunk):
            return self._note(chunk.text)
        if isinstance(chunk, PartChunk) and isinstance(chunk.part, ToolCallPart) and self._turn.toolbox is None:
            return ToolCallEvent(chunk.part)
        return None

    def _note(self, text: str) -> StatusEvent:
        self._notes.append(text)
        return StatusEvent(text)

    def _reply(self, target: Target, outcome: _Outcome, parsed: Any) -> Reply:
        status: Status = outcome.status
        return Reply(
            text=self._begun_text + outcome.message.text,
            model=target.name,
            usage=total_usage(self._usages),
            cost=total_cost(self._costs),
            status=status,
            request_ids=tuple(self._request_ids),
            verification=self._verification,
            messages=tuple(stored.message for stored in self._new[1:]),
            notes=tuple(self._notes),
            parsed=parsed,
        )


class _Outcome:
    """How one request ended."""

    def __init__(self) -> None:
        self.status: RequestStatus = "failed"
        self.error: ProviderError | None = None
        self.left = False
        self.paused = False
        self.message = Message("assistant", ())


def _above(tree: Tree, message_id: str) -> list[StoredMessage]:
    if message_id not in tree:
        raise ConfigError(f"The conversation has no message {message_id} any more.")
    return tree.above(message_id)


def _failed(stored: StoredMessage) -> StoredMessage:
    return StoredMessage(
        stored.id, stored.conversation_id, stored.parent_id, stored.message, stored.ts, status="failed"
    )
