"""`signin` and `signout`: services that are signed in to in a browser."""

from __future__ import annotations

import argparse

from valechat.errors import PluginError
from valechat.plugins import oauth
from valechat.plugins.config import CloudService, OAuth
from valechat.pluginverbs.blocks import Outcome, Said
from valechat.pluginverbs.desk import Desk, failed

__all__ = ["is_signed_in", "sign_in", "sign_out", "signed_in", "signed_out"]


async def sign_in(options: argparse.Namespace, desk: Desk) -> Outcome:
    """Sign in now, in the browser."""
    try:
        await signed_in(desk, options.id)
    finally:
        if not desk.live:
            await desk.manager.shutdown()
    return Outcome([Said(f"You are signed in to {options.id}.")])


async def sign_out(options: argparse.Namespace, desk: Desk) -> Outcome:
    """Forget the sign-in."""
    if not await signed_out(desk, options.id):
        return Outcome([Said(f"No sign-in of {options.id} was kept.")])
    return Outcome([Said(f"The sign-in of {options.id} is forgotten, and it is disabled.")])


async def is_signed_in(desk: Desk, plugin: str) -> bool:
    """Whether the service lets the user in now."""
    return _signs_in(desk, plugin) and desk.manager.status(plugin).state == "running"


async def signed_in(desk: Desk, plugin: str) -> None:
    """Connect anew, which signs in where that is needed.

    Raises:
        PluginError: It is not signed in to, or the sign-in failed.
    """
    await desk.manager.load()
    _must_sign_in(desk, plugin)
    info = await desk.manager.restart(plugin)
    if info.state != "running":
        raise failed(info)


async def signed_out(desk: Desk, plugin: str) -> bool:
    """Forget the sign-in, and disable the plugin, which would ask for another; whether there was one.

    Raises:
        PluginError: It is not signed in to.
        KeyStorageError: The sign-in's storage is locked or damaged.
    """
    await desk.manager.load()
    _must_sign_in(desk, plugin)
    there = await oauth.sign_out(plugin, keys=desk.services.keys, paths=desk.services.paths)
    if there:
        await desk.manager.disable(plugin)
    return there


def _signs_in(desk: Desk, plugin: str) -> bool:
    definition = desk.manager.definition(plugin)
    return isinstance(definition, CloudService) and isinstance(definition.auth, OAuth)


def _must_sign_in(desk: Desk, plugin: str) -> None:
    if not _signs_in(desk, plugin):
        raise PluginError(
            f"{plugin} is not signed in to: its entry has no OAuth.",
            fix='Write "auth": {"type": "oauth"} into it, if the service asks for a sign-in.',
        )
