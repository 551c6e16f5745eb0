"""`grant` and `revoke`: what a confined plugin's server may do."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from typing import Any

from valechat.plugins.base import PluginInfo
from valechat.plugins.definition import Definition
from valechat.plugins.permitting import narrowed, widened
from valechat.pluginverbs.blocks import Block, Note, Outcome, Said
from valechat.pluginverbs.desk import Desk
from valechat.pluginverbs.listing import known

__all__ = ["grant", "revoke"]


async def grant(options: argparse.Namespace, desk: Desk) -> Outcome:
    """Let it do one thing more, for good.

    Raises:
        ConfigError: It cannot be granted, or may be done already.
    """
    return await _changed(options, desk, desk.manager.permits.grant, widened)


async def revoke(options: argparse.Namespace, desk: Desk) -> Outcome:
    """Take a permission back; the value is as it stands in the file.

    Raises:
        ConfigError: It has no such permission.
    """
    return await _changed(options, desk, desk.manager.permits.revoke, narrowed)


async def _changed(
    options: argparse.Namespace,
    desk: Desk,
    live: Callable[[str, Any, str], Awaitable[PluginInfo]],
    change: Callable[[Definition, Any, str], dict[str, Any]],
) -> Outcome:
    known(desk, options.id)
    if not desk.live:
        desk.file.change(options.id, **change(known(desk, options.id), options.permit, options.value))
        return Outcome([Said(_done(options)), Note("Kernels that run it restart it with that.")])
    info = await live(options.id, options.permit, options.value)
    said: list[Block] = [Said(_done(options))]
    if info.problem is not None:
        said.append(Note(" ".join(filter(None, [info.problem.message, info.problem.fix]))))
    return Outcome(said, info)


def _done(options: argparse.Namespace) -> str:
    what = f"{options.permit} {options.value}".rstrip()
    if options.verb == "grant":
        return f"{options.id} has {what} from now on."
    return f"{options.id} no longer has {what}."
