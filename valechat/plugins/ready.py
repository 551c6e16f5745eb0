"""Getting the plugins of a conversation to run before its model is asked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection

from valechat.errors import ConfigError, PluginError
from valechat.plugins.base import PluginInfo
from valechat.plugins.offered import Chosen, Plugins, named_plugins

__all__ = ["chosen_plugins", "ready", "to_start"]

PATIENCE = 5.0
"""Seconds a question waits for plugins that nobody named; the tools of a slower one come in a later round."""

_COMING = ("starting", "initialising")
_NOT_YET = ("stopped", *_COMING)


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


async def to_start(plugins: Plugins, chosen: Chosen) -> list[str]:
    """The named plugins that a question will wait for, as people call them."""
    await plugins.load()
    named = named_plugins(chosen)
    return [info.name or info.id for info in plugins.list() if info.id in named and info.state in _NOT_YET]


async def ready(plugins: Plugins, chosen: Chosen) -> dict[str, str]:
    """Start what is chosen. What is named is waited for; all that are enabled only for a moment.

    Returns:
        What the user should know of those that do not run, or lack a chosen tool, by their ids.

    Raises:
        ConfigError: A named plugin is not there.
    """
    if chosen == "enabled":
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await plugins.initialise()
        return {info.id: note for info in plugins.list() if info.enabled and (note := _note(info))}
    named = named_plugins(chosen)
    try:
        await plugins.ensure(list(named))
    except PluginError as error:
        raise ConfigError(error.message, fix=error.fix) from error
    return {
        info.id: note for info in plugins.list() if info.id in named and (note := _note(info, named[info.id] or ()))
    }


def _note(info: PluginInfo, wanted: Collection[str] = ()) -> str:
    title = info.name or info.id
    lacking = sorted(set(wanted) - {tool.name for tool in info.tools})
    if info.state in _COMING:
        return f"{title} is still starting; its tools come as soon as it runs."
    if info.state == "running":
        return f"{title} has no tool {', '.join(lacking)}." if lacking else ""
    if info.problem is None:
        return f"{title} does not run, so its tools are not offered."
    return f"{title} does not run: {info.problem.message} {info.problem.fix}".rstrip()
