"""`add` and `import`: plugins from words, JSON, the catalogue, or other programs."""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from valechat.errors import ConfigError, DuplicateId, PluginError
from valechat.plugins.catalogue import install
from valechat.plugins.config import Definition, parse
from valechat.plugins.foreign import ForeignFile, found, import_into, pasted, read_foreign
from valechat.plugins.secrets import doubts, move_secrets, plain_secrets
from valechat.plugins.template import Given
from valechat.pluginverbs import choosing
from valechat.pluginverbs.blocks import Block, Note, Outcome, Said, Table
from valechat.pluginverbs.changing import good_news
from valechat.pluginverbs.desk import Desk
from valechat.pluginverbs.masked import summary

__all__ = [
    "add",
    "add_definitions",
    "add_from_catalogue",
    "add_json",
    "add_one",
    "command_words",
    "import_from",
    "import_servers",
    "sentence",
]


async def add(options: argparse.Namespace, desk: Desk) -> Outcome:
    """Add a plugin, and start it unless it shall stay off.

    Raises:
        ConfigError: It cannot be used, or it is not said what it is.
        KeyStorageError: A secret of it cannot be kept.
        PluginError: It was added and does not start.
    """
    on = not options.disabled
    if options.command or options.url:
        added = [await add_one(desk, parse(_entry(options)), enabled=on)]
    elif options.name and options.name.lstrip().startswith(("{", "-")):
        added = await add_json(desk, desk.read_input() if options.name == "-" else options.name, enabled=on)
    elif options.name:
        given: dict[str, list[str]] = {}
        for word in options.input:
            name, value = _pair(word, "--input")
            given.setdefault(name, []).append(value)
        inputs = await choosing.asked_inputs(desk, choosing.entry_named(desk, options.name), given)
        added = [await add_from_catalogue(desk, options.name, inputs, as_id=options.as_id or "", enabled=on)]
    else:
        raise ConfigError(
            "What shall be added?",
            fix=f"A name of the catalogue ({desk.how('catalogue')} shows them), --command, --url, or JSON.",
        )
    return await _outcome(desk, added)


async def import_servers(options: argparse.Namespace, desk: Desk) -> Outcome:
    """Show what other programs have, or add servers of one.

    Raises:
        ConfigError: There is no such program, file or server.
    """
    if options.source is None:
        return await _overview(desk)
    file = await _source(options.source)
    notes = [Note(str(problem)) for problem in file.problems]
    if not options.ids and not options.all:
        rows = [[name, summary(one)] for name, one in file.servers.items()]
        how = f"Add them with: {desk.how(f'import {shlex.quote(options.source)} ID …')}, or --all."
        return Outcome([Table(["server", "started as"], rows), *notes, Note(how)], list(file.servers))
    chosen = _chosen(file, list(file.servers) if options.all else options.ids)
    added = await add_definitions(desk, chosen, enabled=True)
    outcome = await _outcome(desk, added, quietly=True)
    moved = {doubt for one in chosen for doubt in doubts(one)} - {doubt for one in added for doubt in doubts(one)}
    said = [Note(note) for one in chosen for note in file.notes.get(one.id, ()) if note not in moved]
    return Outcome([*outcome.blocks, *said, *notes], outcome.value)


async def add_json(desk: Desk, text: str, *, enabled: bool = True) -> list[Definition]:
    """Add what was pasted, in any form that is known.

    Raises:
        ConfigError: There is no server in it, or one cannot be used.
        KeyStorageError: A secret in it cannot be kept.
    """
    file = pasted(text)
    if file.problems:
        raise file.problems[0]
    return await add_definitions(desk, file.servers.values(), enabled=enabled)


async def add_from_catalogue(
    desk: Desk, name: str, inputs: Given, *, as_id: str = "", enabled: bool = True, limited: bool = False
) -> Definition:
    """Add an entry of the catalogue; what is secret of its inputs goes to the key storage.

    Raises:
        ConfigError: There is no such entry, or an input is missing.
        KeyStorageError: A secret cannot be kept.
    """
    entry = choosing.entry_named(desk, name)
    definition = await install(entry, inputs, desk.services.keys, id=as_id, limited=limited)
    added = await add_definitions(desk, [definition], enabled=enabled)
    if not added:
        raise ConfigError(
            f"{definition.id} is there already, and the same.",
            fix=f"To have it twice, give it another id: {desk.how(f'add {name} --as ID')}",
        )
    return added[0]


async def import_from(desk: Desk, path: Path, ids: Iterable[str]) -> list[Definition]:
    """Add servers of another program's file.

    Raises:
        ConfigError: The file cannot be read, or has no such server.
        KeyStorageError: A secret in it cannot be kept.
    """
    file = await asyncio.to_thread(read_foreign, path)
    return await add_definitions(desk, _chosen(file, ids), enabled=True)


async def add_one(desk: Desk, definition: Definition, *, enabled: bool = True) -> Definition:
    """Add this under the id it has, secrets in plain text kept in the key storage.

    Raises:
        DuplicateId: There is a plugin of that id.
        ConfigError: The file cannot be written.
        KeyStorageError: A secret cannot be kept; nothing is added then.
    """
    if definition.id in await asyncio.to_thread(desk.file.read):
        raise DuplicateId(
            f'There is a plugin "{definition.id}" already.', plugin=definition.id, fix="Choose another id."
        )
    return (await add_definitions(desk, [definition], enabled=enabled))[0]


