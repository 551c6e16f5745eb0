"""The manager of MCP servers: every verb that a front end, a chat or a script needs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from valechat.asking import Asker
from valechat.errors import ConfigError, PluginError
from valechat.messages import Message
from valechat.paths import Paths
from valechat.plugins import sentences
from valechat.plugins.backoff import Clock, SystemClock
from valechat.plugins.base import Answer, Content, LogLine, PluginInfo, PluginTool, Progress, Watcher
from valechat.plugins.following import Following
from valechat.plugins.granting import Granting
from valechat.plugins.hub import Hub, Record
from valechat.plugins.owner import Owner
from valechat.plugins.resources import Prompt, Resource, Template

if TYPE_CHECKING:
    from valechat.keys import KeyRing
    from valechat.plugins.connection import Connection
    from valechat.plugins.definition import Definition
    from valechat.plugins.file import PluginsFile
    from valechat.plugins.questions import Sample

__all__ = ["Manager"]

SHUTDOWN_SECONDS = 10.0

_List = list  # `list` is a verb of the manager


class Manager:
    """All plugins of a user, in this process. Its methods run on one loop, the engine's.

    Args:
        paths: The user's folders; `mcp_plugins.json` is in them.
        keys: The user's keys, for what `${VAR}` stands for.
        record: Takes down each run of a server.
        sample: Has a model answer for a server that asks for it; without it servers may not ask.
        forget: Told of a plugin that was removed, to forget what was allowed it. May block.
        clock: The time, for restarts and health checks.

    Attributes:
        permits: Grants and takes back what confined servers may do.
    """

    def __init__(
        self,
        paths: Paths,
        *,
        keys: Callable[[], KeyRing],
        record: Record | None = None,
        sample: Sample | None = None,
        forget: Callable[[str], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        from valechat.plugins.file import PluginsFile

        clock = clock or SystemClock()
        self._hub = Hub(paths, keys=keys, record=record, sample=sample)
        self._following = Following(PluginsFile(paths.plugins_file), self._hub, clock)
        self.permits = Granting(self._following, self._hub)
        self._forget = forget
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def problem(self) -> ConfigError | None:
        """Why the file could not be read the last time; None when it could."""
        return self._following.problem

    async def load(self) -> None:
        """Know what is in the file; starts nothing. A broken file is told of as an event, and in `problem`."""
        self._loop = asyncio.get_running_loop()
        await self._following.fresh()

    async def initialise(self) -> None:
        """Start all enabled plugins at once, and wait until each runs or has failed; from then on follow the file."""
        self._following.starting = True
        await self.load()
        self._following.awake()
        await self._started([owner for owner in self._owners() if owner.definition.enabled])

    async def ensure(self, ids: Sequence[str]) -> None:
        """Start these if need be, those that are not enabled too, and wait until each runs or has failed.

        Raises:
            PluginError: There is none of such an id.
        """
        await self.load()
        self._following.awake()
        await self._started([self._owner(plugin) for plugin in ids])

    async def enable(self, plugin: str) -> PluginInfo:
        """Start it, now and whenever the others are started. Waits until it runs or has failed.

        Raises:
            PluginError: There is none of that id.
            ConfigError: The file cannot be written.
        """
        return await self._switched(plugin, on=True)

    async def disable(self, plugin: str) -> PluginInfo:
        """Stop it, whatever it is doing, and do not start it with the others.

        Raises:
            PluginError: There is none of that id.
            ConfigError: The file cannot be written.
        """
        return await self._switched(plugin, on=False)

    async def restart(self, plugin: str) -> PluginInfo:
        """Stop it if it runs, and start it; its restarts are counted afresh.

        Raises:
            PluginError: There is none of that id.
        """
        await self.load()
        self._following.awake()
        owner = self._owner(plugin)
        return await owner.fulfilled(owner.wish(on=True, anew=True))

    async def add(self, definition: Mapping[str, Any] | Definition) -> PluginInfo:
        """Write a plugin into the file, and start it unless it says `enabled: false`.

        Raises:
            ConfigError: It cannot be used, its id is taken, or the file cannot be written.
        """
        await self.load()
        added = await self._following.edit(lambda file: file.add(definition))
        self._following.awake()
        owner = self._owner(added.id)
        if owner.definition.enabled:
            return await owner.fulfilled(owner.wish(on=True))
        return owner.info()

    async def remove(self, plugin: str) -> None:
        """Stop it, take it out of the file, sign out where it was signed in, and forget what was allowed it.

        Raises:
            ConfigError: There is none of that id, or the file cannot be written.
        """
        await self.load()
        owner = self._hub.owners.get(plugin)
        await self._following.edit(lambda file: file.remove(plugin))
        if self._forget is not None:
            await asyncio.to_thread(self._forget, plugin)
        if owner is not None:
            await owner.fulfilled(owner.wish(on=False))
            await self._hub.forget(owner.definition)

    async def change(self, plugin: str, **fields: Any) -> PluginInfo:
        """Change fields of its definition; None takes one away. It restarts if that is needed.

        Raises:
            ConfigError: It could not be used then, there is none of that id, or the file cannot be written.
        """
        await self.load()
        changed = await self._following.edit(lambda file: file.change(plugin, **fields))
        return await self._owner(changed.id).settled()

    async def switch_tool(self, plugin: str, tool: str, on: bool) -> None:  # noqa: FBT001 - a switch is on or off
        """Offer one of its tools to models, or not.

        Raises:
            ConfigError: There is no plugin of that id, or the file cannot be written.
        """
        await self.load()

        def switch(file: PluginsFile) -> None:
            known = file.read().get(plugin)
            off = dict.fromkeys(known.tools_off if known is not None else ())
            off.pop(tool, None)
            file.change(plugin, tools_off=[*off] if on else [*off, tool])

        await self._following.edit(switch)

    async def reload(self) -> None:
        """Take in the file now: restart what changed, start what is new and enabled, stop what is gone.

        Raises:
            ConfigError: The file is broken; names the line. Nothing is changed then.
        """
        self._loop = asyncio.get_running_loop()
        await self._following.reload()

    async def save(self) -> None:
        """Write into the file what is known here and has gone from it. Each change is saved as it is made.

        Raises:
            ConfigError: The file cannot be written.
        """
        known = {owner.definition.id: owner.definition for owner in self._owners()}

        def put_back(file: PluginsFile) -> None:
            there = file.read()
            for plugin, definition in known.items():
                if plugin not in there and plugin not in {error.plugin for error in file.problems}:
                    file.add(definition)

        await self._following.edit(put_back)

    async def shutdown(self) -> None:
        """Stop all plugins, in a bounded time; the file stays as it is."""
        self._following.starting = False
        await self._following.close()
        await self._hub.close(SHUTDOWN_SECONDS)

    def list(self) -> _List[PluginInfo]:
        """All plugins, in the order of the file."""
        return [owner.info() for owner in self._owners()]

    def status(self, plugin: str) -> PluginInfo:
        """One plugin as it stands now.

        Raises:
            PluginError: There is none of that id.
        """
        return self._owner(plugin).info()

    def tools(self) -> _List[PluginTool]:
        """The tools of all plugins that run, those that are not offered too."""
        return [tool for owner in self._owners() for tool in owner.tools]

    def definition(self, plugin: str) -> Definition:
        """Its definition as it is in the file.

        Raises:
            PluginError: There is none of that id.
        """
        return self._owner(plugin).definition

    def logs(self, plugin: str) -> _List[LogLine]:
        """The newest lines of its log, the oldest of them first.

        Raises:
            PluginError: There is none of that id.
        """
        return self._owner(plugin).log.lines()

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Hear of what happens to plugins; what is given back ends that. From any thread."""
        end = self._hub.watch(watcher)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._following.awake)
        return end

    async def call_tool(
        self,
        plugin: str,
        tool: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        asker: Asker | None = None,
    ) -> Answer:
        """Call a tool by the server's own name of it. One that is starting is waited for.

        Args:
            plugin: Its id; one that is enabled and does not run yet is started.
            tool: The tool.
            arguments: Its arguments, not checked here.
            timeout: Seconds without a sign of life; None is the plugin's `call_timeout`.
            on_progress: Told how far it is.
            asker: Who answers what the server asks meanwhile; None is the process's own front end.

        Raises:
            ToolFailed: It took too long. The server is told that nobody waits any more, as it is when the
                caller is cancelled.
            PluginError: The plugin does not run or ended meanwhile, or refused the call.
        """
        owner = await self._awaited(plugin)
        seconds = owner.definition.call_timeout if timeout is None else timeout
        connection = await owner.ready(seconds)
        known = [found.name for found in owner.found]
        if tool not in known:
            raise sentences.no_such_tool(owner.definition.title, tool, known)
        given = arguments or {}
        answer = await connection.call(tool, given, timeout=seconds, on_progress=on_progress, asker=asker)
        return await self.permits.after_call(owner, answer, given, asker)

    async def resources(self, plugin: str) -> _List[Resource]:
        """What it can be read from.

        Raises:
            ToolFailed: It took too long.
            PluginError: It does not run, or refused.
        """
        return await (await self._connection(plugin)).resources()

    async def templates(self, plugin: str) -> _List[Template]:
        """Its resources' templates; raises as `resources` does."""
        return await (await self._connection(plugin)).templates()

    async def read_resource(self, plugin: str, uri: str, *, asker: Asker | None = None) -> tuple[Content, ...]:
        """A resource's contents; raises as `resources` does."""
        return await (await self._connection(plugin)).read(uri, asker=asker)

    async def prompts(self, plugin: str) -> _List[Prompt]:
        """Its prompts; raises as `resources` does."""
        return await (await self._connection(plugin)).prompts()

    async def prompt(
        self, plugin: str, name: str, arguments: Mapping[str, str] | None = None, *, asker: Asker | None = None
    ) -> _List[Message]:
        """A prompt's messages; raises as `resources` does."""
        return await (await self._connection(plugin)).prompt(name, arguments or {}, asker=asker)

    async def complete(
        self,
        plugin: str,
        ref: tuple[str, str],
        argument: str,
        value: str,
        context: Mapping[str, str] | None = None,
    ) -> _List[str]:
        """How a value that is being typed may go on.

        Args:
            plugin: Its id.
            ref: `("prompt", name)` or `("template", uri)`.
            argument: The argument's or variable's name.
            value: What was typed so far.
            context: The arguments that are filled in already.

        Raises:
            ToolFailed: It took too long.
            PluginError: It does not run, or refused.
        """
        return await (await self._connection(plugin)).complete(ref, argument, value, context)

    def _owners(self) -> _List[Owner]:
        return [*self._hub.owners.values()]

    def _owner(self, plugin: str) -> Owner:
        found = self._hub.owners.get(plugin)
        if found is not None:
            return found
        for error in (self.problem, *self._following.entry_problems):
            if error is not None and getattr(error, "plugin", "") in ("", plugin):
                raise PluginError(error.message, fix=error.fix)
        raise sentences.unknown(plugin, [*self._hub.owners])

    async def _started(self, owners: _List[Owner]) -> None:
        for owner in owners:
            if not owner.wanted:
                owner.wish(on=True)
        await asyncio.gather(*(owner.settled() for owner in owners))

    async def _switched(self, plugin: str, *, on: bool) -> PluginInfo:
        known = self._hub.owners.get(plugin)
        await self.load()
        self._following.awake()
        if known is not None and plugin not in self._hub.owners and self.problem is None:
            raise sentences.removed_elsewhere(known.definition.title, plugin)
        self._owner(plugin)
        wishes: _List[tuple[Owner, int]] = []

        def wish(_: object) -> None:
            owner = self._owner(plugin)
            wishes.append((owner, owner.wish(on=on)))

        await self._following.edit(lambda file: _enabled(file, plugin, on=on), wish)
        ((owner, number),) = wishes
        return await owner.fulfilled(number)

    async def _awaited(self, plugin: str) -> Owner:
        known = self._hub.owners.get(plugin)
        if known is not None and known.wanted:
            return known
        await self.load()
        owner = self._owner(plugin)
        if not owner.wanted and owner.definition.enabled:
            await self._started([owner])
            self._following.awake()
        return owner

    async def _connection(self, plugin: str) -> Connection:
        owner = await self._awaited(plugin)
        return await owner.ready(owner.definition.call_timeout)


def _enabled(file: PluginsFile, plugin: str, *, on: bool) -> None:
    known = file.read().get(plugin)
    if known is None or known.enabled != on:
        file.change(plugin, enabled=on)
