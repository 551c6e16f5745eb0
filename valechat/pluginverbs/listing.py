"""`list`, `status`, `tools`, `logs`, `approvals`, `schema`, `check`, `reload`: what there is."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from valechat import plugins
from valechat.errors import PluginError
from valechat.plaintext import plain
from valechat.plugins.base import PluginInfo, PluginTool, Problem
from valechat.plugins.config import Definition
from valechat.plugins.file import PluginsFile
from valechat.pluginverbs.blocks import Block, Code, Note, Outcome, Said, Table
from valechat.pluginverbs.desk import Desk
from valechat.pluginverbs.masked import masked, summary

__all__ = [
    "SCHEMA",
    "check",
    "known",
    "list_plugins",
    "logs",
    "reload",
    "schema",
    "shown_state",
    "status",
    "tools",
    "trouble",
]

SCHEMA = Path(plugins.__file__).with_name("data") / "mcp_plugins.schema.json"

LONGEST = 100
"""Characters of a description in a table."""


async def list_plugins(_options: argparse.Namespace, desk: Desk) -> Outcome:
    """All plugins; in a command, what the file says, and nothing is started for it."""
    if desk.live:
        await desk.manager.load()
        infos = desk.manager.list()
        rows: list[list[Any]] = [
            [i.id, i.name, shown_state(i), len(i.tools) or None, _tokens(i), trouble(i.problem)] for i in infos
        ]
    else:
        found = desk.file.read()
        rows = [
            [one.id, one.title, "enabled" if one.enabled else "disabled", None, None, summary(one)]
            for one in found.values()
        ]
        infos = []
    if not rows:
        return Outcome([Said(f"There are no plugins yet. {desk.how('catalogue')} shows what can be added.")], [])
    columns = ["plugin", "name", "state", "tools", "tokens", "problem" if desk.live else "started as"]
    value = infos if desk.live else [_row(one) for one in desk.file.read().values()]
    return Outcome([Table(columns, rows, right=(3, 4))], value)


async def status(options: argparse.Namespace, desk: Desk) -> Outcome:
    """One plugin in full, or how many are in which state."""
    if options.id is None:
        return await list_plugins(options, desk)
    if desk.live:
        await desk.manager.load()
    definition = desk.manager.definition(options.id) if desk.live else known(desk, options.id)
    entry = json.dumps(masked(definition), indent=2, ensure_ascii=False)
    if not desk.live:
        return Outcome([Code(entry)], _row(definition))
    info = desk.manager.status(options.id)
    rows = [["state", shown_state(info)], ["transport", info.transport]]
    rows += [[name, text] for name, text in _facts(info) if text]
    blocks: list[Block] = [Table(["", info.name], rows), Code(entry)]
    return Outcome(blocks, info)


async def tools(options: argparse.Namespace, desk: Desk) -> Outcome:
    """The tools of one plugin, which is started for it, or of all that run."""
    if options.id is None and desk.live:
        await desk.manager.load()
        found = desk.manager.tools()
        if not found:
            return Outcome([Said(f"No plugin runs. {desk.how('tools ID')} starts one and shows its tools.")], [])
        return Outcome([_tool_table(found, with_plugin=True)], found)
    if options.id is None:
        return Outcome([Said(f"Of which plugin? {desk.how('list')} shows them.")], failed=True)
    async with desk.running(options.id) as info:
        if not info.tools:
            return Outcome([Said(f"{info.name} offers no tools.")], [])
        tokens = sum(tool.tokens for tool in info.tools if tool.offered)
        note = Note(f"They add about {tokens:,} tokens to each request that offers them.")
        return Outcome([_tool_table(info.tools, with_plugin=False), note], list(info.tools))


async def logs(options: argparse.Namespace, desk: Desk) -> Outcome:
    """The end of a log. A command has no running server, so it starts one to see what it says."""
    if not desk.live:
        known(desk, options.id)
        try:
            await desk.manager.ensure([options.id])
            lines = desk.manager.logs(options.id)
        finally:
            await desk.manager.shutdown()
    else:
        await desk.manager.load()
        lines = desk.manager.logs(options.id)
    if not lines:
        return Outcome([Said("The log is empty.")], [])
    text = "\n".join(
        f"{line.at.astimezone():%H:%M:%S}  {line.source:8}  {plain(line.text)}"
        for line in lines[-max(options.lines, 1) :]
    )
    return Outcome([Code(text)], lines)


async def schema(_options: argparse.Namespace, _desk: Desk) -> Outcome:
    """The schema that editors check the file with."""
    text = SCHEMA.read_text(encoding="utf-8")
    return Outcome([Code(text)], json.loads(text))


async def check(options: argparse.Namespace, desk: Desk) -> Outcome:
    """Whether a file can be used, and what in it is doubtful.

    Raises:
        ConfigError: It cannot; says where and why.
    """
    path = Path(options.file) if options.file else desk.path
    file = PluginsFile(path)
    found = file.read()
    if not found and not file.problems and not path.exists():
        return Outcome([Said(f"{path} does not exist yet; adding a plugin creates it.")], [])
    blocks: list[Block] = [
        Said(f"{path}{f', line {problem.line}' if problem.line else ''}: {problem}") for problem in file.problems
    ]
    count = "1 plugin" if len(found) == 1 else f"{len(found)} plugins"
    blocks.append(Said(f"{path}: {count} can be used." if blocks else f"{path} is valid: {count}."))
    return Outcome([*blocks, *map(Note, file.warnings)], list(found), failed=bool(file.problems))


async def reload(_options: argparse.Namespace, desk: Desk) -> Outcome:
    """Read the file again; only what changed restarts."""
    if not desk.live:
        desk.file.read()
        return Outcome([Said(f"{desk.path} is valid. Kernels that run read it by themselves.")])
    await desk.manager.reload()
    return Outcome([Said(f"{desk.path} was read again.")], desk.manager.list())


def known(desk: Desk, plugin: str) -> Definition:
    """A definition by its id.

    Raises:
        PluginError: There is no plugin of that id.
    """
    found = desk.file.read()
    if plugin not in found:
        names = ", ".join(found) or "none yet"
        raise PluginError(f"There is no plugin {plugin!r}.", fix=f"There are: {names}.")
    return found[plugin]


def shown_state(info: PluginInfo) -> str:
    """A plugin's state in words."""
    if info.state == "stopped":
        return "stopped" if info.enabled else "disabled"
    return info.state


