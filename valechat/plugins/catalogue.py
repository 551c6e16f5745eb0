"""Servers one can choose from: those in the package, and the user's own files in `catalogue/*.json`.

An entry says what to run or where to connect, what it needs to know, what it may touch and who made it.
`definition` puts the answers in. Secrets do not go into a definition: it gets `${NAME}`, and `install`
keeps what was entered beside the keys.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from valechat.config.load import read_text
from valechat.errors import ConfigError, InvalidCommand, SchemaInvalid
from valechat.keys import KeyRing, Place
from valechat.paths import Paths, user_paths
from valechat.plugins.config import Definition, Permissions, parse
from valechat.plugins.jsontext import Node, NotJson, line_and_column, scan
from valechat.plugins.offer import Input, Offer
from valechat.plugins.secrets import keep
from valechat.plugins.template import Given, filled
from valechat.plugins.transports.programs import find_program
from valechat.plugins.wording import problems

__all__ = ["Catalogue", "CatalogueEntry", "entries", "install", "load_catalogue"]

BUILT_IN = Path(__file__).with_name("data") / "catalogue.json"


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A server one can choose.

    Attributes:
        offer: What its file says of it.
        source: The file it comes from.
    """

    offer: Offer
    source: Path = BUILT_IN

    @property
    def id(self) -> str:
        """What the plugin is called, unless the user has one of that id already."""
        return self.offer.id

    @property
    def name(self) -> str:
        """What people call it."""
        return self.offer.name

    @property
    def description(self) -> str:
        """What it is for, in a sentence or two."""
        return self.offer.description

    @property
    def version(self) -> str:
        """The version that is run; empty for a cloud service."""
        return self.offer.package.version if self.offer.package else ""

    @property
    def command(self) -> str:
        """The program it is started with; empty for a cloud service."""
        return self.offer.server.command if self.offer.server else ""

    @property
    def args(self) -> tuple[str, ...]:
        """The program's arguments, with `{name}` for what is asked for; empty for a cloud service."""
        return tuple(self.offer.server.args) if self.offer.server else ()

    @property
    def permissions(self) -> Permissions | None:
        """What it needs to do its work, with `{name}` for what is asked for; None when that is not known."""
        return self.offer.server.permissions if self.offer.server else None

    @property
    def homepage(self) -> str:
        """Where its documentation is."""
        return self.offer.homepage

    @property
    def requires(self) -> str:
        """What has to be installed for it: `node`, `uv` or nothing."""
        return self.offer.requires

    @property
    def needs(self) -> tuple[Input, ...]:
        """What has to be known of the user."""
        return tuple(self.offer.inputs)

    @property
    def lacking(self) -> str:
        """What has to be installed first and how; empty when nothing is missing."""
        if not self.command:
            return ""
        try:
            find_program(self.command, plugin=self.id, env={}, cwd=".")
        except InvalidCommand as error:
            return error.fix
        return ""

    def missing(self, given: Given, known: Container[str] = ()) -> tuple[Input, ...]:
        """The inputs that must be given and are not.

        Args:
            given: By their names; of one that takes several, a list.
            known: Names of variables that have a value already, in the environment or beside the keys.
        """
        return tuple(
            needed
            for needed in self.needs
            if needed.required and not given.get(needed.name) and not needed.default and needed.variable not in known
        )

    def definition(
        self,
        given: Given | None = None,
        *,
        known: Container[str] = (),
        id: str = "",  # noqa: A002 - what the file calls it
        limited: bool = False,
        variables: Mapping[str, str] | None = None,
    ) -> Definition:
        """The plugin that the answers give, switched on.

        Args:
            given: What was entered, by the inputs' names; secrets are not written into the definition.
            known: Names of variables that have a value already; a secret among them need not be given.
            id: What to call it; left out, the entry's own id.
            limited: Write the permissions it needs into the definition, for the sandbox to enforce.
            variables: Under which variables secrets are kept, where those are not the inputs' own.

        Raises:
            SchemaInvalid: An input is missing or not known; all are named.
            InvalidPlugin: What was entered makes the definition invalid.
        """
        answers = dict(given or {})
        names = [needed.name for needed in self.needs]
        if unknown := [name for name in answers if name not in names]:
            raise SchemaInvalid(
                f"{self.name} does not ask for {', '.join(unknown)}.",
                plugin=self.id,
                fix=f"It asks for: {', '.join(names)}." if names else "It asks for nothing.",
            )
        if lacking := self.missing(answers, known):
            raise SchemaInvalid(
                f"{self.name} needs {', '.join(needed.name for needed in lacking)}.",
                plugin=self.id,
                fix=" ".join(f"{needed.name}: {needed.description}" for needed in lacking),
            )
        values: dict[str, str | Sequence[str]] = {"version": self.version, "data": str(user_paths().data)}
        for needed in self.needs:
            value = answers.get(needed.name) or needed.default
            if needed.secret:
                name = (variables or {}).get(needed.name, needed.variable)
                if value or name in known:
                    values[needed.name] = f"${{{name}}}"
            elif value:
                # A folder may have braces in its name; only a default refers to something.
                value = filled(value, values) if value == needed.default else value
                values |= _entered(needed, value)
        offer = self.offer.server or self.offer.service
        entry = filled(offer.model_dump(mode="json", exclude_none=True, exclude_unset=True), values) if offer else {}
        if not limited:
            entry.pop("permissions", None)
        return parse({"id": id or self.id, "name": self.name, "description": self.description, **entry})


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All entries by their ids, and what is wrong with the user's own files."""

    entries: dict[str, CatalogueEntry] = field(default_factory=dict)
    problems: tuple[ConfigError, ...] = ()


