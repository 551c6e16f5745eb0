"""What the owners of servers have in common: variables' values, ways to servers, tools' names, events."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from valechat.errors import ValeChatError
from valechat.ledger.base import PluginRun
from valechat.ledger.threads import durably
from valechat.paths import Paths
from valechat.plugins.base import (
    ListsChanged,
    Logged,
    LogLine,
    PluginEvent,
    PluginFailed,
    StateChanged,
    ToolsChanged,
    Watcher,
)
from valechat.plugins.callers import caller
from valechat.plugins.names import public_names
from valechat.plugins.oauth import authorisation, sign_out
from valechat.plugins.owner import Owner
from valechat.plugins.runs import Run

if TYPE_CHECKING:
    from valechat.keys import KeyRing
    from valechat.plugins.connection import Connection
    from valechat.plugins.definition import Definition
    from valechat.plugins.denials import Denials
    from valechat.plugins.oauth.signing import Authorisation
    from valechat.plugins.questions import Sample
    from valechat.plugins.transports.base import Link

__all__ = ["Hub", "Record"]

Record = Callable[[PluginRun], None]
"""Takes down a run of a plugin, when it starts and again when it ends. May block."""

_HEAVY = ("valechat.plugins.connecting", "jsonschema")
"""What takes seconds to import, so that it is done in a thread and is not counted as the server's slowness."""
SIGN_OUT_SECONDS = 10.0

_log = logging.getLogger(__name__)


