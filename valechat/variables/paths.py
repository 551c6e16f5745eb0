"""What is written after an `@`: a name, its attributes, literal indexes and keys. Nothing is ever called."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from valechat.braces import Unresolved, references, resolved
from valechat.errors import ConfigError
from valechat.variables.describing import Description, describe

__all__ = ["described", "first_name", "last_name", "value_of"]

MOST_CHARS = 300


def first_name(path: str) -> str | None:
    """The variable a path begins with; None where it is no path."""
    found = _reference(path)
    return None if found is None else found.name


def last_name(expression: ast.expr) -> str:
    """What a path ends in, which says what its value is: `token` for `config.token` and `config["token"]`."""
    match expression:
        case ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))) | ast.Name(id=name):
            return name
        case ast.Subscript(value=inner):
            return last_name(inner)
    return ""


def described(
    path: str, names: Mapping[str, Any], *, budget: int, reveal: bool = False, head: bool = False
) -> Description:
    """What a path names now, as a model should read it; `head` as in `describe`.

    Raises:
        ConfigError: It names nothing.
        Exception: Whatever the value's own code raises.
    """
    found = _reference(path)
    name = "" if found is None else last_name(found.expression)
    return describe(value_of(path, names), name, budget=budget, reveal=reveal, head=head)


def value_of(path: str, names: Mapping[str, Any]) -> Any:
    """What a path names now. Attributes and keys run the value's own code.

    Raises:
        ConfigError: It names nothing, or is no path.
    """
    found = _reference(path)
    if found is None:
        raise ConfigError(f"`@{path}` is not a variable's name.", fix='Write `@df`, `@df.column` or `@df["column"]`.')
    if found.name not in names:
        raise ConfigError(
            f"`{found.name}` is not defined in the kernel any more.",
            fix="Run the cell that defines it, or take it out of the question.",
        )
    try:
        return resolved(found.expression, names)
    except Unresolved as error:
        raise ConfigError(f"`@{path}` cannot be read: {error.why or 'it does not exist'}.") from error


def _reference(path: str) -> Any:
    if len(path) > MOST_CHARS:
        return None
    found = list(references(f"{{{path}}}"))
    one = found[0] if len(found) == 1 else None
    plain = one is not None and one.written == path and one.conversion is None and one.format is None
    return one if plain and one is not None and one.end == len(path) + 2 and one.depth == 1 else None