def trouble(problem: Problem | None) -> str:
    """What is wrong, what to do, and when it is tried again; empty where nothing is."""
    if problem is None:
        return ""
    retry = ""
    if problem.retry_at is not None:
        seconds = max(0, round((problem.retry_at - datetime.now(UTC)).total_seconds()))
        retry = f"Retrying, attempt {problem.attempt + 1} of {problem.most} in {seconds} s."
    return " ".join(part for part in (problem.message, retry or problem.fix) if part)


def _facts(info: PluginInfo) -> list[tuple[str, str]]:
    offered = [tool for tool in info.tools if tool.offered]
    tokens = sum(tool.tokens for tool in offered)
    sandbox = ", ".join(f"{subject} {level}" for subject, level in info.sandbox.items())
    counted = f"{len(offered)} of {len(info.tools)} offered, {tokens:,} tokens per request" if info.tools else ""
    return [
        ("tools", counted),
        ("server", info.server),
        ("protocol", info.protocol),
        ("process", "" if info.pid is None else str(info.pid)),
        ("since", "" if info.started_at is None else f"{info.started_at.astimezone():%Y-%m-%d %H:%M:%S}"),
        ("sandbox", sandbox),
        ("problem", trouble(info.problem)),
    ]


def _tool_table(found: list[PluginTool] | tuple[PluginTool, ...], *, with_plugin: bool) -> Table:
    rows = [
        [
            *([tool.plugin] if with_plugin else []),
            tool.name,
            "problem" if tool.problem else "on" if tool.enabled else "off",
            tool.tokens,
            _short(tool.problem or tool.description or tool.title),
        ]
        for tool in found
    ]
    columns = [*(["plugin"] if with_plugin else []), "tool", "", "tokens", "what it does"]
    return Table(columns, rows, right=(len(columns) - 2,))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _tokens(info: PluginInfo) -> int | None:
    return sum(tool.tokens for tool in info.tools if tool.offered) or None


def _row(definition: Definition) -> dict[str, Any]:
    return {**masked(definition), "enabled": definition.enabled, "transport": definition.transport}
