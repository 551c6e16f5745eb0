"""A manager for tests: servers of ours, a clock that runs faster, the events as they came."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.plugins.support import MARKER, no_process_left
from tests.plugins.unruly import command
from valechat.config import Settings
from valechat.keys import KeyRing
from valechat.ledger.base import PluginRun
from valechat.paths import Paths, user_paths
from valechat.plugins.base import PluginEvent, PluginFailed, PluginInfo, State, StateChanged
from valechat.plugins.manager import Manager

__all__ = ["Managed", "Quick", "managed", "unruly"]

PATIENCE = 20.0


class Quick:
    """A clock on which so many seconds pass in one."""

    def __init__(self, times: float = 1) -> None:
        self.times = times
        self.slept: list[float] = []

    def now(self) -> float:
        return time.monotonic() * self.times

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(seconds / self.times)


class Managed:
    """A manager and what it said."""

    def __init__(self, manager: Manager, marker: str, clock: Quick, runs: list[PluginRun]) -> None:
        self.manager = manager
        self.marker = marker
        self.clock = clock
        self.runs = runs
        self.events: list[PluginEvent] = []
        self._news = asyncio.Event()
        manager.watch(self._hear)

    def definition(self, plugin: str, *options: str, **fields: Any) -> dict[str, Any]:
        """The entry of an unruly server."""
        return unruly(plugin, *options, **{**fields, "env": {MARKER: self.marker, **fields.get("env", {})}})

    async def add(self, plugin: str, *options: str, **fields: Any) -> PluginInfo:
        """Add an unruly server; it starts."""
        return await self.manager.add(self.definition(plugin, *options, **fields))

    async def until(self, condition: Callable[[], object], within: float = PATIENCE) -> None:
        """Wait until something is true, looked at whenever an event comes."""
        async with asyncio.timeout(within):
            while not condition():
                await self._news.wait()
                self._news.clear()

    async def until_state(self, plugin: str, state: State, within: float = PATIENCE) -> PluginInfo:
        """Wait until a plugin is in a state."""
        await self.until(lambda: self.manager.status(plugin).state == state, within)
        return self.manager.status(plugin)

    def states(self, plugin: str) -> list[State]:
        """The states that events told of, in order."""
        return [
            event.plugin.state for event in self.events if isinstance(event, StateChanged) and event.plugin.id == plugin
        ]

    def pauses(self, plugin: str) -> list[float]:
        """The seconds before each restart, as they were announced."""
        problems = [
            event.plugin.problem
            for event in self.events
            if isinstance(event, StateChanged) and event.plugin.id == plugin and event.plugin.state == "error"
        ]
        return [(found.retry_at - found.at).total_seconds() for found in problems if found and found.retry_at]

    def failures(self, plugin: str) -> list[str]:
        """The messages of its failures, in order."""
        return [
            event.error.message for event in self.events if isinstance(event, PluginFailed) and event.plugin == plugin
        ]

    def _hear(self, event: PluginEvent) -> None:
        self.events.append(event)
        self._news.set()


@asynccontextmanager
async def managed(
    *, times: float = 1, within: float = 2.0, sample: Any = None, paths: Paths | None = None
) -> AsyncIterator[Managed]:
    """A manager of the user's folder; all its servers' processes are gone a little after its shutdown."""
    paths = paths or user_paths()
    clock = Quick(times)
    keys = KeyRing(paths, Settings)
    runs: list[PluginRun] = []
    manager = Manager(paths, keys=lambda: keys, record=runs.append, sample=sample, clock=clock)
    with no_process_left(within) as marker:
        try:
            yield Managed(manager, marker, clock, runs)
        finally:
            await manager.shutdown()


def unruly(plugin: str, *options: str, **fields: Any) -> dict[str, Any]:
    """The entry of an unruly server in `mcp_plugins.json`."""
    program, *arguments = command(*options)
    return {"id": plugin, "command": program, "args": arguments, **fields}


def write_file(path: Path, *entries: Mapping[str, Any]) -> None:
    """Write the file as an editor does."""
    import json

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"mcp_plugins": {"local_servers": list(entries), "cloud_services": []}}, indent=2))
