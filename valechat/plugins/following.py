"""The manager's view of `mcp_plugins.json`, which other kernels and editors change, too."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from valechat.errors import ConfigError, InvalidPlugin
from valechat.plugins.backoff import Clock
from valechat.plugins.base import PluginFailed, PluginSet
from valechat.plugins.hub import Hub
from valechat.plugins.owner import Owner

if TYPE_CHECKING:
    from valechat.plugins.definition import Definition
    from valechat.plugins.file import PluginsFile

__all__ = ["Following"]

_log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
WRITING_SECONDS = 0.3
"""An editor that does not replace a file at once leaves it empty, half written or away for so long."""

T = TypeVar("T")


class Following:
    """Keeps the owners as the file has them, and the file as the manager changes it.

    Attributes:
        problem: Why the file could not be read the last time; None when it could.
        read: Whether it ever could.
        starting: Whether plugins that are enabled in the file are to be started.
    """

    def __init__(self, file: PluginsFile, hub: Hub, clock: Clock) -> None:
        self.problem: ConfigError | None = None
        self.read = False
        self.starting = False
        self._file = file
        self._hub = hub
        self._clock = clock
        self._lock = asyncio.Lock()
        self._told: set[str] = set()
        self._polling: asyncio.Task[None] | None = None

    @property
    def entry_problems(self) -> tuple[InvalidPlugin, ...]:
        """The entries of the file that cannot be used."""
        return self._file.problems

    async def fresh(self) -> None:
        """Take in the file if it is another than before; a broken one is told of and changes nothing."""
        async with self._lock:
            if await asyncio.to_thread(self._file.changed):
                with contextlib.suppress(ConfigError):
                    await self._take_in()

    async def reload(self) -> None:
        """Take in the file.

        Raises:
            ConfigError: It is broken; nothing is changed then.
        """
        async with self._lock:
            await self._take_in()

    async def edit(self, change: Callable[[PluginsFile], T], then: Callable[[T], None] | None = None) -> T:
        """Change the file and take it in; `then` runs before anybody else's change.

        Raises:
            ConfigError: It cannot be changed so.
        """
        async with self._lock:
            result = await asyncio.to_thread(change, self._file)
            await self._take_in()
            if then is not None:
                then(result)
            return result

    def awake(self) -> None:
        """Look at the file each second, for as long as plugins run or somebody watches."""
        if self._polling is None:
            self._polling = asyncio.get_running_loop().create_task(self._poll())

    async def close(self) -> None:
        """Look no more."""
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)
            self._polling = None

    async def _poll(self) -> None:
        try:
            while self.starting or self._hub.watched or any(owner.wanted for owner in self._hub.owners.values()):
                await self._clock.sleep(POLL_SECONDS)
                try:
                    if await asyncio.to_thread(self._file.changed):
                        async with self._lock:
                            await self._settled()
                except RuntimeError:  # Python ends: no thread is to be had any more
                    return
                except Exception:  # noqa: BLE001 - one bad second must not end the following
                    _log.exception("The plugins' file could not be followed")
        finally:
            self._polling = None

    async def _settled(self) -> None:
        """Take in the file that somebody else changed, once it is likely that they are done."""
        with contextlib.suppress(ConfigError):
            if not await asyncio.to_thread(self._whole):
                await self._clock.sleep(WRITING_SECONDS)
            await self._take_in()

    def _whole(self) -> bool:
        try:
            return bool(self._file.read())
        except ConfigError:
            return False

    async def _take_in(self) -> None:
        try:
            definitions = await asyncio.to_thread(self._file.read)
        except ConfigError as error:
            self.problem = error
            self._tell("", error)
            raise
        self.problem, self.read = None, True
        entries = self.entry_problems
        self._told &= {str(entry) for entry in entries}
        for entry in entries:
            self._tell(entry.plugin, entry)
        self._apply(definitions, {entry.plugin for entry in entries})

    def _tell(self, plugin: str, error: ConfigError) -> None:
        if str(error) not in self._told:
            self._told.add(str(error))
            self._hub.tell(PluginFailed(plugin, error))

    def _apply(self, definitions: dict[str, Definition], broken: set[str]) -> None:
        """Make the owners what the file says; an entry that is broken now stays as it was."""
        owners = self._hub.owners
        gone = [plugin for plugin in owners if plugin not in definitions and plugin not in broken]
        new = [plugin for plugin in definitions if plugin not in owners]
        for plugin in gone:
            self._hub.leave(plugin)
        for plugin, definition in definitions.items():
            if plugin in owners:
                self._change(owners[plugin], definition)
            else:
                owners[plugin] = Owner(definition, self._hub, self._clock)
                if self.starting and definition.enabled:
                    owners[plugin].wish(on=True)
        order = [*definitions, *(plugin for plugin in owners if plugin not in definitions)]
        self._hub.owners.update({plugin: owners.pop(plugin) for plugin in order})
        if gone or new:
            self._hub.tell(PluginSet(tuple(owner.info() for owner in owners.values())))

    def _change(self, owner: Owner, definition: Definition) -> None:
        before, owner.definition = owner.definition, definition
        if before.restart_key != definition.restart_key:
            owner.needs.clear()
        if owner.connection is not None:
            owner.connection.title = definition.title
            owner.connection.call_timeout = definition.call_timeout
        if before.enabled and not definition.enabled:
            owner.wish(on=False)
        elif definition.enabled and not before.enabled and (self.starting or owner.used):
            owner.wish(on=True)
        elif owner.wanted and before.restart_key != definition.restart_key:
            owner.wish(on=True, anew=True)
        if before.tools_off != definition.tools_off:
            self._hub.listed(owner)
        elif (before.title, before.description, before.enabled) != (
            definition.title,
            definition.description,
            definition.enabled,
        ):
            self._hub.tell(PluginSet(tuple(other.info() for other in self._hub.owners.values())))
