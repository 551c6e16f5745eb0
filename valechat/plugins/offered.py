"""The tools of plugins as a conversation's models get them, and the notebook's functions beside them."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, Protocol

from valechat.asking import Asker
from valechat.errors import PluginError, ToolFailed, ValeChatError
from valechat.messages import ToolCallPart, ToolResultPart
from valechat.plugins import schemas
from valechat.plugins.base import Answer, PluginInfo, PluginTool, Progress
from valechat.plugins.consent import Answered, Consent
from valechat.plugins.names import public_name
from valechat.plugins.results import ResultStore, part_of, size_of
from valechat.providers.base import ToolSpec
from valechat.toolbox import Called, Toolbox

__all__ = ["MOST_TOOLS", "Chosen", "PluginTools", "Plugins", "ToolSet", "named_plugins"]

MOST_TOOLS = 128
"""Tools one request may offer. OpenAI's APIs take no more, and no model chooses well among so many."""

Chosen = Sequence[str] | Literal["enabled"]
"""Ids of plugins, `plugin/tool` for one tool of a plugin, or all plugins that are enabled."""

_NAMED_IN_ERROR = 40


def named_plugins(chosen: Chosen) -> dict[str, frozenset[str] | None]:
    """The plugins that are chosen by name, each with its chosen tools, None for all; none for all that are enabled."""
    found: dict[str, frozenset[str] | None] = {}
    for name in () if chosen == "enabled" else chosen:
        plugin, one, tool = name.partition("/")
        before = found.get(plugin, frozenset())
        found[plugin] = before | {tool} if one and before is not None else None
    return found


class Plugins(Protocol):
    """What is used of the plugin manager."""

    def list(self) -> list[PluginInfo]:
        """All plugins as they stand."""
        ...

    async def load(self) -> None:
        """Know what is in the file."""
        ...

    async def initialise(self) -> None:
        """Start what is enabled, and wait until each runs or has failed."""
        ...

    async def ensure(self, ids: Sequence[str]) -> None:
        """Start these, and wait until each runs or has failed.

        Raises:
            PluginError: There is none of such an id.
        """
        ...

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
        """Call a tool."""
        ...


