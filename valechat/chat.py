"""`Chat`: a conversation with models."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from os import PathLike
from typing import Any

from valechat.attachments import attach
from valechat.engine import engine
from valechat.events import DoneEvent, Event
from valechat.history import answered
from valechat.ids import new_id
from valechat.ledger.base import Kind, StoredMessage
from valechat.ledger.threads import durably
from valechat.messages import Message, Part
from valechat.providers.base import Options
from valechat.reply import Reply
from valechat.services import Services, services
from valechat.session import Turn, run_turn
from valechat.toolbox import Toolbox
from valechat.tools import FunctionTools

__all__ = ["Chat"]

Attachment = str | PathLike[str] | bytes | Part


class Chat:
    """A conversation with models. As the last value of a cell it is shown as a chat panel.

    Args:
        model: `provider/model`; None takes the configured default, or the best that can be used now.
        system: Instructions that stand before the conversation.
        tools: Python functions the model may call; name, docstring and annotations are shown to it.
        plugins: Ids of MCP plugins whose tools the model may call.
        temperature: 0 to 2, None for the model's default.
        max_tokens: Most output tokens of one request, reasoning included.
        timeout: Seconds without progress before a request is given up.
        fallback: Models to ask, in order, when `model` fails before its first word.
        conversation: Id of a conversation in the ledger to go on with; None begins a new one.
        options: Further options of the provider, sent as they are.

    Raises:
        ConfigError: A model's name or an option cannot be right.
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        system: str | None = None,
        tools: Sequence[Callable[..., Any]] = (),
        plugins: Sequence[str] = (),
        temperature: float | None = None,
        max_tokens: int | None = None,
        timeout: float | None = None,
        fallback: Sequence[str] = (),
        conversation: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.system = system
        self.tools = tuple(tools)
        self.plugins = tuple(plugins)
        self.temperature = temperature
        self.max_tokens = max_tokens
        self.timeout = timeout
        self.fallback = tuple(fallback)
        self.conversation_id = conversation or new_id()
        self.options = dict(options or {})
        self._one_at_a_time: asyncio.Lock | None = None
        self._watchers: list[Callable[[], None]] = []
        self._toolbox: Toolbox | None = FunctionTools(self.tools) if self.tools else None

    def __repr__(self) -> str:
        return f"Chat({self.model!r}, conversation={self.conversation_id!r})"

    async def ask(
        self,
        text: str,
        *,
        model: str | None = None,
        images: Sequence[Attachment] = (),
        files: Sequence[Attachment] = (),
        max_cost: Decimal | str | None = None,
    ) -> Reply:
        """Ask, and wait for the whole answer.

        Args:
            text: The question.
            model: Ask this model instead, this once.
            images: Paths or bytes of images.
            files: Paths of documents.
            max_cost: Most USD this question may cost.

        Raises:
            LimitReached: A limit leaves no room; nothing was sent.
            ProviderError: No model answered with a single word.
            ValeChatError: The question could not be sent as it is.
        """
        return await engine().wait(_last(self.turn(text, model=model, images=images, files=files, max_cost=max_cost)))

    def ask_sync(
        self,
        text: str,
        *,
        model: str | None = None,
        images: Sequence[Attachment] = (),
        files: Sequence[Attachment] = (),
        max_cost: Decimal | str | None = None,
    ) -> Reply:
        """`ask` for code that cannot await. The stop button cancels the request."""
        return engine().run(_last(self.turn(text, model=model, images=images, files=files, max_cost=max_cost)))

    def stream(
        self,
        text: str,
        *,
        model: str | None = None,
        images: Sequence[Attachment] = (),
        files: Sequence[Attachment] = (),
        max_cost: Decimal | str | None = None,
    ) -> AsyncIterator[Event]:
        """Ask, and yield what happens as it happens. Raises as `ask` does.

        Leaving the loop early stops the request; use `contextlib.aclosing` to stop it at once.
        """
        return engine().iterate(self.turn(text, model=model, images=images, files=files, max_cost=max_cost))

    async def turn(
        self,
        text: str,
        *,
        model: str | None = None,
        images: Sequence[Attachment] = (),
        files: Sequence[Attachment] = (),
        max_cost: Decimal | str | None = None,
        kind: Kind = "chat",
        confirmed: bool = False,
        question_id: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        """The turn itself, for code that runs on the engine's loop already."""
        if self._one_at_a_time is None:
            self._one_at_a_time = asyncio.Lock()
        async with self._one_at_a_time:
            tools = services()
            turn = await self._prepared(tools, text, model, images, files)
            turn = replace(
                turn,
                kind=kind,
                max_cost=None if max_cost is None else Decimal(max_cost),
                confirmed=confirmed,
                question_id=question_id or turn.question_id,
            )
            try:
                async with contextlib.aclosing(run_turn(turn, tools.ledger, tools.meter)) as events:
                    async for event in events:
                        yield event
            finally:
                for turn_ended in self._watchers:
                    turn_ended()

    def watch(self, turn_ended: Callable[[], None]) -> None:
        """Call back after each turn, on the engine's loop; a view of the conversation follows it so."""
        self._watchers.append(turn_ended)

    async def stored(self) -> list[StoredMessage]:
        """The conversation so far as it is in the ledger, questions without an answer left out."""
        return answered(await durably(services().ledger.messages, self.conversation_id))

    async def _prepared(
        self,
        tools: Services,
        text: str,
        model: str | None,
        images: Sequence[Attachment],
        files: Sequence[Attachment],
    ) -> Turn:
        sizes = tools.settings.sizes
        attached = await asyncio.to_thread(attach, text, images, files, sizes)
        chosen = model or self.model
        names = [chosen or await tools.default_model(), *self.fallback]
        targets = [await tools.target(name) for name in names]
        await tools.ready(targets[0])
        return Turn(
            conversation_id=self.conversation_id,
            question=Message.user(text, *attached),
            targets=targets,
            system=self.system,
            options=Options(
                temperature=self.temperature,
                max_tokens=self.max_tokens,
                timeout=self.timeout,
                extra=self.options,
            ),
            toolbox=self._toolbox,
            title=title_of(text),
        )


def title_of(text: str) -> str:
    """A conversation's first title: the first line of its first question, 60 characters at most."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= 60 else line[:59].rstrip() + "…"


async def _last(events: AsyncGenerator[Event, None]) -> Reply:
    async with contextlib.aclosing(events):
        async for event in events:
            if isinstance(event, DoneEvent):
                return event.reply
    raise AssertionError("a turn that does not raise ends with `done`")
