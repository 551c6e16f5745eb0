"""MCP servers, as plugins: `valechat.plugins.enable("git")`, `valechat.plugins.list()` and so on.

Each function waits until it is done; an interrupt cancels it. What it gives back may be awaited as well, so
`await valechat.plugins.enable("git")` is the same in a cell. Code on ValeChat's own thread awaits the methods of
`valechat.services.services().plugins` instead.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from valechat.plugins.base import Answer, Permit, PluginInfo, Progress, Watcher
from valechat.plugins.tables import Logs, Plugins, Prompts, Resources, Tools

if TYPE_CHECKING:
    from pathlib import Path

    from valechat.messages import Message, ToolResultPart
    from valechat.plugins.approvals import Approvals, Permission
    from valechat.plugins.base import Content
    from valechat.plugins.definition import Definition
    from valechat.plugins.manager import Manager

__all__ = [
    "add",
    "allow",
    "call_tool",
    "change",
    "deny",
    "disable",
    "enable",
    "forget",
    "grant",
    "initialise",
    "kept",
    "list",
    "list_prompts",
    "list_resources",
    "logs",
    "permissions",
    "prompt",
    "read_resource",
    "reload",
    "remove",
    "restart",
    "revoke",
    "save",
    "shutdown",
    "status",
    "switch_tool",
    "tools",
    "watch",
]

T = TypeVar("T")


def initialise() -> Plugins:
    """Start all enabled plugins at once, and follow `mcp_plugins.json` from then on."""
    return _after("initialise", lambda manager: manager.initialise())


def enable(plugin: str) -> PluginInfo:
    """Start a plugin, now and whenever the others are started; in other kernels, too.

    What is given back says whether it runs, and otherwise why not and what to do.

    Raises:
        PluginError: There is none of that id.
        ConfigError: The file cannot be read or written.
    """
    return _waited("enable", lambda manager: manager.enable(plugin))


def disable(plugin: str) -> PluginInfo:
    """Stop a plugin, whatever it is doing; in other kernels, too. Raises as `enable` does."""
    return _waited("disable", lambda manager: manager.disable(plugin))


def restart(plugin: str) -> PluginInfo:
    """Stop a plugin if it runs, and start it.

    Raises:
        PluginError: There is none of that id.
    """
    return _waited("restart", lambda manager: manager.restart(plugin))


def add(definition: Mapping[str, Any] | Definition | None = None, /, **fields: Any) -> PluginInfo:
    """Write a plugin into the file, and start it unless it says `enabled: false`.

    Args:
        definition: As in the file: `{"id": "git", "command": "uvx", "args": ["mcp-server-git"]}`.
        fields: The same by keywords: `add(id="git", command="uvx", args=["mcp-server-git"])`.

    Raises:
        ConfigError: It cannot be used, its id is taken, or the file cannot be written.
    """
    entry = fields if definition is None else definition
    if isinstance(entry, Mapping):
        entry = {**entry, **fields}
    return _waited("add", lambda manager: manager.add(entry))


def remove(plugin: str) -> Plugins:
    """Stop a plugin and take it out of the file; gives the others.

    Raises:
        ConfigError: There is none of that id, or the file cannot be written.
    """
    return _after("remove", lambda manager: manager.remove(plugin))


def change(plugin: str, **fields: Any) -> PluginInfo:
    """Change fields of a plugin's definition; None takes one away. It restarts if that is needed.

    Raises:
        ConfigError: It could not be used then, there is none of that id, or the file cannot be written.
    """
    return _waited("change", lambda manager: manager.change(plugin, **fields))


def grant(plugin: str, permission: Permit, value: str = "") -> PluginInfo:
    """Let a confined plugin do one thing more, for good; it restarts: `grant("files", "file_read", "/data")`.

    Args:
        plugin: Its id.
        permission: Which of its `permissions`, or `allow_degraded`.
        value: A path, a host or a variable's name; empty for all of the network and for `allow_degraded`.

    Raises:
        ConfigError: It cannot be granted, or may be done already, or the file cannot be written.
    """
    return _waited("grant", lambda manager: manager.permits.grant(plugin, permission, value))


def revoke(plugin: str, permission: Permit, value: str = "") -> PluginInfo:
    """Take a permission back; `value` is as it stands in the file, or the folder.

    Raises:
        ConfigError: It has no such permission, or the file cannot be written.
    """
    return _waited("revoke", lambda manager: manager.permits.revoke(plugin, permission, value))


def switch_tool(plugin: str, tool: str, *, on: bool) -> Plugins:
    """Offer one of a plugin's tools to models, or not; raises as `change` does."""
    return _after("switch_tool", lambda manager: manager.switch_tool(plugin, tool, on))


def status(plugin: str) -> PluginInfo:
    """A plugin as it stands now.

    Raises:
        PluginError: There is none of that id.
    """

    async def found(manager: Manager) -> PluginInfo:
        await manager.load()
        return manager.status(plugin)

    return _waited("status", found)


def list() -> Plugins:  # noqa: A001 - the verb that every manager of things has
    """All plugins, in the order of the file. Starts nothing.

    Raises:
        ConfigError: The file is broken and nothing is known of it.
    """
    return _after("list", lambda manager: manager.load())


def reload() -> Plugins:
    """Take in the file now: restart what changed, start what is new and enabled, stop what is gone.

    Raises:
        ConfigError: The file is broken; names the line. Nothing is changed then.
    """
    return _after("reload", lambda manager: manager.reload())


