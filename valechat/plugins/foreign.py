"""Servers that other programs know: found, shown, and taken over when the user asks for it.

Nothing is started and nothing is written here, except by `import_into`. What is taken over is switched
off unless asked otherwise.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from valechat.config.load import read_text
from valechat.errors import ConfigError, InvalidPlugin
from valechat.plugins.config import Definition, parse
from valechat.plugins.contents import Contents
from valechat.plugins.dialects import Place, Translated, from_line, is_entry, named, translate
from valechat.plugins.file import PluginsFile
from valechat.plugins.jsontext import NotJson, line_and_column, loads
from valechat.plugins.programs import candidates
from valechat.plugins.secrets import doubts

__all__ = ["ForeignFile", "found", "import_into", "pasted", "read_foreign"]

LARGEST = 50_000_000
"""Bytes of a file that is still read."""

_TABLES = ("mcpServers", "servers", "mcp_servers", "context_servers")


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """What was found in a file, or in a pasted text.

    Attributes:
        program: Whose file it is; empty for a pasted text.
        path: Where it is; None for a pasted text.
        servers: The servers in it by the ids they would get, switched off.
        problems: What could not be understood.
        notes: What the user should know of a server, by its id: secrets in plain text, what was replaced,
            what was not taken over.
        project: Whether it belongs to a project rather than to the user: somebody else may have written it.
    """

    program: str
    path: Path | None
    servers: dict[str, Definition] = field(default_factory=dict)
    problems: tuple[ConfigError, ...] = ()
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    project: bool = False


def found(project: Path | None = None, **where: Any) -> list[ForeignFile]:
    """The files of other programs that have servers or cannot be read, the user's first.

    Args:
        project: The notebook's folder, whose own files are looked at as well.
        where: As for `programs.candidates`.
    """
    files = []
    seen = set()
    for candidate in candidates(project, **where):
        path = candidate.path
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        try:
            file = read_foreign(path, program=candidate.program, project=candidate.folder or project)
        except ConfigError as error:
            file = ForeignFile(candidate.program, path, problems=(error,))
        if file.servers or file.problems:
            shared = candidate.folder is not None
            files.append(ForeignFile(file.program, path, file.servers, file.problems, file.notes, project=shared))
    return files


def read_foreign(path: Path, *, program: str = "", project: Path | None = None) -> ForeignFile:
    """The servers in a file of another program, or in one of ours.

    Args:
        path: The file; TOML where its name says so, else JSON, comments tolerated.
        program: Whose it is.
        project: The folder that `${workspaceFolder}` stands for, and whose servers of Claude Code count.

    Raises:
        ConfigError: It cannot be read, or holds no list of servers in any form that is known.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ConfigError(f"{path} is too large to be a list of servers.")
    except OSError as error:
        problem = ConfigError(f"{path} cannot be read: {error.strerror}.", fix="Check the name of the file.")
        raise problem from None
    text = read_text(path)
    document = _toml(text, path) if path.suffix == ".toml" else _json(text, str(path))
    return _understood(document, text, program=program, path=path, folder=(project or Path.cwd()).absolute())


def pasted(text: str, *, project: Path | None = None) -> ForeignFile:
    """The servers in a pasted text.

    It may be a whole file of any program, `{"mcpServers": {…}}`, one `"name": {…}` with or without braces
    around it, a bare `{"command": …}` or `{"url": …}`, an address, or a command line such as
    `npx -y @scope/server`. The fence of a Markdown code block is ignored.

    Raises:
        ConfigError: It is none of these.
    """
    text = re.sub(r"^\s*```[a-zA-Z0-9]*\n|\n?```\s*$", "", text).strip().removeprefix("\ufeff")
    folder = (project or Path.cwd()).absolute()
    if (line := from_line(text)) is not None:
        document: Any = {line[0]: line[1]}
    else:
        try:
            document = loads(text)
        except NotJson:
            try:
                document = loads("{" + text.rstrip().rstrip(",") + "}")
            except NotJson:
                document = _json(text, "The text")
    return _understood(document, text, program="", path=None, folder=folder)


def import_into(file: PluginsFile, servers: Iterable[Definition], *, enabled: bool = False) -> list[Definition]:
    """Add servers to the user's file; those that were added, as they are called there.

    One whose id is taken gets a number behind it, unless the plugin that has it is the same.

    Raises:
        ConfigError: The file is broken or cannot be written.
    """
    added = []
    for server in servers:
        there = file.read()
        taken = {*there, *(problem.plugin for problem in file.problems)}
        if any(_is_copy(one, server) for one in there.values()):
            continue
        wanted = server.model_dump(mode="json", exclude_unset=True)
        name = server.name or (server.id if server.id in taken else "")
        wanted |= {"id": _free(server.id, taken), "enabled": enabled, **({"name": name} if name else {})}
        added.append(file.add(wanted))
    return added


