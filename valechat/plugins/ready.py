"""Getting the plugins of a conversation to run before its model is asked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from valechat.errors import ConfigError
from valechat.plugins.base import PluginInfo
from valechat.plugins.offered import Chosen, Plugins

__all__ = ["chosen_plugins", "ready", "to_start"]

PATIENCE = 5.0
"""Seconds a question waits for plugins that nobody named; the tools of a slower one come in a later round."""

_COMING = ("starting", "initialising")


def chosen_plugins(chosen: Chosen) -> Chosen:
    """What was given as `plugins`, checked.

    Raises:
        ConfigError: It is text other than `enabled`.
    """
    if isinstance(chosen, str):
        if chosen != "enabled":
            raise ConfigError(
                f"plugins={chosen!r} is neither a list of plugins nor 'enabled'.", fix=f"Write plugins=[{chosen!r}]."
            )
        return "enabled"
    return tuple(dict.fromkeys(chosen))


def to_start(plugins: Plugins, chosen: Chosen) -> list[str]:
    """The named plugins that do not run, as people call them."""
    named = () if chosen == "enabled" else chosen
    return [info.name or info.id for info in plugins.list() if info.id in named and info.state != "running"]


async def ready(plugins: Plugins, chosen: Chosen) -> list[str]:
    """Start what is named and wait for it; of the enabled ones, wait a moment for those on their way.

    Returns:
        What the user should know: which do not run, and what to do.

    Raises:
        ConfigError: A named plugin is not there.
    """
    await plugins.initialise()
    infos = {info.id: info for info in plugins.list()}
    if chosen == "enabled":
        coming = [plugin for plugin, info in infos.items() if info.enabled and info.state in _COMING]
        if coming:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await plugins.ensure(coming)
        wanted: Sequence[str] = [plugin for plugin, info in infos.items() if info.enabled]
    else:
        missing = [plugin for plugin in chosen if plugin not in infos]
        if missing:
            raise ConfigError(
                f"There is no plugin named {', '.join(map(repr, missing))}.",
                fix=f"There are: {', '.join(sorted(infos))}." if infos else "Add one with `valechat.plugins.add(…)`.",
            )
        await plugins.ensure(list(chosen))
        wanted = chosen
    now = {info.id: info for info in plugins.list()}
    return [note for plugin in wanted if plugin in now and (note := _note(now[plugin]))]


def _note(info: PluginInfo) -> str:
    title = info.name or info.id
    if info.state in _COMING:
        return f"{title} is still starting; its tools come as soon as it runs."
    if info.state == "running":
        return ""
    if info.problem is None:
        return f"{title} does not run, so its tools are not offered."
    return f"{title} does not run: {info.problem.message} {info.problem.fix}".rstrip()
