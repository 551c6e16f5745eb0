"""Plugins held in memory, for tests of what stands above the manager: states, tools and answers as a test sets them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from valechat.asking import Asker
from valechat.errors import PluginError
from valechat.plugins.base import Answer, Content, PluginInfo, PluginTool, Problem, Progress, State
from valechat.plugins.names import public_name
from valechat.plugins.schemas import fingerprint

__all__ = ["HeldPlugins", "said", "tool"]

Answering = Callable[[Mapping[str, Any]], Answer | Awaitable[Answer]]


def said(text: str) -> Answer:
    return Answer((Content("text", text),))


def tool(plugin: str, name: str, description: str = "", **schema: Any) -> PluginTool:
    found = {"type": "object", **schema}
    return PluginTool(
        plugin,
        name,
        public_name(plugin, name),
        "",
        description,
        found,
        destructive=False,
        fingerprint=fingerprint(description, found),
    )


class HeldPlugins:
    """`offered.Plugins`. `calls` are the calls that reached a tool; `started` what had to be started."""

    def __init__(self, **tools: Sequence[PluginTool]) -> None:
        self.infos = {
            plugin: PluginInfo(plugin, plugin.title(), "", "stdio", enabled=True, state="running", tools=tuple(listed))
            for plugin, listed in tools.items()
        }
        self.answers: dict[str, Answering] = {}
        self.calls: list[tuple[str, str, Mapping[str, Any]]] = []
        self.started: list[str] = []
        self.fails: dict[str, str] = {}
        self.running = 0
        self.most_running = 0
        self.slow = asyncio.Event()
        self.slow.set()

    def set(
        self, plugin: str, state: State = "running", *, enabled: bool = True, tools: Sequence[PluginTool] = ()
    ) -> None:
        known = self.infos[plugin]
        self.infos[plugin] = replace(known, state=state, enabled=enabled, tools=tuple(tools) or known.tools)

    def list(self) -> list[PluginInfo]:
        return list(self.infos.values())

    async def load(self) -> None:
        await asyncio.sleep(0)

    async def initialise(self) -> None:
        await self.ensure([plugin for plugin, info in self.infos.items() if info.enabled])
        await self.slow.wait()

    async def ensure(self, ids: Sequence[str]) -> None:
        for plugin in ids:
            if plugin not in self.infos:
                raise PluginError(f"There is no plugin {plugin!r}.", fix=f"There are: {', '.join(self.infos)}.")
            self.started.append(plugin)
            if plugin in self.fails:
                problem = Problem(self.fails[plugin], "Do something.", datetime.now(UTC))
                self.infos[plugin] = replace(self.infos[plugin], state="error", problem=problem)
            else:
                self.set(plugin)

    async def call_tool(
        self,
        plugin: str,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        timeout: float | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        asker: Asker | None = None,
    ) -> Answer:
        del timeout, on_progress, asker
        self.calls.append((plugin, tool, arguments))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            answering = self.answers.get(tool)
            answer = said(f"{tool} answered") if answering is None else answering(arguments)
            return answer if isinstance(answer, Answer) else await answer
        finally:
            self.running -= 1
