"""What an entry of `mcp_plugins.json` says: how to start a local server, or where a cloud service is.

Everything is checked where it enters (`parse`), except what only the moment of starting can tell: whether
the command exists, and what the `${VAR}`s hold (`resolved`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from valechat.config.problems import Problem
from valechat.config.variables import references, substitute
from valechat.errors import InvalidCommand, InvalidUrl, SchemaInvalid, UnresolvedVariable
from valechat.keys.secret import is_secret_name
from valechat.plugins.definition import (
    BearerAuth,
    CloudService,
    Definition,
    LocalServer,
    NoAuth,
    OAuth,
    Permissions,
    told,
)
from valechat.plugins.wording import problems

__all__ = [
    "BearerAuth",
    "CloudService",
    "Definition",
    "LocalServer",
    "NoAuth",
    "OAuth",
    "Permissions",
    "parse",
    "resolved",
    "variable_names",
]

_KINDS = {"command": InvalidCommand, "url": InvalidUrl}
_EITHER = "Write command for a server that is started here, url for one that is reached at an address."
_LITERAL = frozenset({"id", "name", "description", "tools_off", "protocol", "transport"})
"""Fields in which `${VAR}` is just text."""


def parse(entry: Mapping[str, Any], *, line_of: Callable[[tuple[str, ...]], int | None] | None = None) -> Definition:
    """The definition an entry gives; one with `url` is a cloud service, one with `command` a local server.

    Args:
        entry: The entry as JSON has it.
        line_of: Tells the line of the file in which a field stands.

    Raises:
        InvalidPlugin: One of its kinds, by the first thing that is wrong. No value of the entry is in it.
    """
    named = entry.get("id")
    plugin = named if isinstance(named, str) else ""
    if "url" in entry and "command" in entry:
        found = [Problem((), "has both command and url", _EITHER)]
    elif "url" not in entry and "command" not in entry:
        found = [Problem((), "has neither command nor url", _EITHER)]
    else:
        model: type[Definition] = CloudService if "url" in entry else LocalServer
        try:
            return model.model_validate(dict(entry))
        except ValidationError as error:
            found = problems(error, model)
        except RecursionError:
            found = [Problem((), "has values nested too deeply")]
    first, *others = found
    field = ".".join(first.path)
    also = f" Also wrong: {', '.join('.'.join(other.path) for other in others)}." if others else ""
    raise _KINDS.get(field, SchemaInvalid)(
        f"{_subject(plugin)}{f': {field}' if field else ''} {first.message}.",
        plugin=plugin,
        line=line_of(first.path) if line_of else None,
        fix=(first.fix + also).lstrip(),
    )


def resolved(definition: Definition, lookup: Callable[[str], str | None]) -> Definition:
    """The definition with `${VAR}` and `${VAR:-default}` replaced. Secret from here on; never saved.

    A command and a folder that begin with `~` get the user's home folder. The original stays at hand as
    `written`, which is also what a `repr` shows.

    Args:
        definition: As it is in the file.
        lookup: Gives a variable's value, None where it has none.

    Raises:
        UnresolvedVariable: A variable has neither value nor default; names it.
        InvalidPlugin: What the variables hold makes the definition invalid.
    """
    missing: list[str] = []

    def put_in(value: Any) -> Any:
        if isinstance(value, str):
            text, unset = substitute(value, lookup)
            missing.extend(unset)
            return text
        if isinstance(value, list):
            return [put_in(item) for item in value]
        if isinstance(value, dict):
            return {key: put_in(item) for key, item in value.items()}
        return value

    fields = definition.model_dump()
    fields |= {name: put_in(value) for name, value in told(definition).items() if name not in _LITERAL}
    if missing:
        raise UnresolvedVariable(
            f"{_subject(definition.id)} needs {missing[0]}, which is not set.",
            variable=missing[0],
            plugin=definition.id,
            fix=f"Set {missing[0]} before Jupyter starts, or in a cell with %env"
            + (f", or keep it in the keychain: valechat keys set {missing[0]}" if is_secret_name(missing[0]) else "."),
        )
    for name in ("command", "cwd"):
        if isinstance(fields.get(name), str):
            fields[name] = _at_home(fields[name])
    fields["roots"] = [_at_home(root) for root in fields["roots"]]
    found = parse(fields)
    found._written = definition.written  # noqa: SLF001 - its own storage, filled where both are known
    return found


def variable_names(definition: Definition) -> tuple[str, ...]:
    """The variables a definition refers to, those with a default too, in order."""

    def names(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield from (name for name, _ in references(value))
        elif isinstance(value, list | dict):
            for item in value.values() if isinstance(value, dict) else value:
                yield from names(item)

    fields = {name: value for name, value in told(definition).items() if name not in _LITERAL}
    return tuple(dict.fromkeys(names(fields)))


def _at_home(path: str) -> str:
    try:
        return str(Path(path).expanduser()) if path.startswith("~") else path
    except RuntimeError:  # nobody knows where that user's home is
        return path


def _subject(plugin: str) -> str:
    return f'Plugin "{plugin}"' if plugin else "A plugin without an id"