def _entered(needed: Input, value: str | Sequence[str]) -> dict[str, str | Sequence[str]]:
    """What was entered, by name; a path as a whole one, and the folder of a file beside it."""
    if needed.kind not in ("file", "folder"):
        return {needed.name: value}
    if not isinstance(value, str):
        return {needed.name: [_whole(path) for path in value]}
    found: dict[str, str | Sequence[str]] = {needed.name: _whole(value)}
    if needed.kind == "file":
        found[f"{needed.name}_folder"] = str(Path(_whole(value)).parent)
    return found


def _whole(path: str) -> str:
    try:
        return str(Path(path).expanduser().absolute())
    except RuntimeError:  # nobody knows where that user's home is
        return path


def entries(paths: Paths | None = None) -> list[CatalogueEntry]:
    """The servers one can choose from, the user's own among them. Blocking; small."""
    return list(load_catalogue(paths).entries.values())


def load_catalogue(paths: Paths | None = None) -> Catalogue:
    """The package's entries, with those of the user's files in their place or after them.

    A broken entry or file is in `problems` and loses none of the others.
    """
    found = {entry.id: entry for entry in _built_in()}
    wrong: list[ConfigError] = []
    folder = (paths or user_paths()).config / "catalogue"
    for file in sorted(folder.glob("*.json")):
        try:
            found |= {entry.id: entry for entry in _read(file, wrong)}
        except ConfigError as error:
            wrong.append(error)
    return Catalogue(found, tuple(wrong))


async def install(
    entry: CatalogueEntry,
    given: Given,
    keys: KeyRing,
    *,
    id: str = "",  # noqa: A002 - what the file calls it
    place: Place | None = None,
    limited: bool = False,
) -> Definition:
    """The plugin that the answers give, after its secrets were put beside the keys. Makes the folders of its files.

    Raises:
        SchemaInvalid: An input is missing; nothing was kept then.
        InvalidPlugin: What was entered makes the definition invalid; nothing was kept then.
        KeyStorageError: A secret cannot be kept.
        ConfigError: A folder cannot be made.
    """
    known = {*keys.environ, *(row.provider for row in keys.list())}
    variables: dict[str, str] = {}
    for needed in entry.needs:
        value = given.get(needed.name)
        taken = keys.environ.get(needed.variable)
        if needed.secret and isinstance(value, str) and value and taken is not None and taken != value:
            # The environment comes first: under that name, what was entered would never be used.
            variables[needed.name] = f"{entry.id}_{needed.variable}".upper().replace("-", "_")
    definition = entry.definition(given, known=known, id=id, limited=limited, variables=variables)
    for needed in entry.needs:
        value = given.get(needed.name)
        name = variables.get(needed.name, needed.variable)
        if needed.secret and isinstance(value, str) and value and keys.environ.get(name) != value:
            await keep(keys, name, value, place=place)
    _make_folders(entry, given)
    return definition


def _make_folders(entry: CatalogueEntry, given: Given) -> None:
    """Make the folders of the files the plugin keeps, which the servers do not do."""
    for needed in entry.needs:
        value = given.get(needed.name) or filled(needed.default or "", {"data": str(user_paths().data)})
        if needed.kind == "file" and isinstance(value, str) and value:
            folder = Path(_whole(value)).parent
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigError(f"{folder} cannot be made: {error.strerror}.", fix="Choose another place.") from error


@lru_cache(maxsize=1)
def _built_in() -> tuple[CatalogueEntry, ...]:
    wrong: list[ConfigError] = []
    found = tuple(_read(BUILT_IN, wrong))
    for problem in wrong:
        raise problem
    return found


def _read(file: Path, wrong: list[ConfigError]) -> Iterator[CatalogueEntry]:
    text = read_text(file)
    try:
        root = scan(text)
    except NotJson as error:
        line, column = line_and_column(text, error.position)
        raise ConfigError(f"{file}, line {line}, column {column}: this is not valid JSON: {error}.") from None
    listed = root.members.get("plugins")
    if listed is None or not isinstance(listed.value, list):
        raise ConfigError(f"{file}: the file has no list of plugins.", fix='Write {"plugins": [ … ]}.')
    for node in listed.items:
        try:
            yield CatalogueEntry(Offer.model_validate(node.value), file)
        except ValidationError as error:
            wrong.append(_problem(file, text, node, error))


def _problem(file: Path, text: str, node: Node, error: ValidationError) -> ConfigError:
    found = problems(error, Offer)[0]
    line = line_and_column(text, node.start)[0]
    return ConfigError(f"{file}, entry of line {line}: {'.'.join(found.path)} {found.message}.", fix=found.fix)