def save() -> Plugins:
    """Write into the file what is known here and has gone from it. Each change is saved as it is made.

    Raises:
        ConfigError: The file cannot be written.
    """
    return _after("save", lambda manager: manager.save())


def shutdown() -> Plugins:
    """Stop all plugins of this kernel; the file stays as it is."""
    return _after("shutdown", lambda manager: manager.shutdown())


def tools(plugin: str | None = None) -> Tools:
    """The tools of all enabled plugins, or of one; those that do not run yet are started.

    Raises:
        PluginError: There is no plugin of that id.
    """

    async def found(manager: Manager) -> Tools:
        await (manager.initialise() if plugin is None else manager.ensure([plugin]))
        return Tools(tool for tool in manager.tools() if plugin in (None, tool.plugin))

    return _waited("tools", found)


def call_tool(
    plugin: str,
    tool: str,
    arguments: Mapping[str, Any] | None = None,
    /,
    *,
    timeout: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    **named: Any,
) -> Answer:
    """Call a tool: `call_tool("fs", "read_file", path="notes.md")`. Nobody is asked whether it may.

    Args:
        plugin: The plugin's id; one that is enabled and does not run yet is started.
        tool: The server's own name of the tool.
        arguments: Its arguments.
        timeout: Seconds without a sign of life; None is the plugin's `call_timeout`.
        on_progress: Told how far it is, on ValeChat's own thread.
        named: Arguments by keyword, where their names are no options of this function.

    Raises:
        ToolFailed: It took too long.
        PluginError: The plugin does not run or ended meanwhile, has no such tool, or refused the call.
    """
    given = {**(arguments or {}), **named}

    def called(manager: Manager) -> Coroutine[Any, Any, Answer]:
        from valechat.plugins.byhand import call_by_hand
        from valechat.services import services

        return call_by_hand(manager, services().ledger, plugin, tool, given, timeout=timeout, on_progress=on_progress)

    return _waited("call_tool", called)


def list_resources(plugin: str) -> Resources:
    """What a plugin can be read from.

    Raises:
        PluginError: It does not run, or refused.
    """

    async def found(manager: Manager) -> Resources:
        return Resources(await manager.resources(plugin))

    return _waited("list_resources", found)


def read_resource(plugin: str, uri: str) -> Sequence[Content]:
    """A resource's contents; raises as `list_resources` does."""
    return _waited("read_resource", lambda manager: manager.read_resource(plugin, uri))


def list_prompts(plugin: str) -> Prompts:
    """A plugin's prompts; raises as `list_resources` does."""

    async def found(manager: Manager) -> Prompts:
        return Prompts(await manager.prompts(plugin))

    return _waited("list_prompts", found)


def prompt(plugin: str, name: str, /, **arguments: str) -> Sequence[Message]:
    """A prompt's messages; raises as `list_resources` does."""
    return _waited("prompt", lambda manager: manager.prompt(plugin, name, arguments))


def logs(plugin: str) -> Logs:
    """The newest lines of a plugin's log, the oldest of them first.

    Raises:
        PluginError: There is none of that id.
    """

    async def found(manager: Manager) -> Logs:
        await manager.load()
        return Logs(manager.logs(plugin))

    return _waited("logs", found)


def allow(plugin: str, tool: str | None = None) -> None:
    """Let models call a tool, or all of a plugin that are not denied by name, without a question; in all kernels.

    Raises:
        ConfigError: `approvals.json` cannot be written.
    """
    _approvals().allow(plugin, tool)


def deny(plugin: str, tool: str | None = None) -> None:
    """Never let models call a tool, or any of a plugin that is not allowed by name; raises as `allow` does."""
    _approvals().deny(plugin, tool)


def forget(plugin: str, tool: str | None = None) -> None:
    """Ask again before a tool is called, or any of a plugin; raises as `allow` does."""
    _approvals().forget(plugin, tool)


def permissions() -> Sequence[Permission]:
    """What is allowed and denied for good."""
    return _approvals().list()


def kept(result: ToolResultPart) -> Sequence[Path]:
    """The files of a tool's whole answer, where a model got a part of it; none when it got all, or they are gone."""
    from valechat.plugins.results import ResultStore
    from valechat.services import services

    return ResultStore(services().paths.tool_results).files(result.whole)


def watch(watcher: Watcher) -> Callable[[], None]:
    """Hear of what happens to plugins, on ValeChat's own thread; what is given back ends that."""
    return _manager().watch(watcher)


def _approvals() -> Approvals:
    from valechat.services import services

    return services().approvals


def _manager() -> Manager:
    from valechat.services import services

    return services().plugins


def _after(verb: str, work: Callable[[Manager], Coroutine[Any, Any, None]]) -> Plugins:
    """Do it, and give what there is then."""

    async def done(manager: Manager) -> Plugins:
        await work(manager)
        found = Plugins(manager.list())
        if not found and manager.problem is not None:
            raise manager.problem
        return found

    return _waited(verb, done)


def _waited(verb: str, work: Callable[[Manager], Coroutine[Any, Any, T]]) -> T:
    from valechat.engine import engine

    if engine().inside():
        raise RuntimeError(
            f"valechat.plugins.{verb} waits, so it cannot be called on ValeChat's own thread;"
            f" await services().plugins.{verb}(…) there."
        )
    return engine().run(work(_manager()))