def _is_copy(there: Definition, server: Definition) -> bool:
    """Whether one that is there came of the same server: the same but for a number behind the id."""
    named = re.fullmatch(rf"{re.escape(server.id)}(-\d+)?", there.id) is not None
    return named and there.model_copy(update={"id": server.id}).restart_key == server.restart_key


def _understood(document: Any, text: str, *, program: str, path: Path | None, folder: Path) -> ForeignFile:
    if isinstance(document, dict) and "mcp_plugins" in document:
        contents = Contents(path or Path("The text"), text if path is None or path.suffix != ".toml" else "")
        ours = {name: _off(definition) for name, definition in contents.definitions().items()}
        notes = {name: doubts(definition) for name, definition in ours.items()}
        return ForeignFile(program or "ValeChat", path, ours, tuple(contents.problems), _told(notes))
    servers: dict[str, Definition] = {}
    problems: list[ConfigError] = []
    notes = {}
    place = Place(folder, _inputs(document))
    for name, entry in _entries(document, folder):
        try:
            translated = translate(name, entry, place) if isinstance(entry, dict) else Translated(named(name))
            translated.entry["id"] = _free(translated.entry["id"], servers)
            definition = parse(translated.entry)
        except InvalidPlugin as error:
            problems.append(error)
            continue
        servers[definition.id] = definition
        notes[definition.id] = (*translated.notes, *doubts(definition))
    if not servers and not problems and path is None:
        raise ConfigError(
            "There is no MCP server in the text.",
            fix='Paste {"mcpServers": {"name": {"command": …}}}, the part of it for one server, or an address.',
        )
    return ForeignFile(program, path, servers, tuple(problems), _told(notes))


def _entries(document: Any, folder: Path) -> Iterator[tuple[str, Any]]:
    """The servers of a document of any form, by name."""
    if is_entry(document):
        yield _name(document), document
        return
    if isinstance(document, list):
        yield from ((_name(entry), entry) for entry in document if isinstance(entry, dict))
        return
    if not isinstance(document, dict):
        return
    tables = [document.get(key) for key in _TABLES]
    if isinstance(settings := document.get("mcp"), dict):  # VS Code's settings.json
        tables += [settings.get("servers"), settings.get("mcpServers")]
    tables.append(document.get("mcp.servers"))
    for path, project in _tables(document.get("projects")):  # Claude Code's ~/.claude.json
        if Path(path) in (folder, *folder.parents):
            tables.append(project.get("mcpServers"))
    for table in tables:
        if isinstance(table, dict):
            yield from table.items()
        elif isinstance(table, list):
            yield from ((_name(entry), entry) for entry in table if isinstance(entry, dict))
    if all(table is None for table in tables):
        yield from ((name, entry) for name, entry in document.items() if is_entry(entry))


def _tables(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield from ((name, inner) for name, inner in value.items() if isinstance(inner, dict))


def _name(entry: Mapping[str, Any]) -> str:
    for key in ("name", "id"):
        if isinstance(entry.get(key), str) and entry[key]:
            return str(entry[key])
    if isinstance(url := entry.get("url"), str) and (line := from_line(url)):
        return line[0]
    command, args = entry.get("command"), entry.get("args")
    if isinstance(command, str) and isinstance(args, list) and all(isinstance(item, str) for item in args):
        line = from_line(" ".join([command, *args[:3]]).replace("'", "").replace('"', ""))
        if line is not None:
            return line[0]
    return Path(command).stem if isinstance(command, str) and command else "plugin"


def _inputs(document: Any) -> dict[str, Mapping[str, Any]]:
    """VS Code's questions, which stand beside the servers or around them."""
    if not isinstance(document, dict):
        return {}
    inner = document.get("mcp")
    listed = document.get("inputs") or (inner.get("inputs") if isinstance(inner, dict) else None)
    if not isinstance(listed, list):
        return {}
    return {item["id"]: item for item in listed if isinstance(item, dict) and isinstance(item.get("id"), str)}


def _off(definition: Definition) -> Definition:
    return definition.model_copy(update={"enabled": False})


def _told(notes: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {name: said for name, said in notes.items() if said}


def _free(wanted: str, taken: Iterable[str]) -> str:
    """The id, with a number behind it while it is taken."""
    used, number, found_ = set(taken), 2, wanted
    while found_ in used:
        suffix = f"-{number}"
        found_, number = wanted[: 64 - len(suffix)] + suffix, number + 1
    return found_


def _json(text: str, what: str) -> Any:
    if not text.strip():
        return {}
    try:
        return loads(text)
    except NotJson as error:
        line, column = line_and_column(text, error.position)
        problem = ConfigError(f"{what}, line {line}, column {column}: this is not valid JSON: {error}.")
    # Raised here so that the error does not carry the text, which may hold a secret.
    raise problem


def _toml(text: str, path: Path) -> Any:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        problem = ConfigError(f"{path}: this is not valid TOML.")
    raise problem
