"""Where verbs are carried out: in a kernel, whose servers go on running, or in a command that ends."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from valechat.asking import Asker
from valechat.errors import PluginError
from valechat.plugins.approvals import Approvals
from valechat.plugins.base import PluginInfo
from valechat.plugins.file import PluginsFile
from valechat.plugins.manager import Manager
from valechat.services import Services

__all__ = ["Ask", "Desk", "failed"]


class Ask(Protocol):
    """Asks the user for a word; None where the user declines."""

    async def __call__(self, prompt: str, *, secret: bool) -> str | None:
        """Ask. A secret is not shown while it is typed."""
        ...


@dataclass(frozen=True)
class Desk:
    """What a verb works with. Used on the engine's loop.

    Attributes:
        services: The user's.
        live: Servers that are started here go on running.
        ask: How the user is asked for a missing word; None where nobody is there, and nothing waits.
        asker: Who answers a server's questions meanwhile; None for the process's own.
        progress: Told how a long call goes.
        read_input: Gives what was piped in.
    """

    services: Services
    live: bool
    ask: Ask | None = None
    asker: Asker | None = None
    progress: Callable[[str], None] = lambda _text: None
    read_input: Callable[[], str] = lambda: ""

    @property
    def manager(self) -> Manager:
        """The manager of this process's plugins."""
        return self.services.plugins

    @property
    def approvals(self) -> Approvals:
        """What the user allowed or denied for good."""
        return self.services.approvals

    @cached_property
    def file(self) -> PluginsFile:
        """The file, for what the manager need not know of."""
        return PluginsFile(self.path)

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self.services.paths.plugins_file

    def how(self, words: str) -> str:
        """How the user writes a verb here."""
        return f"`%valechat plugins {words}`" if self.live else f"valechat plugins {words}"

    @contextlib.asynccontextmanager
    async def running(self, plugin: str) -> AsyncIterator[PluginInfo]:
        """A plugin that runs; in a command it is stopped in the end.

        Raises:
            PluginError: It does not start; says why and what to do.
        """
        try:
            await self.manager.ensure([plugin])
            info = self.manager.status(plugin)
            if info.state != "running":
                raise failed(info)
            yield info
        finally:
            if not self.live:
                await self.manager.shutdown()


def failed(info: PluginInfo) -> PluginError:
    """The error of a plugin that does not run."""
    problem = info.problem
    if problem is None:
        return PluginError(f"{info.id} does not run: it is {info.state}.")
    return PluginError(problem.message, fix=problem.fix)
