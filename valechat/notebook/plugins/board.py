"""The plugin manager's side in the kernel: what the view asks is done, what changes is told.

Used on the engine's loop only.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, cast

from pydantic import Field, TypeAdapter, ValidationError

from valechat.errors import ConfigError, ToolFailed, ValeChatError
from valechat.notebook.asks import PanelAsker
from valechat.notebook.outbox import Outbox
from valechat.notebook.places import ask_here
from valechat.notebook.plugins import looking, requests
from valechat.notebook.plugins.cards import (
    Counts,
    answer_shown,
    error_shown,
    log_shown,
    plugin_shown,
    tool_shown,
    without_clock,
)
from valechat.notebook.plugins.protocol import (
    Board,
    Called,
    Changed,
    Configuration,
    Done,
    ErrorShown,
    FromWidget,
    Log,
    LogShown,
    PluginShown,
    Progressed,
    Schema,
    Tools,
    UsesShown,
)
from valechat.plugins.base import (
    ListsChanged,
    Logged,
    PluginEvent,
    PluginFailed,
    PluginInfo,
    PluginSet,
    Progress,
    StateChanged,
    ToolsChanged,
)
from valechat.plugins.byhand import call_by_hand
from valechat.pluginverbs.desk import Desk
from valechat.pluginverbs.masked import masked
from valechat.services import Services

__all__ = ["PluginBoard"]

TICK = 0.2
"""Seconds between two messages about cards and logs: five a second, however many plugins change."""

CHECK_SECONDS = 1.0
"""How often a broken file is looked at."""

LOG_LINES = 200
"""Most lines of a log that are sent at once."""


class PluginBoard:
    """What one plugin manager shows.

    Args:
        services: The user's.
        send: Sends a message to all its views.
    """

    def __init__(self, services: Services, send: Callable[[Mapping[str, Any]], None]) -> None:
        self._services = services
        self._send = send
        self.asker = PanelAsker(Outbox(send))
        self._desk = Desk(services, live=True, asker=self.asker)
        self._problems: list[ErrorShown] = []
        self._sent: dict[str, Mapping[str, Any]] = {}
        self._order: list[str] = []
        self._counts: dict[str, Counts] = {}
        self._uses: dict[str, UsesShown] = {}
        self._signed: set[str] = set()
        self._open: Counter[tuple[str, str]] = Counter()
        self._lines: dict[str, list[LogShown]] = {}
        self._told_problems: list[ErrorShown] = []
        self._checking: asyncio.Task[None] | None = None
        self._other_tools: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._unwatch: Callable[[], None] = lambda: None

    async def open(self) -> None:
        """Begin to follow the plugins, and start what is enabled."""
        self._unwatch = self._services.plugins.watch(self._heard)
        with contextlib.suppress(ConfigError):  # shown among the file's problems
            await self._services.plugins.initialise()
        self._check()
        await self._look_around()
        self._whole()

    def close(self) -> None:
        """Follow no longer."""
        self._unwatch()
        if self._timer is not None:
            self._timer.cancel()
        for task in [*self._tasks, *self._calls.values(), *filter(None, [self._checking])]:
            task.cancel()

    def receive(self, message: Any) -> None:
        """Take what a view asks. What cannot be read is dropped: no view of ours sends it."""
        if not self._readable(message):
            return
        match message:
            case {"type": "hello"}:
                ask_here(self.asker)
                self._whole()
                for ask in self.asker.shown:
                    self._send({"type": "asked", "seq": 0, "ask": ask})
                self._start(self._look_around())
            case {"type": "unfold", "id": str(id_), "part": str(part), "open": bool(is_open)}:
                self._unfold(id_, part, is_open=is_open)
            case {"type": "ask_schema", "id": str(id_), "tool": str(tool)}:
                self._schema(id_, tool)
            case {"type": "call", "call": str(call), "id": str(id_), "tool": str(tool), "arguments": str(arguments)}:
                task = self._calls[call] = asyncio.ensure_future(self._call(call, id_, tool, arguments))
                task.add_done_callback(lambda _: self._never_begun(call))
            case {"type": "stop_call", "call": str(call)} if call in self._calls:
                self._calls[call].cancel()
            case {"type": "look", "at": str(at)}:
                self._start(self._look(at))
            case {"type": "ask_answer", "ask": str(), "choice": str()}:
                self.asker.answer(cast("Any", message))
            case {"type": str(), "request": str(request)}:
                self._start(self._done(request, message))

    def _readable(self, message: Any) -> bool:
        """Whether it is a message of ours; who waits for an answer to another is told."""
        if not isinstance(message, dict) or message.get("type") == "ask_answer":
            return isinstance(message, dict)
        try:
            _FROM_VIEW.validate_python(message)
        except ValidationError:
            if isinstance(request := message.get("request"), str):
                self._send(Done(type="done", request=request, text="", error=_UNREADABLE))
            return False
        return True

    async def _done(self, request: str, message: Mapping[str, Any]) -> None:
        """Do what was asked, and say how it went."""
        try:
            text = await requests.carry_out(message, self._desk)
            error = None
        except ValeChatError as failed:
            text, error = "", error_shown(failed)
        except Exception as failed:  # noqa: BLE001  # a click must never be answered by silence
            text, error = "", ErrorShown(kind=type(failed).__name__, message=f"{failed}", fix="")
        self._send(Done(type="done", request=request, text=text, error=error))
        if message["type"] in ("forget", "reload"):
            self._send(await looking.settings(self._desk))
        if message["type"] in ("change", "act", "set_secret") and self._open[message["id"], "configuration"]:
            self._configuration(message["id"])
        await self._look_around()

    async def _look(self, at: str) -> None:
        match at:
            case "catalogue":
                self._send(await looking.catalogue(self._desk))
            case "foreign":
                self._send(await looking.foreign(self._desk))
            case "settings":
                self._send(await looking.settings(self._desk))

    async def _look_around(self) -> None:
        """What is known of plugins beside their state: who is signed in, what the ledger says of them."""
        self._signed = await looking.signed_in(self._desk)
        self._uses = await looking.uses(self._desk)
        self._stir()

    def _unfold(self, id_: str, part: str, *, is_open: bool) -> None:
        self._open[id_, part] = max(0, self._open[id_, part] + (1 if is_open else -1))
        if not is_open:
            return
        match part:
            case "tools":
                self._tools(id_)
            case "configuration":
                self._configuration(id_)
            case "log":
                with contextlib.suppress(ValeChatError):  # a card that is just being removed
                    lines = [log_shown(line) for line in self._services.plugins.logs(id_)[-LOG_LINES:]]
                    self._lines.pop(id_, None)
                    self._send(Log(type="log", id=id_, whole=True, lines=lines))

    def _tools(self, id_: str) -> None:
        with contextlib.suppress(ValeChatError):  # as above
            tools = [tool_shown(tool) for tool in self._services.plugins.status(id_).tools]
            self._send(Tools(type="tools", id=id_, tools=tools))

    def _configuration(self, id_: str) -> None:
        with contextlib.suppress(ValeChatError):  # as above
            definition = self._services.plugins.definition(id_)
            permissions = masked(definition).get("permissions")
            self._send(
                Configuration(
                    type="configuration",
                    id=id_,
                    text=json.dumps(masked(definition), indent=2, ensure_ascii=False),
                    timeout=definition.timeout,
                    call_timeout=definition.call_timeout,
                    permissions="" if permissions is None else json.dumps(permissions, indent=2, ensure_ascii=False),
                )
            )

    def _schema(self, id_: str, name: str) -> None:
        with contextlib.suppress(ValeChatError):  # as above
            for tool in self._services.plugins.status(id_).tools:
                if tool.name == name:
                    text = json.dumps(dict(tool.input_schema), ensure_ascii=False, default=str)
                    self._send(Schema(type="schema", id=id_, tool=name, schema=text))

    async def _call(self, call: str, id_: str, tool: str, arguments: str) -> None:
        begun = time.monotonic()
        told = float("-inf")

        def progressed(progress: Progress) -> None:
            nonlocal told
            if time.monotonic() - told >= TICK:
                told = time.monotonic()
                self._send(Progressed(type="progressed", call=call, text=_how_far(progress)))

        called = _called(call)
        try:
            answer = await call_by_hand(
                self._services.plugins,
                self._services.ledger,
                id_,
                tool,
                json.loads(arguments),
                on_progress=progressed,
                asker=self.asker,
            )
            called["content"], called["structured"] = answer_shown(answer)
            called["is_error"] = answer.is_error
        except asyncio.CancelledError:
            called["error"] = _STOPPED
        except ValeChatError as error:
            called["error"] = error_shown(error)
        except ValueError as error:
            called["error"] = error_shown(ToolFailed(f"The arguments are no JSON: {error}."))
        called["duration_ms"] = round((time.monotonic() - begun) * 1000)
        self._calls.pop(call, None)
        self._send(called)
        self._start(self._look_around())

    def _never_begun(self, call: str) -> None:
        """A call that was stopped before it began has not said its end."""
        if self._calls.pop(call, None) is not None:
            self._send(_called(call, error=_STOPPED))

    def _heard(self, event: PluginEvent) -> None:
        match event:
            case StateChanged(plugin=info):
                self._other_tools.add(info.id)
                if info.state == "running":
                    self._start(self._count(info))
                else:
                    self._counts.pop(info.id, None)
            case ToolsChanged(plugin=info):
                self._other_tools.add(info.id)
            case ListsChanged(plugin=id_):
                with contextlib.suppress(ValeChatError):  # as above
                    self._start(self._count(self._services.plugins.status(id_)))
            case PluginFailed() | PluginSet():
                self._check()
            case Logged(plugin=id_, line=line):
                if not self._open[id_, "log"]:
                    return
                lines = self._lines.setdefault(id_, [])
                lines.append(log_shown(line))
                del lines[:-LOG_LINES]
        self._stir()

    def _check(self) -> None:
        """Look for what is wrong in the file; while something is, until it is not."""
        if self._checking is None or self._checking.done():
            self._checking = asyncio.ensure_future(self._checked())

    async def _checked(self) -> None:
        while True:
            self._problems = [error_shown(error) for error in await looking.file_problems(self._desk)]
            self._stir()
            if not self._problems:
                return
            await asyncio.sleep(CHECK_SECONDS)

    async def _count(self, info: PluginInfo) -> None:
        """How many resources and prompts a server has; one that fails to say so has none for the card."""
        resources = prompts = None
        with contextlib.suppress(ValeChatError):
            if "resources" in info.capabilities:
                resources = len(await self._services.plugins.resources(info.id))
        with contextlib.suppress(ValeChatError):
            if "prompts" in info.capabilities:
                prompts = len(await self._services.plugins.prompts(info.id))
        self._counts[info.id] = Counts(resources, prompts)
        self._stir()

    def _stir(self) -> None:
        """Tell of changes soon, all at once."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TICK, self._tell)

    def _tell(self) -> None:
        self._timer = None
        shown = self._shown()
        changed = [card for card in shown if self._sent.get(card["id"]) != without_clock(card)]
        order = [card["id"] for card in shown]
        if changed or order != self._order or self._problems != self._told_problems:
            self._remember(shown)
            self._send(Changed(type="changed", problems=self._problems, order=order, plugins=changed))
        for id_ in self._other_tools:
            if self._open[id_, "tools"]:
                self._tools(id_)
        self._other_tools.clear()
        for id_, lines in self._lines.items():
            if lines:
                self._send(Log(type="log", id=id_, whole=False, lines=lines))
        self._lines.clear()

    def _whole(self) -> None:
        shown = self._shown()
        self._remember(shown)
        self._send(Board(type="board", file=str(self._desk.path), problems=self._problems, plugins=shown))

    def _remember(self, shown: list[PluginShown]) -> None:
        self._told_problems = self._problems
        self._order = [card["id"] for card in shown]
        self._sent = {card["id"]: without_clock(card) for card in shown}

    def _shown(self) -> list[PluginShown]:
        manager = self._services.plugins
        cards = []
        for info in manager.list():
            try:
                definition = manager.definition(info.id)
            except ValeChatError:
                definition = None  # an entry that cannot be used has a card with its error
            cards.append(
                plugin_shown(
                    info,
                    definition,
                    counts=self._counts.get(info.id, Counts()),
                    signed_in=info.id in self._signed,
                    uses=self._uses.get(info.id),
                )
            )
        return cards

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_FROM_VIEW: TypeAdapter[FromWidget] = TypeAdapter(Annotated[FromWidget, Field(discriminator="type")])
_UNREADABLE = ErrorShown(kind="ConfigError", message="The view sent something unreadable.", fix="Reload the page.")
_STOPPED = ErrorShown(kind="Stopped", message="Stopped.", fix="")


def _called(call: str, *, error: ErrorShown | None = None) -> Called:
    return Called(type="called", call=call, content=[], structured="", is_error=False, duration_ms=0, error=error)


def _how_far(progress: Progress) -> str:
    text = f"{100 * progress.done / progress.total:.0f} %" if progress.total else f"{progress.done:g}"
    return f"{text}: {progress.message}" if progress.message else text
