"""`enable`, `disable`, `restart`, `remove`, `tool`, and what is allowed: changes to plugins that are there."""

from __future__ import annotations

import argparse

from valechat.errors import PluginError
from valechat.functions import NOTEBOOK
from valechat.plugins.approvals import SAMPLING
from valechat.plugins.base import PluginInfo
from valechat.pluginverbs.blocks import Block, Note, Outcome, Said, Table
from valechat.pluginverbs.desk import Desk, failed
from valechat.pluginverbs.listing import known

__all__ = ["allow", "approvals", "deny", "disable", "enable", "forget", "good_news", "remove", "restart", "switch"]


async def enable(options: argparse.Namespace, desk: Desk) -> Outcome:
    """Start plugins now and from now on; a command notes it in the file, where running kernels see it."""
    if not desk.live:
        for plugin in options.ids:
            known(desk, plugin)
            desk.file.change(plugin, enabled=True)
        return Outcome([Said(f"{_listed(options.ids)} enabled. Kernels that run start it now.")])
    return _told([await desk.manager.enable(plugin) for plugin in options.ids])


async def disable(options: argparse.Namespace, desk: Desk) -> Outcome:
    """Stop plugins now and from now on."""
    for plugin in options.ids:
        if desk.live:
            await desk.manager.disable(plugin)
        else:
            known(desk, plugin)
            desk.file.change(plugin, enabled=False)
    return Outcome([Said(f"{_listed(options.ids)} disabled.")])


async def restart(options: argparse.Namespace, desk: Desk) -> Outcome:
    """Stop and start plugins. A command runs none of its own, so it tries whether they start."""
    if desk.live:
        return _told([await desk.manager.restart(plugin) for plugin in options.ids])
    for plugin in options.ids:
        known(desk, plugin)
    try:
        await desk.manager.ensure(options.ids)
        infos = [desk.manager.status(plugin) for plugin in options.ids]
    finally:
        await desk.manager.shutdown()
    outcome = _told(infos, verb="starts and offers")
    return Outcome([*outcome.blocks, Note("Each kernel runs servers of its own: `%valechat plugins restart ID`.")])


async def remove(options: argparse.Namespace, desk: Desk) -> Outcome:
    """Stop plugins and delete their entries."""
    for plugin in options.ids:
        if desk.live:
            await desk.manager.remove(plugin)
        else:
            known(desk, plugin)
            desk.file.remove(plugin)
    return Outcome([Said(f"{_listed(options.ids)} removed.")])


async def switch(options: argparse.Namespace, desk: Desk) -> Outcome:
    """Switch tools on or off for models.

    Raises:
        PluginError: There is no such plugin or, where that can be known, no such tool.
    """
    on = options.switch == "on"
    for tool in options.tools:
        if desk.live:
            await desk.manager.switch_tool(options.id, tool, on=on)
        else:
            off = known(desk, options.id).tools_off
            desk.file.change(options.id, tools_off=[name for name in off if name != tool] + ([] if on else [tool]))
    return Outcome([Said(f"{options.id}: {_listed(options.tools)} switched {options.switch}.")])


async def allow(options: argparse.Namespace, desk: Desk) -> Outcome:
    """Let models call a plugin's tools, or one, without asking."""
    await _checked(options, desk)
    desk.approvals.allow(options.id, options.tool)
    return Outcome([Said(f"{_which(options)} may be called without asking.")])


async def deny(options: argparse.Namespace, desk: Desk) -> Outcome:
    """Never let models call a plugin's tools, or one."""
    await _checked(options, desk)
    desk.approvals.deny(options.id, options.tool)
    return Outcome([Said(f"{_which(options)} may not be called by models.")])


async def forget(options: argparse.Namespace, desk: Desk) -> Outcome:
    """Ask again."""
    desk.approvals.forget(options.id, options.tool)
    return Outcome([Said(f"You are asked again before {_which(options).replace('Every', 'any')} is called.")])


async def approvals(_options: argparse.Namespace, desk: Desk) -> Outcome:
    """What is allowed or denied for good."""
    found = desk.approvals.list()
    if not found:
        return Outcome([Said("Nothing is remembered: you are asked before each call.")], found)
    rows = [
        [one.plugin, one.tool or "all tools", "allowed" if one.allowed else "denied", f"{one.at.astimezone():%Y-%m-%d}"]
        for one in found
    ]
    return Outcome([Table(["plugin", "tool", "", "since"], rows)], found)


def good_news(info: PluginInfo, verb: str = "runs and offers") -> str:
    """A plugin that runs, in a sentence."""
    tools = "1 tool" if len(info.tools) == 1 else f"{len(info.tools)} tools"
    return f"{info.id} {verb} {tools}."


def _told(infos: list[PluginInfo], verb: str = "runs and offers") -> Outcome:
    """What became of plugins that were started.

    Raises:
        PluginError: One does not run.
    """
    blocks: list[Block] = [Said(good_news(info, verb)) for info in infos if info.state == "running"]
    bad = [info for info in infos if info.state != "running"]
    if bad and not blocks:
        raise failed(bad[0])
    blocks += [Said(str(failed(info))) for info in bad]
    return Outcome(blocks, infos, failed=bool(bad))


async def _checked(options: argparse.Namespace, desk: Desk) -> None:
    """A permission for a name that nothing has would only look like one. Functions come and go with their notebook."""
    if options.id == NOTEBOOK:
        return
    if desk.live:
        await desk.manager.load()
        info = desk.manager.status(options.id)
        names = {tool.name for tool in info.tools}
        if options.tool and names and options.tool not in {*names, SAMPLING}:
            raise PluginError(f"{options.id} has no tool {options.tool!r}.", fix=f"It has {', '.join(sorted(names))}.")
    else:
        known(desk, options.id)


def _which(options: argparse.Namespace) -> str:
    return f"{options.tool} of {options.id}" if options.tool else f"Every tool of {options.id}"


def _listed(names: list[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"