class PluginTools:
    """The tools of some plugins, for one turn. What is offered follows what the servers offer at the moment.

    Args:
        plugins: The plugin manager.
        chosen: Which plugins.
        consent: Who decides whether a call may run.
        store: Where whole answers are kept.
        most_input: Bytes a call's arguments may have.
        most_output: Bytes of an answer's text that a model gets.
        taken: Names that the notebook's functions have.
    """

    def __init__(
        self,
        plugins: Plugins,
        chosen: Chosen,
        *,
        consent: Consent,
        store: ResultStore,
        most_input: int = 10_000,
        most_output: int = 30_000,
        taken: Collection[str] = (),
    ) -> None:
        self._plugins = plugins
        self._chosen = chosen
        self._consent = consent
        self._store = store
        self._most_input = most_input
        self._most_output = most_output
        self._taken = taken

    def specs(self) -> Sequence[ToolSpec]:
        """See `Toolbox.specs`. The order depends on nothing that changes, so that prompts can be cached."""
        return [_spec(name, tool) for name, tool in self._offered().items()]

    def origin(self, name: str) -> tuple[str, str]:
        """See `Toolbox.origin`."""
        tool = self._offered().get(name)
        return ("", name) if tool is None else (tool.plugin, tool.name)

    def left_out(self) -> str:
        """What is not offered because there are too many tools, in a sentence; empty when all are."""
        named = list(self._named().values())
        out = Counter(tool.plugin for tool in named[self._room() :])
        if not out:
            return ""
        return (
            f"{len(named) + len(self._taken)} tools are too many for a request; {MOST_TOOLS} are offered."
            f" Left out: {', '.join(f'{count} of {plugin}' for plugin, count in out.items())}."
            " Switch off what you do not need, or name fewer plugins."
        )

    async def call(
        self,
        call: ToolCallPart,
        *,
        asker: Asker | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Called:
        """See `Toolbox.call`."""
        tool = self._offered().get(call.name)
        if tool is None:
            names = list(self._offered())
            more = f" and {len(names) - _NAMED_IN_ERROR} more" if len(names) > _NAMED_IN_ERROR else ""
            known = ", ".join(names[:_NAMED_IN_ERROR]) + more
            return _failed(call, "", f"There is no tool named `{call.name}` now; there are: {known or 'none'}.")
        arguments = self._read(call, tool)
        if isinstance(arguments, str):
            return _failed(call, tool.plugin, arguments)
        shown = json.dumps(arguments, ensure_ascii=False)
        try:
            answered = await self._consent.ask(tool, shown, call.id, asker)
        except PluginError as error:
            # The plugin was removed in this moment.
            return _failed(call, tool.plugin, str(error))
        if not answered.allowed:
            return _failed(call, tool.plugin, answered.told, status="refused", note=answered.note)
        return await self._run(call, tool, arguments, answered, asker=asker, on_progress=on_progress)

    async def _run(
        self,
        call: ToolCallPart,
        tool: PluginTool,
        arguments: Mapping[str, Any],
        answered: Answered,
        *,
        asker: Asker | None,
        on_progress: Callable[[Progress], None] | None,
    ) -> Called:
        began = time.monotonic()
        status, output = "ok", None
        try:
            answer = await self._plugins.call_tool(
                tool.plugin, tool.name, arguments, on_progress=on_progress, asker=asker
            )
        except ValeChatError as error:
            status = "timeout" if isinstance(error, ToolFailed) else "error"
            result = ToolResultPart(call.id, call.name, str(error), is_error=True)
        else:
            status = "error" if answer.is_error else "ok"
            output = await asyncio.to_thread(size_of, answer)
            result = await asyncio.to_thread(part_of, call, answer, self._store, self._most_output)
        lasted = round((time.monotonic() - began) * 1000)
        return Called(result, tool.plugin, status, lasted, output, answered.note)

    def _read(self, call: ToolCallPart, tool: PluginTool) -> dict[str, Any] | str:
        """The call's arguments, or what is wrong with them."""
        if len(call.arguments.encode("utf-8", "replace")) > self._most_input:
            return f"The arguments are over {self._most_input:,} bytes; send less."
        try:
            arguments = json.loads(call.arguments.strip() or "{}", parse_constant=_no_number)
            json.dumps(arguments, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            return f"The arguments are not JSON: {error}. Nothing was called."
        if not isinstance(arguments, dict):
            return "The arguments must be a JSON object. Nothing was called."
        found = schemas.complaints(arguments, tool.input_schema)
        return f"The arguments do not fit, so nothing was called: {'; '.join(found)}." if found else arguments

    def _offered(self) -> dict[str, PluginTool]:
        return dict(list(self._named().items())[: self._room()])

    def _room(self) -> int:
        return max(MOST_TOOLS - len(self._taken), 0)

    def _named(self) -> dict[str, PluginTool]:
        """The chosen plugins' tools by the names models know, in the order they are told."""
        running = {info.id: info for info in self._plugins.list() if info.state == "running"}
        often = Counter(tool.public_name for info in running.values() for tool in info.tools)
        if self._chosen == "enabled":
            ids = sorted(plugin for plugin, info in running.items() if info.enabled)
        else:
            ids = [plugin for plugin in named_plugins(self._chosen) if plugin in running]
        only = named_plugins(self._chosen)
        tools = [
            tool
            for plugin in ids
            for tool in sorted(running[plugin].tools, key=lambda tool: tool.name)
            if tool.offered and ((some := only.get(plugin)) is None or tool.name in some)
        ]
        return {
            public_name(tool.plugin, tool.name, told_apart=True)
            if often[tool.public_name] > 1 or tool.public_name in self._taken
            else tool.public_name: tool
            for tool in tools
        }


class ToolSet:
    """Several toolboxes as one. Each must leave the others their names (`PluginTools` takes them as `taken`)."""

    def __init__(self, *boxes: Toolbox) -> None:
        self._boxes = boxes

    def specs(self) -> Sequence[ToolSpec]:
        """See `Toolbox.specs`."""
        return [spec for box in self._boxes for spec in box.specs()]

    def origin(self, name: str) -> tuple[str, str]:
        """See `Toolbox.origin`."""
        return self._with(name).origin(name)

    async def call(
        self,
        call: ToolCallPart,
        *,
        asker: Asker | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Called:
        """See `Toolbox.call`."""
        return await self._with(call.name).call(call, asker=asker, on_progress=on_progress)

    def _with(self, name: str) -> Toolbox:
        return next((box for box in self._boxes if box.origin(name)[0]), self._boxes[-1])


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _spec(name: str, tool: PluginTool) -> ToolSpec:
    return ToolSpec(name, tool.description or tool.title, schemas.offered_schema(tool.input_schema))


def _failed(call: ToolCallPart, plugin: str, text: str, *, status: str = "error", note: str = "") -> Called:
    return Called(ToolResultPart(call.id, call.name, text, is_error=True), plugin, status, duration_ms=0, note=note)
