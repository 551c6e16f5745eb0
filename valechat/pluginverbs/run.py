"""Each verb's function."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable

from valechat.pluginverbs import adding, calling, changing, choosing, listing, permitting, signing
from valechat.pluginverbs.blocks import Outcome
from valechat.pluginverbs.desk import Desk

__all__ = ["run"]

_RUN: dict[str, Callable[[argparse.Namespace, Desk], Awaitable[Outcome]]] = {
    "list": listing.list_plugins,
    "status": listing.status,
    "enable": changing.enable,
    "disable": changing.disable,
    "restart": changing.restart,
    "add": adding.add,
    "remove": changing.remove,
    "reload": listing.reload,
    "tools": listing.tools,
    "tool": changing.switch,
    "call": calling.call,
    "logs": listing.logs,
    "import": adding.import_servers,
    "catalogue": choosing.catalogue,
    "search": choosing.search,
    "updates": choosing.updates,
    "allow": changing.allow,
    "deny": changing.deny,
    "approvals": changing.approvals,
    "forget": changing.forget,
    "grant": permitting.grant,
    "revoke": permitting.revoke,
    "signin": signing.sign_in,
    "signout": signing.sign_out,
    "schema": listing.schema,
    "check": listing.check,
}


async def run(options: argparse.Namespace, desk: Desk) -> Outcome:
    """Carry out the verb that was parsed; none lists the plugins.

    Raises:
        ValeChatError: It could not be done; says what to do.
    """
    return await _RUN[options.verb or "list"](options, desk)
