"""From what pydantic found wrong with an entry to what its writer should do. JSON's words, no value of the entry."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from valechat.config.problems import Problem, problems_of

__all__ = ["problems"]

_TAGS = {("auth", tag) for tag in ("none", "bearer", "oauth")}
"""What pydantic puts between a choice and its fields, which the file does not have."""


def problems(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """All that is wrong, one problem a field, in the order of the fields."""
    found: dict[tuple[str, ...], Problem] = {}
    usual = problems_of(error, model)
    for details, problem in zip(error.errors(include_url=False, include_input=False), usual, strict=True):
        worded = _worded(details, problem)
        found.setdefault(worded.path, worded)
    return list(found.values())


def _worded(details: Any, usual: Problem) -> Problem:
    context, kind = details.get("ctx", {}), details["type"]
    path = _without_tag(usual.path)
    if kind == "setting":
        fix = context["fix"] or (f'Write "{path[-1]}": {context["write"]}.' if context["write"] else "")
        return Problem(path, context["message"], fix)
    if kind == "missing":
        name = str(details["loc"][-1])
        return Problem((*path, name), "is missing", f'Add "{name}": … to it.')
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return Problem(path, "is not a table", 'Write it in braces: {"name": "value"}.')
    if kind == "list_type":
        return Problem(path, "is not a list", 'Write it in brackets: ["one", "two"].')
    if kind == "too_short":
        return Problem(path, "is empty")
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        return Problem((*path, "type"), "says no kind that is known", "Write one of none, bearer and oauth.")
    return Problem(path, usual.message, usual.fix)


def _without_tag(path: tuple[str, ...]) -> tuple[str, ...]:
    return path[:1] + path[2:] if path[:2] in _TAGS else path
