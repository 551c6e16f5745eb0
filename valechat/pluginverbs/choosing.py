"""`catalogue`, `search`, `updates`: servers that can be added by name."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from valechat.config.names import nearest
from valechat.errors import ConfigError
from valechat.plugins.catalogue import CatalogueEntry, load_catalogue
from valechat.plugins.config import Definition, LocalServer
from valechat.plugins.offer import Input, OfferedServer
from valechat.plugins.template import Given
from valechat.plugins.updates import updated_args
from valechat.plugins.updates import updates as newer_versions
from valechat.pluginverbs.blocks import Block, Note, Outcome, Said, Table
from valechat.pluginverbs.desk import Desk

__all__ = [
    "asked_inputs",
    "catalogue",
    "entry_named",
    "fitting",
    "known_names",
    "newer",
    "permission_words",
    "run_as",
    "search",
    "updates",
]


async def catalogue(_options: argparse.Namespace, desk: Desk) -> Outcome:
    """All there is."""
    return _listed("", desk)


async def search(options: argparse.Namespace, desk: Desk) -> Outcome:
    """What has all these words."""
    return _listed(" ".join(options.search), desk)


async def updates(options: argparse.Namespace, desk: Desk) -> Outcome:
    """What there is newer than the versions in the file, as the package registries say; with `--apply` it is used.

    Raises:
        ConfigError: The file cannot be read or written.
    """
    there = desk.file.read()
    found = await newer_versions(there.values())
    if not found:
        return Outcome([Said("No plugin that runs a fixed version of a package has a newer one.")], [])
    rows = [[one.plugin, one.package.name, one.package.version, one.newest] for one in found]
    table = Table(["plugin", "package", "used", "newer"], rows)
    if not options.apply:
        return Outcome([table, Note(f"Use them with: {desk.how('updates --apply')}")], found)
    for one in found:
        args = updated_args(there[one.plugin], one.newest)
        if desk.live:
            await desk.manager.change(one.plugin, args=args)
        else:
            desk.file.change(one.plugin, args=args)
    return Outcome([table, Said("They are used from now on; what runs was restarted.")], found)


def entry_named(desk: Desk, name: str) -> CatalogueEntry:
    """An entry by its id.

    Raises:
        ConfigError: There is none.
    """
    found = load_catalogue(desk.services.paths).entries
    if name in found:
        return found[name]
    near = nearest(name, found)
    raise ConfigError(
        f"The catalogue has no {name!r}.",
        fix=f"Did you mean {near!r}?" if near else f"{desk.how('catalogue')} shows what it has.",
    )


async def asked_inputs(desk: Desk, entry: CatalogueEntry, given: Mapping[str, list[str]]) -> Given:
    """What an entry needs to know: what was given, and the rest asked for where somebody is there.

    Raises:
        ConfigError: An input is missing, and nobody can be asked.
    """
    answers: dict[str, str | list[str]] = {
        name: values if _several(entry, name) else values[-1] for name, values in given.items()
    }
    for needed in entry.missing(answers, known_names(desk)):
        if desk.ask is None:
            wanted = " ".join(f"--input {one.name}=…" for one in entry.missing(answers, known_names(desk)))
            raise ConfigError(
                f"{entry.name} needs {needed.name}: {needed.description}",
                fix=f"Write: {desk.how(f'add {entry.id} {wanted}')}",
            )
        answer = await desk.ask(f"{needed.title} ({needed.description})", secret=needed.secret)
        if not answer:
            raise ConfigError(f"{entry.name} needs {needed.name}.", fix="Nothing was added.")
        answers[needed.name] = [answer] if needed.several else answer
    return answers


def known_names(desk: Desk) -> set[str]:
    """Names of variables that have a value, in the environment or beside the keys."""
    keys = desk.services.keys
    return {*keys.environ, *(row.provider for row in keys.list())}


def newer(desk: Desk, there: Mapping[str, Definition]) -> dict[str, tuple[str, str]]:
    """By plugin: the version of its package that it is run with, and the catalogue's, where that is another."""
    packages = {
        entry.offer.package.name: entry.version
        for entry in load_catalogue(desk.services.paths).entries.values()
        if entry.offer.package is not None
    }
    found: dict[str, tuple[str, str]] = {}
    for plugin, definition in there.items():
        for word in definition.args if isinstance(definition, LocalServer) else ():
            name, at, version = word.rpartition("@")
            if at and name in packages and version[:1].isdigit() and version != packages[name]:
                found[plugin] = (version, packages[name])
    return found


def fitting(entry: CatalogueEntry, words: str) -> bool:
    """Whether an entry has all these words."""
    text = f"{entry.id} {entry.name} {entry.description} {entry.offer.category}".lower()
    return all(word in text for word in words.lower().split())


def run_as(entry: CatalogueEntry) -> str:
    """How it is started or reached, with its inputs as `{name}`."""
    if entry.offer.server is not None:
        line = " ".join([entry.offer.server.command, *entry.offer.server.args])
        return line.replace("{version}", entry.version)
    return entry.offer.service.url if entry.offer.service is not None else ""


def permission_words(entry: CatalogueEntry) -> list[str]:
    """What it needs to touch, in words."""
    server: OfferedServer | None = entry.offer.server
    asked = None if server is None else server.permissions
    if asked is None:
        return []
    lists = [
        (asked.file_read, "reads no files", "reads"),
        (asked.file_write, "writes no files", "writes"),
        (asked.env_access, "", "sees the variables"),
    ]
    said = [none if not items else f"{what} {', '.join(items)}" for items, none, what in lists if items is not None]
    if asked.network_access is not None:
        network = asked.network_access
        said.append(
            f"connects to {', '.join(network)}"
            if isinstance(network, list) and network
            else "connects to any host"
            if network is True
            else "connects to nothing"
        )
    return [word for word in said if word]


def _several(entry: CatalogueEntry, name: str) -> bool:
    return any(one.several for one in entry.needs if one.name == name)


def _listed(words: str, desk: Desk) -> Outcome:
    found = load_catalogue(desk.services.paths)
    entries = [entry for entry in found.entries.values() if fitting(entry, words)]
    if not entries:
        return Outcome([Said(f"The catalogue has nothing with these words. {desk.how('catalogue')} shows all.")], [])
    there = desk.file.read()
    rows = [
        [
            entry.id,
            entry.description,
            ", ".join(map(_asked_for, entry.needs)),
            "added" if entry.id in there else entry.lacking or entry.offer.deprecated,
        ]
        for entry in entries
    ]
    blocks: list[Block] = [Table(["id", "what it does", "asks for", ""], rows)]
    blocks += [Note(str(problem)) for problem in found.problems]
    blocks.append(Note(f"Add one with: {desk.how('add ID')}"))
    return Outcome(blocks, [entry.offer.model_dump(mode="json", exclude_none=True) for entry in entries])


def _asked_for(needed: Input) -> str:
    return needed.name if needed.required and not needed.default else f"[{needed.name}]"
