"""`Chat`: a conversation with models."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from importlib import import_module
from typing import Any
from weakref import WeakValueDictionary

from typing_extensions import Unpack

from valechat import asking
from valechat.asking import Asker
from valechat.attachments import attach
from valechat.branches import shown_path
from valechat.branching import delete_turn, question_of, show_branch
from valechat.builtin_tools import expanded
from valechat.controls import AskArguments, Controls, spelled_out
from valechat.engine import engine
from valechat.events import DoneEvent, Event, StatusEvent
from valechat.ids import new_id
from valechat.ledger.base import Kind, StoredMessage
from valechat.ledger.threads import durably
from valechat.messages import FilePart, ImagePart, Message, Part
from valechat.plugins.consent import Consent
from valechat.plugins.offered import Chosen, PluginTools, ToolSet
from valechat.plugins.ready import chosen_plugins, ready, to_start
from valechat.plugins.results import ResultStore
from valechat.providers.base import ToolSpec
from valechat.reply import Reply
from valechat.services import Services, services
from valechat.session import Turn, run_turn
from valechat.tools import FunctionTools

__all__ = ["Chat", "title_of"]


class Chat:
    """A conversation with models. As the last value of a cell it is shown as a chat panel.

    Args:
        model: `provider/model`; None takes the configured default, or the best that can be used now.
        system: Instructions that stand before the conversation.
        tools: Python functions the model may call; name, docstring and annotations are shown to it, and
            `@valechat.tool` says more. `"notebook"` offers the product's own (`valechat.builtin_tools`).
        plugins: Ids of MCP plugins whose tools the model may call, or `plugin/tool` for one tool; they are
            started when they are first needed. `"enabled"` takes all that are enabled, as they come and go.
        temperature: 0 to 2, None for the model's default.
        max_tokens: Most output tokens of one request, reasoning included.
        timeout: Seconds without progress before a request is given up.
        reasoning_effort: How much the model reasons before it answers: `none`, `minimal`, `low`, `medium`,
            `high`, or another word its provider knows.
        seed: For answers that repeat, where the provider takes one.
        schema: The form of the answer: a JSON Schema, a pydantic model class, a dataclass, a TypedDict.
            `reply.parsed` has its value; an answer in another form is not lost, see `Reply.parsed`.
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
        tools: Sequence[Callable[..., Any] | str] = (),
        plugins: Chosen = (),
        temperature: float | None = None,
        max_tokens: int | None = None,
        timeout: float | None = None,
        reasoning_effort: str | None = None,
        seed: int | None = None,
        schema: Any = None,
        fallback: Sequence[str] = (),
        conversation: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.system = system
        self.tools: tuple[Callable[..., Any] | str, ...] = ()
        self.plugins = plugins
        self.temperature = temperature
        self.max_tokens = max_tokens
        self.timeout = timeout
        self.reasoning_effort = reasoning_effort
        self.seed = seed
        self.schema = schema
        self.fallback = tuple(fallback)
        self.options = dict(options or {})
        self._functions: FunctionTools | None = None
        self._told: set[str] = set()
        self._watchers: list[Callable[[], None]] = []
        self.begin(conversation or new_id())
        self.offer(tools)

    def _display_(self) -> Any:
        """The panel, for marimo, which asks an object by this name what to show."""
        return import_module("valechat.notebook.panel").panel_of_cell(self)

    def __repr__(self) -> str:
        return f"Chat({self.model!r}, conversation={self.conversation_id!r})"

    @property
    def plugins(self) -> Chosen:
        """Whose tools the model may call; a change counts from the next question.

        Raises:
            ConfigError: It was set to text other than `"enabled"`.
        """
        return self._plugins

    @plugins.setter
    def plugins(self, plugins: Chosen) -> None:
        self._plugins = chosen_plugins(plugins)

    @property
    def controls(self) -> Controls:
        """The controls as they are set now."""
        return Controls(
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            timeout=self.timeout,
            reasoning_effort=self.reasoning_effort,
            seed=self.seed,
            schema=self.schema,
            options=self.options,
        )

    @spelled_out
    async def ask(self, text: str, **how: Unpack[AskArguments]) -> Reply:
        """Ask, and wait for the whole answer.

        Args:
            text: The question.
            how: `model`: ask this one instead, this once. `images`: paths or bytes of images. `files`: paths
                of documents. `max_cost`: most USD this question may cost. `confirmed`: you agree to a cost
                above `confirm_above`, or to an unknown one under a limit. `after`: ask as a branch, behind the
                message of this id (see `stored`) instead of the last; empty text begins anew. And each control of
                the chat (`temperature`, `max_tokens`, `timeout`, `reasoning_effort`, `seed`, `schema`, `options`),
                for this question only.

        Raises:
            LimitReached: A limit leaves no room; nothing was sent.
            ConfirmationRequired: You have to agree first (`confirmed=True`); nothing was sent.
            ProviderError: No model answered with a single word.
            ValeChatError: The question could not be sent as it is.
        """
        return await engine().wait(_last(self.turn(text, **how)))

    @spelled_out
    def ask_sync(self, text: str, **how: Unpack[AskArguments]) -> Reply:
        """`ask` for code that cannot await. The stop button cancels the request."""
        return engine().run(_last(self.turn(text, **how)))

    @spelled_out
    def stream(self, text: str, **how: Unpack[AskArguments]) -> AsyncGenerator[Event, None]:
        """Ask, and yield what happens as it happens. Takes and raises what `ask` does.

        Leaving the loop early stops the request; use `contextlib.aclosing` to stop it at once.
        """
        return engine().iterate(self.turn(text, **how))

    @spelled_out
    async def regenerate(self, message_id: str | None = None, **how: Unpack[AskArguments]) -> Reply:
        """Answer the last question once more, or the one of this message's turn; the answer before stays as a branch.

        Takes and raises what `ask` does, but for what belongs to a question: `images`, `files`, `after`.
        """
        return await engine().wait(_last(self.turn("", again=message_id or "", **how)))

    async def branch(self, message_id: str) -> None:
        """Turn to the branch that this message is in: it is shown, sent to models, and gone on with from now on.

        Raises:
            ConfigError: The conversation has no such message.
        """
        await show_branch(services().ledger, self.conversation_id, message_id)
        self.changed()

    async def delete(self, message_id: str) -> None:
        """Delete the question of this message's turn with all its answers. What it cost stays in the ledger.

        Raises:
            ConfigError: The conversation has no such message.
        """
        await delete_turn(services().ledger, self.conversation_id, message_id)
        self.changed()

    async def turn(
        self,
        text: str,
        *,
        kind: Kind = "chat",
        question_id: str | None = None,
        asker: Asker | None = None,
        conversation_id: str | None = None,
        again: str | None = None,
        **how: Unpack[AskArguments],
    ) -> AsyncGenerator[Event, None]:
        """The turn itself, for code that runs on the engine's loop already.

        With `again`, the id of a message, `text` is left aside and the question of its turn gets another answer, as
        a branch; of the last turn when it is empty.

        `asker` is the front end that asks the user about tool calls and costs; None takes the process's own.
        It stays in the conversation it began in, whatever the chat turns to; turns of one wait for each other.
        """
        conversation_id = conversation_id or self.conversation_id
        async with self._turns.setdefault(conversation_id, asyncio.Lock()):
            tools = services()
            turn = await self._prepared(tools, text, how, conversation_id)
            if self.plugins:
                if starting := await to_start(tools.plugins, self.plugins):
                    yield StatusEvent(f"Starting {', '.join(starting)}.")
                turn = await self._with_plugins(tools, turn)
            turn = replace(
                turn,
                kind=kind,
                question_id=question_id or turn.question_id,
                asker=asker or asking.asker(),
                after=how.get("after"),
            )
            if again is not None:
                asked = await question_of(tools.ledger, conversation_id, again or None)
                turn = replace(turn, question=asked.message, question_id=asked.id, again=True)
            try:
                async with contextlib.aclosing(run_turn(turn, tools.ledger, tools.meter)) as events:
                    async for event in events:
                        yield event
            finally:
                self._tell()

    def variant(self, *, tools: Sequence[Callable[..., Any] | str]) -> Chat:
        """The same conversation with other tools; the two wait for each other's turns."""
        other = copy.copy(self)
        other.offer(tools)
        return other

    def in_conversation(self, conversation_id: str) -> Chat:
        """A chat with the same settings in another conversation; the two do not wait for each other."""
        other = copy.copy(self)
        other.begin(conversation_id)
        return other

    def begin(self, conversation_id: str) -> None:
        """Stand alone, in this conversation, without a turn under way and with nobody watching."""
        self.conversation_id = conversation_id
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._watchers = []

    def offer(self, tools: Sequence[Callable[..., Any] | str]) -> None:
        """Let the model call these functions from now on, in place of those before.

        Raises:
            ConfigError: A function cannot be offered as a tool.
        """
        self.tools = tuple(tools)
        self._functions = FunctionTools(expanded(self.tools)) if self.tools else None

    def offered(self) -> list[ToolSpec]:
        """What a model would be told of tools now, for an estimate; starts no plugin. On the engine's loop."""
        functions = list(self._functions.specs()) if self._functions else []
        return [*functions, *self._plugin_tools(services()).specs()] if self.plugins else functions

    def watch(self, changed: Callable[[], None]) -> None:
        """Call back after each turn and each `changed`, on the engine's loop; a view follows the chat so."""
        self._watchers.append(changed)

    def changed(self) -> None:
        """Tell the views that the chat is about another conversation or model now; from any thread."""
        engine().loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        for changed in self._watchers:
            changed()

    async def stored(self) -> list[StoredMessage]:
        """The path of the conversation that is shown, as it is in the ledger; questions without an answer left out."""
        return await durably(shown_path, services().ledger, self.conversation_id)

    async def _prepared(self, tools: Services, text: str, how: AskArguments, conversation_id: str) -> Turn:
        sizes = tools.settings.sizes
        options, structure = self.controls.changed(how).for_request()
        attached = await asyncio.to_thread(attach, text, how.get("images", ()), how.get("files", ()), sizes)
        chosen, max_cost = how.get("model") or self.model, how.get("max_cost")
        names = [chosen or await tools.default_model(), *self.fallback]
        targets = [await tools.target(name) for name in names]
        await tools.ready(targets[0])
        if self._functions is not None:
            self._functions.most_input_bytes = sizes.tool_input
            self._functions.most_output = sizes.tool_output
            self._functions.budget = tools.settings.variables.tokens
            self._functions.approvals = tools.approvals
        return Turn(
            conversation_id=conversation_id,
            question=Message.user(text, *attached),
            targets=targets,
            system=self.system,
            options=options,
            structure=structure,
            max_cost=None if max_cost is None else Decimal(max_cost),
            confirmed=how.get("confirmed", False),
            toolbox=self._functions,
            title=title_of(text) or title_of(_named(attached)),
            most_bytes=sizes.conversation,
        )

    async def _with_plugins(self, tools: Services, turn: Turn) -> Turn:
        """The turn with the plugins' tools. What keeps a plugin from running is told once, not at each question."""
        notes = await ready(tools.plugins, self.plugins)
        offered = self._plugin_tools(tools)
        if too_many := offered.left_out():
            notes[""] = too_many
        fresh = [note for plugin, note in notes.items() if plugin not in self._told]
        self._told = set(notes)
        functions = self._functions
        return replace(turn, toolbox=ToolSet(functions, offered) if functions else offered, notes=fresh)

    def _plugin_tools(self, tools: Services) -> PluginTools:
        settings = tools.settings
        return PluginTools(
            tools.plugins,
            self.plugins,
            consent=Consent(
                tools.approvals,
                settings.plugins.trusts_hints_of,
                lambda plugin: tools.plugins.definition(plugin).restart_key[:16],
            ),
            store=ResultStore(tools.paths.tool_results, most_age=tools.retention.tool_results),
            most_input=settings.sizes.tool_input,
            most_output=settings.sizes.tool_output,
            taken=[spec.name for spec in self._functions.specs()] if self._functions else (),
        )


def title_of(text: str) -> str:
    """A conversation's first title: the first line of its first question, 60 characters at most."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= 60 else line[:59].rstrip() + "…"


def _named(attached: Sequence[Part]) -> str:
    return ", ".join(part.name for part in attached if isinstance(part, ImagePart | FilePart) and part.name)


async def _last(events: AsyncGenerator[Event, None]) -> Reply:
    async with contextlib.aclosing(events):
        async for event in events:
            if isinstance(event, DoneEvent):
                return event.reply
    raise AssertionError("a turn that does not raise ends with `done`")
