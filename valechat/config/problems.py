"""From what pydantic and tomllib found to one `ConfigError` that says where, what and what to write."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from valechat.config.locate import dotted, line_of
from valechat.config.names import nearest
from valechat.errors import ConfigError

__all__ = ["Problem", "config_error", "problems_of", "syntax_error"]

_EXPECTED = {
    "string_type": "is not text; put it in quotes",
    "bool_type": "is not true or false",
    "int_type": "is not a whole number",
    "float_type": "is not a number",
    "finite_number": "is not a finite number",
    "tuple_type": 'is not a list; write it as ["one", "two"]',
    "string_too_short": "is empty",
    "byte_size": 'is not a size; write it as "50 KB"',
    "byte_size_unit": "has an unknown unit; B, KB, MB, GB, KiB, MiB and GiB are known",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file: where, what, and what to do about it."""

    path: tuple[str, ...]
    message: str
    fix: str = ""


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """What pydantic found wrong, in our words. No value of the file is in them, except amounts and names."""
    return [_problem(found, model) for found in error.errors(include_url=False, include_input=False)]


def config_error(file: Path, text: str, problems: Sequence[Problem]) -> ConfigError:
    """One error for all problems of a file: the first in full, the others by their line."""
    first, *others = sorted(problems, key=lambda problem: line_of(text, problem.path) or 0)
    message = f"{_where(file, text, first)}: {_setting(first)} {first.message}."
    if others:
        named = ", ".join(f"line {line_of(text, other.path) or '?'} ({dotted(other.path)})" for other in others)
        return ConfigError(message, fix=f"{first.fix} Also wrong: {named}.".lstrip())
    return ConfigError(message, fix=first.fix)


def syntax_error(file: Path, text: str, error: ValueError | RecursionError) -> ConfigError:
    """The error of a text that is no TOML. Shows nothing of the text: a key may stand there."""
    if isinstance(error, RecursionError):
        return ConfigError(f"{file}: the values are nested too deeply.", fix="Flatten the nested lists or tables.")
    what, _, where = str(error).partition(" (at ")
    position = re.match(r"line (\d+), column (\d+)", where)
    line = position[1] if position else str(text.count("\n") + 1)
    column = f", column {position[2]}" if position else ""
    return ConfigError(
        f"{file}, line {line}{column}: this is not valid TOML: {what[:1].lower()}{what[1:]}.",
        fix='Each setting stands on a line of its own, as name = "text" or name = 60.',
    )


def _where(file: Path, text: str, problem: Problem) -> str:
    line = line_of(text, problem.path)
    return f"{file}, line {line}" if line else str(file)


def _setting(problem: Problem) -> str:
    return dotted(problem.path) or "the file"


def _problem(found: Any, model: type[BaseModel]) -> Problem:
    context = found.get("ctx", {})
    kind = found["type"]
    path = tuple(str(part) for part in found["loc"])
    if path[-1:] == ("[key]",) and kind != "extra_forbidden":
        path = path[:-1]  # pydantic's mark for "the key itself is wrong"
    if kind == "setting":
        path += (context["key"],) if context["key"] else ()
        fix = context["fix"] or (f"Write {dotted(path[-1:])} = {context['write']}." if context["write"] else "")
        return Problem(path, context["message"], fix)
    if kind == "extra_forbidden":
        return _unknown(path, model)
    if kind == "missing":
        return Problem(path[:-1], f"lacks {path[-1]}", f"Add a line {path[-1]} = … to it.")
    if kind in ("model_type", "dict_type"):
        return Problem(path, "is not a table", f"Write [{dotted(path)}] on a line of its own, and its settings below.")
    if kind == "literal_error":
        return Problem(path, "has an unknown value", f"Write one of {context['expected']}.")
    text = found["msg"].replace("Input should be", "should be")
    return Problem(path, _EXPECTED.get(kind, text[:1].lower() + text[1:]))


def _unknown(path: tuple[str, ...], model: type[BaseModel]) -> Problem:
    known = _keys_at(model, path[:-1])
    near = nearest(path[-1], known)
    fix = f"Did you mean {near}?" if near else f"Known here: {', '.join(known)}."
    return Problem(path, "is not a setting", fix if known else "")


def _keys_at(annotation: Any, path: Sequence[str]) -> list[str]:
    """The keys a table at `path` may have."""
    for key in path:
        annotation = _inside(annotation, key)
    return list(annotation.model_fields) if _is_model(annotation) else []


def _inside(annotation: Any, key: str) -> Any:
    if _is_model(annotation):
        field = annotation.model_fields.get(key)
        return _without_none(field.annotation) if field else None
    arguments = typing.get_args(annotation)
    return _without_none(arguments[-1]) if arguments else None


def _without_none(annotation: Any) -> Any:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return next(part for part in typing.get_args(annotation) if part is not type(None))
    return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
