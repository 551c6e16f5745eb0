"""What the text of `mcp_plugins.json` says: definitions, broken entries, doubts, each with its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from valechat.config.names import nearest
from valechat.errors import ConfigError, DuplicateId, InvalidPlugin, SchemaInvalid
from valechat.plugins.config import CloudService, Definition, LocalServer, parse
from valechat.plugins.jsontext import Node, NotJson, Step, line_and_column, scan
from valechat.plugins.secrets import doubts

__all__ = ["EMPTY", "LISTS", "ROOT", "Contents", "ids_in", "place_of"]

ROOT = "mcp_plugins"
LISTS = ("local_servers", "cloud_services")
EMPTY = f'{{\n  "{ROOT}": {{\n    "local_servers": [],\n    "cloud_services": []\n  }}\n}}\n'

_FORM = f'Write {{"{ROOT}": {{"local_servers": [], "cloud_services": []}}}}.'
_FOREIGN = ("mcpServers", "servers", "mcp_servers")

Place = tuple[Step, ...]


class Contents:
    """The text of the file, taken apart.

    Args:
        file: Named in errors.
        text: The file's text; a blank one has no plugins.

    Attributes:
        root: Where each value stands.
        problems: The entries that cannot be used.
        warnings: What is allowed but looks like a mistake, one sentence each.

    Raises:
        ConfigError: The text is not JSON, or not of this form.
    """

    def __init__(self, file: Path, text: str) -> None:
        self._file = file
        self._text = text if text.strip() else EMPTY
        self.problems: list[InvalidPlugin] = []
        self.warnings: list[str] = []
        self.root = self._scanned()
        self._check()

    def definitions(self) -> dict[str, Definition]:
        """The definitions by their ids, in the order of the file; fills `problems` and `warnings`."""
        found: dict[str, Definition] = {}
        for path, node in _entries(self.root):
            try:
                definition = self._definition(path, node)
                if definition.id in found:
                    raise DuplicateId(
                        f'The id "{definition.id}" is given twice; the entry that comes first is used.',
                        plugin=definition.id,
                        line=self._line(path),
                        fix="Give the second one another id.",
                    )
            except InvalidPlugin as error:
                self.problems.append(error)
                continue
            found[definition.id] = definition
            said = [*_unknown(definition), *doubts(definition)]
            said += [f'Plugin "{definition.id}": "{key}" is written twice; the last counts.' for key in node.repeated]
            self.warnings += [f"{self._file}, line {self._line(path)}: {sentence}" for sentence in said]
        return found

    def _definition(self, path: Place, node: Node) -> Definition:
        line = self._line(path)
        if not isinstance(node.value, dict):
            raise SchemaInvalid("An entry is not a table.", line=line, fix='Write it in braces: {"id": "name", …}.')
        definition = parse(node.value, line_of=lambda field: self._line((*path, *field)))
        if isinstance(definition, LocalServer) != (path[1] == LISTS[0]):
            raise SchemaInvalid(
                f'Plugin "{definition.id}" stands in {path[1]}.',
                plugin=definition.id,
                line=line,
                fix=f"Move it to {LISTS[isinstance(definition, CloudService)]}.",
            )
        return definition

    def _scanned(self) -> Node:
        try:
            return scan(self._text)
        except NotJson as error:
            line, column = line_and_column(self._text, error.position)
            problem = ConfigError(
                f"{self._file}, line {line}, column {column}: this is not valid JSON: {error}.",
                fix="Mend it there, or take the last change back; until then the plugins stay as they are.",
            )
        # Raised here so that the error does not carry the file's text, which may hold a secret.
        raise problem

    def _check(self) -> None:
        """Refuse what is not of this form at all."""
        if not isinstance(self.root.value, dict):
            raise ConfigError(f"{self._file}: the file is not a table.", fix=_FORM)
        inner = self.root.members.get(ROOT)
        if inner is None and (foreign := next((key for key in _FOREIGN if key in self.root.members), None)):
            raise ConfigError(
                f'{self._file}: "{foreign}" is how another program lists its servers.',
                fix="Save it under another name and run: valechat plugins import FILE",
            )
        self._spelled(self.root, (ROOT,))
        if inner is None:
            return
        if not isinstance(inner.value, dict):
            raise ConfigError(f"{self._where(inner)}: {ROOT} is not a table.", fix=_FORM)
        self._spelled(inner, LISTS)
        for group in LISTS:
            node = inner.members.get(group)
            if node is not None and not isinstance(node.value, list):
                raise ConfigError(f"{self._where(node)}: {group} is not a list.", fix="Write it in brackets: [ … ].")

    def _spelled(self, table: Node, known: Sequence[str]) -> None:
        """Refuse a misspelt list: without it all its plugins would be gone, and stopped."""
        for key, node in table.members.items():
            meant = nearest(key, known)
            if key not in known and meant is not None and meant not in table.members:
                raise ConfigError(f'{self._where(node)}: "{key}" means nothing here.', fix=f'Did you mean "{meant}"?')

    def _where(self, node: Node) -> str:
        line, column = line_and_column(self._text, node.start)
        return f"{self._file}, line {line}, column {column}"

    def _line(self, path: Place) -> int:
        """The line of the field, else of what is around it."""
        while (node := self.root.at(path)) is None:
            path = path[:-1]
        parent = self.root.at(path[:-1]) if path else None
        start = parent.keys.get(str(path[-1]), node.start) if parent is not None else node.start
        return line_and_column(self._text, start)[0]


def ids_in(root: Node) -> list[str]:
    """The ids of all entries, of broken ones too."""
    found = [node.value.get("id") for _, node in _entries(root) if isinstance(node.value, dict)]
    return [id_ for id_ in found if isinstance(id_, str)]


def place_of(root: Node, plugin: str) -> Place | None:
    """Where the entry of that id stands; the first, if several have it."""
    for path, node in _entries(root):
        if isinstance(node.value, dict) and node.value.get("id") == plugin:
            return path
    return None


def _entries(root: Node) -> Iterator[tuple[Place, Node]]:
    for group in LISTS:
        node = root.at((ROOT, group))
        for index, item in enumerate(node.items if node is not None else []):
            yield (ROOT, group, index), item


def _unknown(definition: Definition) -> list[str]:
    known = [*type(definition).model_fields]
    sentences = []
    for name in definition.model_extra or {}:
        near = "enabled" if name == "disabled" else nearest(name, known)
        if near and not name.startswith(("$", "_", "//")):
            sentences.append(f'Plugin "{definition.id}": "{name}" is not a field. Did you mean "{near}"?')
    return sentences
