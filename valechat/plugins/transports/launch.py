"""From a definition to what is started: its program found, its package installed, its confinement prepared."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

from valechat.errors import ConfigError, InvalidPlugin
from valechat.plugins.base import Need
from valechat.plugins.config import LocalServer
from valechat.plugins.permitting import host_entry
from valechat.plugins.transports.base import Context
from valechat.plugins.transports.packages import installed, named
from valechat.plugins.transports.programs import find_program
from valechat.sandbox import bubblewrap, cgroup
from valechat.sandbox.base import Command, Permissions, Prepared, prepare
from valechat.sandbox.confine import NotEnforceable, asked, confine
from valechat.sandbox.environment import minimal_environment
from valechat.sandbox.hostproxy import host_proxy

__all__ = ["launched"]


@asynccontextmanager
async def launched(definition: LocalServer, context: Context) -> AsyncIterator[Prepared]:
    """What to start for a definition. Leaving takes away what was made for it: temporary files, a way out.

    Raises:
        InvalidPlugin: The program or the folder does not exist, or a permission cannot be enforced here.
        PluginError: Its package could not be installed.
    """
    command = _command(definition)
    permissions = definition.permissions
    if permissions is None:
        yield prepare(command, None)
        return
    async with AsyncExitStack() as made:
        # A short path: the name of a socket file may have 107 bytes.
        temporary = Path(made.enter_context(tempfile.TemporaryDirectory(prefix="vc-", ignore_cleanup_errors=True)))
        with _of_plugin(definition.id, context):
            if {"files", "network"} & set(asked(permissions)):
                command = await _unpacked(definition, command, context)
            proxy = None
            hosts = permissions.network_access
            if isinstance(hosts, list) and not await asyncio.to_thread(bubblewrap.unavailable):
                proxy = temporary / "proxy"
                await made.enter_async_context(host_proxy(proxy, hosts, lambda host: _refused(context, host)))
            prepared = await asyncio.to_thread(
                confine,
                command,
                permissions,
                temporary=temporary,
                proxy=proxy,
                allow_degraded=definition.allow_degraded,
            )
        yield await _grouped(prepared, permissions, made)


async def _grouped(prepared: Prepared, permissions: Permissions, made: AsyncExitStack) -> Prepared:
    """In a control group with its limits, where one can be made."""
    subjects = cgroup.held(permissions, prepared.report)
    within = await asyncio.to_thread(cgroup.place) if subjects else None
    if within is None:
        return prepared
    try:
        folder = await asyncio.to_thread(cgroup.make, within, cgroup.limits_of(permissions))
    except OSError:  # the tree changed meanwhile: a watchdog sees to it
        return prepared
    made.push_async_callback(asyncio.to_thread, cgroup.remove, folder)
    report = dict(prepared.report)
    for subject in subjects:
        report[subject] = "enforced"
    return replace(prepared, group=str(folder), report=report)


def _command(definition: LocalServer) -> Command:
    cwd = Path(definition.cwd or ".").expanduser().absolute()
    if not cwd.is_dir():
        raise InvalidPlugin(
            f"{definition.id}: its folder {cwd} does not exist.",
            plugin=definition.id,
            fix="Create it, or correct cwd.",
        )
    program, path = find_program(definition.command, plugin=definition.id, env=definition.env, cwd=str(cwd))
    return Command((program, *definition.args), definition.env, str(cwd), path)


async def _unpacked(definition: LocalServer, command: Command, context: Context) -> Command:
    """The same server from where its package is installed, where its command would fetch it."""
    package = named(definition.command, definition.args)
    if package is None:
        return command
    environment = minimal_environment() | ({"PATH": command.path} if command.path else {})
    folder = context.paths.data / "servers"
    argv, place = await installed(package, folder, environment, lambda said: context.log("valechat", "info", said))
    return Command(argv, command.env, command.cwd, command.path, (str(place),))


def _refused(context: Context, host: str) -> None:
    said = f"The server asked for {host}, which is not among the hosts it may reach (`network_access`)."
    context.log("valechat", "warning", said)
    with contextlib.suppress(ConfigError):  # a pattern, or something in this machine's network
        context.needs(Need("network_access", host_entry(host), "sandbox"))


@contextmanager
def _of_plugin(plugin: str, context: Context) -> Iterator[None]:
    """Says which plugin an error is about."""
    try:
        yield
    except InvalidPlugin:
        raise
    except NotEnforceable as error:
        context.needs(Need("allow_degraded", "", "sandbox"))
        raise InvalidPlugin(f"{plugin}: {error.message}", plugin=plugin, fix=error.fix) from error
    except ConfigError as error:
        raise InvalidPlugin(f"{plugin}: {error.message}", plugin=plugin, fix=error.fix) from error