class Hub:
    """The host of all owners."""

    def __init__(
        self, paths: Paths, *, keys: Callable[[], KeyRing], record: Record | None, sample: Sample | None
    ) -> None:
        self.owners: dict[str, Owner] = {}
        self.closing = False
        self._leaving: set[asyncio.Task[Any]] = set()
        self._paths = paths
        self._keys = keys
        self._record = record
        self._sample = sample
        self._watchers: tuple[Watcher, ...] = ()
        self._importing = asyncio.Lock()
        self._taking_down = asyncio.Lock()
        self._recording: set[asyncio.Task[None]] = set()

    @property
    def watched(self) -> bool:
        """Whether anybody wants to hear of events."""
        return bool(self._watchers)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Tell this one of events from now on; what is given back ends that."""
        self._watchers = (*self._watchers, watcher)

        def end() -> None:
            self._watchers = tuple(other for other in self._watchers if other is not watcher)

        return end

    def tell(self, event: PluginEvent) -> None:
        """Tell all watchers."""
        for watcher in self._watchers:
            try:
                watcher(event)
            except Exception:  # noqa: BLE001 - one watcher's fault must not keep an event from the others, or stop a server
                _log.exception("A watcher of plugins failed")

    async def resolve(self, definition: Definition) -> Definition:
        """The definition with its variables' values. What a first start has to import is imported here, too."""
        from valechat.plugins.variables import resolve

        async with self._importing:
            for module in (*_HEAVY, f"valechat.plugins.transports.{definition.transport}"):
                if module not in sys.modules:
                    await asyncio.to_thread(_imported, module)
        return await resolve(definition, self._keys())

    @asynccontextmanager
    async def open(
        self, owner: Owner, definition: Definition, linked: Callable[[Link], None]
    ) -> AsyncIterator[Connection]:
        """The connection to a server."""
        from valechat.plugins.connecting import connect
        from valechat.plugins.transports.base import Context as Given

        def changed(what: Literal["tools", "resources", "prompts"]) -> None:
            if what == "tools":
                owner.later(owner.refresh(), "Listing its tools")
            else:
                self.tell(ListsChanged(definition.id, what))

        def authorise() -> Authorisation | None:
            return authorisation(definition, keys=self._keys(), paths=self._paths, log=owner.log.add, who=caller)

        owner.denials = await self._denials(definition)
        context = Given(self._paths, owner.log.add, authorise, owner.needed)
        async with connect(definition, context, sample=self._sample, linked=linked, changed=changed) as connection:
            yield connection

    def state_changed(self, owner: Owner) -> None:
        """A plugin came into another state."""
        if self._known(owner):
            self.tell(StateChanged(owner.info()))

    def listed(self, owner: Owner, *, silently: bool = False) -> None:
        """A plugin's tools are others now: name them all, because names depend on each other."""
        found = {plugin: [tool.name for tool in other.found] for plugin, other in self.owners.items()}
        names = public_names(found)
        for plugin, other in self.owners.items():
            off = set(other.definition.tools_off)
            tools = tuple(
                replace(tool, public_name=names[plugin, tool.name], enabled=tool.name not in off)
                for tool in other.found
            )
            if tools != other.tools:
                other.tools = tools
                if other is not owner or not silently:
                    self.tell(ToolsChanged(other.info()))

    def failed(self, owner: Owner, error: ValeChatError) -> None:
        """Something went wrong with a plugin."""
        owner.log.add("valechat", "error", error.message)
        if self._known(owner):
            self.tell(PluginFailed(owner.definition.id, error))

    def logged(self, owner: Owner, line: LogLine) -> None:
        """A plugin's log has a new line."""
        if line.source == "stderr" and owner.denials is not None:
            self._examine(owner, line.text)
        if self._known(owner):
            self.tell(Logged(owner.definition.id, line))

    def leave(self, plugin: str) -> None:
        """Stop a plugin that was removed. Nothing is told of it any more: its id may soon be another's."""
        owner = self.owners.pop(plugin)
        task = asyncio.get_running_loop().create_task(owner.fulfilled(owner.wish(on=False)), context=Context())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def forget(self, definition: Definition) -> None:
        """Sign out of a service that was removed, as far as that can be done now."""
        if getattr(getattr(definition, "auth", None), "type", "none") == "oauth":
            with contextlib.suppress(ValeChatError, TimeoutError):
                async with asyncio.timeout(SIGN_OUT_SECONDS):
                    await sign_out(definition.id, keys=self._keys(), paths=self._paths)

    async def close(self, within: float) -> None:
        """Stop all, those that are leaving too, in a bounded time."""
        self.closing = True
        for owner in self.owners.values():
            owner.used = False
        try:
            stopping = [asyncio.ensure_future(owner.fulfilled(owner.wish(on=False))) for owner in self.owners.values()]
            if waits := [*stopping, *self._leaving]:
                _, late = await asyncio.wait(waits, timeout=within)
                for waiting in late:
                    waiting.cancel()
            await self._recorded()
        finally:
            self.closing = False

    def ran(self, owner: Owner, run: Run) -> None:
        """A run is on, or came to its end: taken down, one after the other."""
        if self._record is None:
            return
        reason = "shutdown" if self.closing and run.reason == "stopped" else run.reason
        ended = datetime.now(UTC) if reason else None
        row = PluginRun(owner.definition.id, run.began, ended, reason or None, run.id)
        task = asyncio.get_running_loop().create_task(self._take_down(self._record, row), context=Context())
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)

    async def _denials(self, definition: Definition) -> Denials | None:
        """What finds out what a local server was refused."""
        from valechat.config import variables_in
        from valechat.plugins.config import LocalServer
        from valechat.plugins.denials import Denials
        from valechat.sandbox import bubblewrap

        if not isinstance(definition, LocalServer):
            return None
        tells_hosts = not await asyncio.to_thread(bubblewrap.unavailable)
        keys = [entry.api_key for entry in self._keys().settings().providers.values() if entry.api_key]
        withheld = {name for key in keys for name in variables_in(key)}
        return Denials(definition, self._paths, tells_hosts=tells_hosts, withheld=withheld)

    def _examine(self, owner: Owner, text: str) -> None:
        """Look for what the server complains of, as far as it is worth it."""
        from valechat.plugins.denials import suspicious

        denials = owner.denials
        if denials is None or not suspicious(text) or not owner.needs.worth_examining():
            return

        async def look() -> None:
            for need in await asyncio.to_thread(denials.found, text):
                owner.needed(need)

        owner.later(look(), "Looking for what it was refused")

    def _known(self, owner: Owner) -> bool:
        return self.owners.get(owner.definition.id) is owner

    async def _recorded(self) -> None:
        """Wait until all runs are taken down."""
        while self._recording:
            await asyncio.gather(*self._recording, return_exceptions=True)

    async def _take_down(self, record: Record, row: PluginRun) -> None:
        async with self._taking_down:
            try:
                await durably(record, row)
            except ValeChatError as error:
                _log.warning("A plugin's run was not taken down: %s", error.message)


def _imported(module: str) -> None:
    """Import what a plugin needs; a third party's transport has no module of ours."""
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
