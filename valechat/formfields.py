"""A flat form drawn from a JSON Schema: its fields, and values typed as text.

MCP's elicitation allows strings, numbers, booleans and choices; a tool's input schema may hold more,
which is then typed as JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Field", "fields", "typed"]

FieldKind = Literal["text", "integer", "number", "boolean", "choice", "choices", "json"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        name: The property's name.
        title: What stands before it.
        about: What it is for.
        kind: How it is typed. `choices` is a list of choices, separated by commas.
        required: Whether it may stay empty.
        default: What an empty answer means; None for nothing.
        choices: What may be chosen: value and title.
    """

    name: str
    title: str
    about: str
    kind: FieldKind
    required: bool
    default: Any
    choices: tuple[tuple[str, str], ...] = ()


def fields(schema: Mapping[str, Any]) -> list[Field]:
    """The fields of an object's schema, in its order."""
    properties = schema.get("properties")
    required = schema.get("required")
    needed = set(required) if isinstance(required, list) else set()
    found = properties if isinstance(properties, Mapping) else {}
    return [_field(str(name), one, name in needed) for name, one in found.items() if isinstance(one, Mapping)]


def typed(field: Field, text: str) -> Any:
    """The value that was typed; None where it stays empty.

    Raises:
        ValueError: It is not such a value; the message says what is wanted.
    """
    text = text.strip()
    if not text:
        if field.default is None and field.required:
            raise ValueError("This is needed.")
        return field.default
    return _READERS[field.kind](field, text)


def _field(name: str, schema: Mapping[str, Any], required: bool) -> Field:  # noqa: FBT001 - one word of a schema
    kind, choices = _kind(schema)
    title = schema.get("title")
    about = schema.get("description")
    return Field(
        name,
        title if isinstance(title, str) and title else name,
        about if isinstance(about, str) else "",
        kind,
        required,
        schema.get("default"),
        choices,
    )


def _kind(schema: Mapping[str, Any]) -> tuple[FieldKind, tuple[tuple[str, str], ...]]:
    choices = _choices(schema)
    if choices:
        return "choice", choices
    kinds: dict[Any, FieldKind] = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}
    of = schema.get("type")
    if isinstance(of, list):
        named = [one for one in of if one != "null"]
        of = named[0] if len(named) == 1 else None
    if of == "array" and isinstance(items := schema.get("items"), Mapping) and (choices := _choices(items)):
        return "choices", choices
    return kinds.get(of if isinstance(of, str) else None, "json"), ()


def _choices(schema: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    listed = schema.get("enum")
    if isinstance(listed, list) and listed and all(isinstance(one, str) for one in listed):
        titles = schema.get("enumNames")
        names = titles if isinstance(titles, list) and len(titles) == len(listed) else listed
        return tuple((value, str(title)) for value, title in zip(listed, names, strict=True))
    for word in ("oneOf", "anyOf"):
        titled = schema.get(word)
        if (
            isinstance(titled, list)
            and titled
            and all(isinstance(one, Mapping) and isinstance(one.get("const"), str) for one in titled)
        ):
            return tuple((one["const"], str(one.get("title") or one["const"])) for one in titled)
    return ()


def _integer(_field: Field, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ValueError("Write a whole number.") from error


def _number(_field: Field, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError("Write a number.")
    return value


def _boolean(_field: Field, text: str) -> bool:
    if text.lower() in ("y", "yes", "true", "1", "on"):
        return True
    if text.lower() in ("n", "no", "false", "0", "off"):
        return False
    raise ValueError("Write yes or no.")


def _chosen(field: Field, text: str) -> str:
    for value, title in field.choices:
        if text in (value, title):
            return value
    raise ValueError(f"Choose one of {', '.join(value for value, _ in field.choices)}.")


def _several(field: Field, text: str) -> list[str]:
    return [_chosen(field, part.strip()) for part in text.split(",") if part.strip()]


def _json(_field: Field, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"This is no JSON: {error}.") from error


_READERS: dict[FieldKind, Callable[[Field, str], Any]] = {
    "text": lambda _field, text: text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "choice": _chosen,
    "choices": _several,
    "json": _json,
}