async def add_definitions(desk: Desk, definitions: Iterable[Definition], *, enabled: bool) -> list[Definition]:
    """Add these, under other ids where theirs are taken. What is enabled starts, in a kernel.

    Secrets in plain text are kept in the key storage, and `${NAME}` is written in their place.

    Raises:
        ConfigError: The file cannot be written.
        KeyStorageError: A secret cannot be kept; nothing is added then.
    """
    wanted = [await move_secrets(one, desk.services.keys) if plain_secrets(one) else one for one in definitions]
    added = await asyncio.to_thread(import_into, desk.file, wanted, enabled=enabled)
    if desk.live and added:
        await desk.manager.reload()
    return added


def sentence(added: list[Definition]) -> str:
    """What was added, in words."""
    names = ", ".join(one.id for one in added)
    return f"{names} {'was' if len(added) == 1 else 'were'} added." if added else "Nothing new was added."


def command_words(command: str) -> list[str]:
    """A command line as its words.

    Raises:
        ConfigError: A quote is not closed, or there is nothing.
    """
    try:
        words = shlex.split(command, posix=os.name != "nt")
    except ValueError as error:
        raise ConfigError(f"The command cannot be read: {str(error).lower()}.", fix="Close the quote.") from error
    if not words:
        raise ConfigError("There is no command.", fix='Write it as in a terminal: "npx -y some-server".')
    return words


async def _outcome(desk: Desk, added: list[Definition], *, quietly: bool = False) -> Outcome:
    blocks: list[Block] = [Said(sentence(added))]
    if desk.file.notice:
        blocks.append(Note(desk.file.notice))
    started = [one.id for one in added if one.enabled]
    if not desk.live:
        if started:
            blocks.append(Note(f"Kernels that run start it; {desk.how(f'tools {started[0]}')} tries it here."))
        return Outcome(blocks, [one.id for one in added])
    await desk.manager.ensure(started)
    infos = [desk.manager.status(plugin) for plugin in started]
    for info in infos:
        if info.state == "running":
            blocks.append(Said(good_news(info)))
        elif info.problem is not None:
            if not quietly and len(infos) == 1:
                message = f"{info.id} was added and does not start: {info.problem.message}"
                raise PluginError(message, fix=info.problem.fix)
            blocks.append(Said(f"{info.id}: {info.problem.message} {info.problem.fix}".rstrip()))
    return Outcome(blocks, infos)


async def _overview(desk: Desk) -> Outcome:
    files = await asyncio.to_thread(found, Path.cwd())
    if not files:
        return Outcome([Said("No configuration of another program was found.")], [])
    there = await asyncio.to_thread(desk.file.read)
    rows = [
        [file.program, name, summary(one), "already here" if name in there else "", str(file.path)]
        for file in files
        for name, one in file.servers.items()
    ]
    problems = [Note(f"{file.program}: {problem}") for file in files for problem in file.problems]
    how = Note(f"Add one with: {desk.how('import PROGRAM ID')}, all of a program with --all.")
    return Outcome([Table(["program", "server", "started as", "", "file"], rows), *problems, how], files)


async def _source(source: str) -> ForeignFile:
    """The file of a program, by its name, or a file by its path."""
    path = Path(source)
    if await asyncio.to_thread(path.is_file):
        return await asyncio.to_thread(read_foreign, path)
    wanted = _letters(source)
    files = [file for file in await asyncio.to_thread(found, Path.cwd()) if wanted and wanted in _letters(file.program)]
    if not files:
        raise ConfigError(
            f"{source} is neither a file nor a program whose servers were found.", fix="`import` alone shows those."
        )
    servers = {name: one for file in reversed(files) for name, one in file.servers.items()}
    notes = {name: said for file in reversed(files) for name, said in file.notes.items()}
    problems = tuple(problem for file in files for problem in file.problems)
    return ForeignFile(files[0].program, files[0].path, servers, problems, notes)


def _letters(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())


def _chosen(file: ForeignFile, ids: Iterable[str]) -> list[Definition]:
    chosen = []
    for name in ids:
        if name not in file.servers:
            raise ConfigError(
                f"{file.program or file.path} has no server {name!r}.",
                fix=f"It has {', '.join(file.servers) or 'none'}.",
            )
        chosen.append(file.servers[name])
    return chosen


def _entry(options: argparse.Namespace) -> dict[str, Any]:
    """The entry that options say."""
    if options.command and options.url:
        raise ConfigError("A plugin has a command or an address, not both.")
    if not options.name:
        raise ConfigError("The plugin needs an id.", fix='Write it before the options: add git --command "uvx …".')
    entry: dict[str, Any] = {"id": options.as_id or options.name}
    if options.title:
        entry["name"] = options.title
    if options.url:
        entry |= {"url": options.url, "transport": options.transport or "http"}
        if options.header:
            entry["headers"] = dict(_pair(word, "--header") for word in options.header)
        return {**entry, "auth": {"type": "oauth"}} if options.oauth else entry
    command, *arguments = command_words(options.command)
    entry |= {"command": command, "args": arguments}
    return {**entry, "env": dict(_pair(word, "--env") for word in options.env)} if options.env else entry


def _pair(word: str, option: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals or not name:
        raise ConfigError(f"{option} takes NAME=VALUE.")
    return name, value
