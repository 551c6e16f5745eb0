"""Forms that a plugin's server wants filled in, from flat JSON Schemas.

MCP elicitation (revisions 2025-06-18 to 2026-07-28) allows strings with a format, numbers, booleans, one of a
list and some of a list, none nested. What a front end gets back is text, checked and turned into values
here, so that panel, magics and command line say the same of a wrong entry.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from valechat.asking import Filled

__all__ = ["MOST_FIELDS", "Entry", "Field", "FieldKind", "Option", "checked", "fields_of"]

FieldKind = Literal["text", "email", "uri", "date", "date-time", "number", "integer", "boolean", "choice", "choices"]

Entry = str | bool | Sequence[str]
"""What was entered: text, a tick, or the values that were picked."""

MOST_FIELDS = 100
_MOST_CHARACTERS = 2_000
_FORMATS: Mapping[str, FieldKind] = {"email": "email", "uri": "uri", "date": "date", "date-time": "date-time"}
_Moment = TypeVar("_Moment", date, datetime)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


@dataclass(frozen=True, slots=True)
class Option:
    """One of the values of a list."""

    value: str
    title: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form.

    `least` and `most` bound a number, a text's length, or how many are picked. `default` is what stands in it
    at first, None for nothing.
    """

    name: str
    title: str
    description: str
    kind: FieldKind
    required: bool = False
    default: Entry | None = None
    options: tuple[Option, ...] = ()
    least: float | None = None
    most: float | None = None


def fields_of(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    """The fields of a form, in the server's order. What a server wrote wrongly is left out, never raised."""
    properties = schema.get("properties")
    required = schema.get("required")
    if not isinstance(properties, Mapping):
        return ()
    needed = set(filter(_is_text, required)) if isinstance(required, Sequence) else set()
    return tuple(
        _field(str(name), found, required=name in needed)
        for name, found in list(properties.items())[:MOST_FIELDS]
        if isinstance(found, Mapping)
    )


def checked(fields: Sequence[Field], entries: Mapping[str, Entry]) -> tuple[Filled, dict[str, str]]:
    """What was entered, as the values a server gets, and what is wrong, by field.

    An empty entry of an optional field is left out.
    """
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for field in fields:
        entry = entries.get(field.name, "")
        if field.kind != "boolean" and not (entry.strip() if isinstance(entry, str) else entry):
            if field.required:
                problems[field.name] = "This is needed."
            continue
        try:
            values[field.name] = _value(field, entry)
        except ValueError as wrong:
            problems[field.name] = str(wrong)
    return Filled("accept", values), problems


def _field(name: str, found: Mapping[str, Any], *, required: bool) -> Field:
    kind, options = _kind(found)
    bounds = {
        "number": ("minimum", "maximum"),
        "integer": ("minimum", "maximum"),
        "choices": ("minItems", "maxItems"),
    }.get(kind, ("minLength", "maxLength"))
    return Field(
        name=name,
        title=_text(found.get("title")) or name,
        description=_text(found.get("description")),
        kind=kind,
        required=required,
        default=_default(kind, found.get("default"), options),
        options=options,
        least=_number(found.get(bounds[0])),
        most=_number(found.get(bounds[1])),
    )


def _kind(found: Mapping[str, Any]) -> tuple[FieldKind, tuple[Option, ...]]:
    if found.get("type") == "array":
        items = found.get("items")
        return "choices", _options(items if isinstance(items, Mapping) else {})
    if options := _options(found):
        return "choice", options
    match found.get("type"):
        case "boolean":
            return "boolean", ()
        case "number":
            return "number", ()
        case "integer":
            return "integer", ()
    return _FORMATS.get(str(found.get("format")), "text"), ()


def _options(found: Mapping[str, Any]) -> tuple[Option, ...]:
    """All ways to list values: `oneOf` and `anyOf` with titles, `enum`, and `enum` with the older `enumNames`."""
    titled = found.get("oneOf") or found.get("anyOf")
    if isinstance(titled, Sequence):
        pairs = [(one.get("const"), one.get("title")) for one in titled if isinstance(one, Mapping)]
    else:
        values, names = found.get("enum"), found.get("enumNames")
        listed = list(values) if isinstance(values, list | tuple) else []
        titles = list(names) if isinstance(names, list | tuple) else []
        pairs = list(zip(listed, [*titles, *[None] * len(listed)], strict=False))
    return tuple(Option(str(value), _text(title) or str(value)) for value, title in pairs if value is not None)


def _default(kind: FieldKind, found: Any, options: Sequence[Option]) -> Entry | None:
    known = {option.value for option in options}
    if kind == "boolean":
        return found if isinstance(found, bool) else None
    if kind == "choices":
        return [one for one in found if one in known] if isinstance(found, list | tuple) else None
    if kind == "choice":
        return found if found in known else None
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    return str(found)


def _value(field: Field, entry: Entry) -> Any:
    if field.kind == "boolean":
        return entry is True or entry == "true"
    if field.kind == "choices":
        return _picked(field, [entry] if isinstance(entry, str) else list(entry) if not isinstance(entry, bool) else [])
    entry = str(entry)
    if field.kind in ("number", "integer"):
        return _counted(field, entry)
    if field.kind == "choice":
        if entry not in {option.value for option in field.options}:
            raise ValueError("This is not one of the choices.")
        return entry
    return _written(field, entry)


def _picked(field: Field, entry: list[str]) -> list[str]:
    known = [option.value for option in field.options]
    if unknown := [one for one in entry if one not in known]:
        raise ValueError(f"{unknown[0]!r} is not one of the choices.")
    if field.least is not None and len(entry) < field.least:
        raise ValueError(f"Pick at least {field.least:g}.")
    if field.most is not None and len(entry) > field.most:
        raise ValueError(f"Pick at most {field.most:g}.")
    return [one for one in known if one in entry]


def _counted(field: Field, entry: str) -> float:
    try:
        value = int(entry) if field.kind == "integer" else float(entry)
    except ValueError:
        raise ValueError("Write a whole number." if field.kind == "integer" else "Write a number.") from None
    if not math.isfinite(value):
        raise ValueError("Write a number.")
    if field.least is not None and value < field.least:
        raise ValueError(f"The least is {field.least:g}.")
    if field.most is not None and value > field.most:
        raise ValueError(f"The most is {field.most:g}.")
    return value


def _written(field: Field, entry: str) -> str:
    if field.least is not None and len(entry) < field.least:
        raise ValueError(f"Write at least {field.least:g} characters.")
    if field.most is not None and len(entry) > field.most:
        raise ValueError(f"Write at most {field.most:g} characters.")
    text = entry.strip()
    match field.kind:
        case "email" if not _EMAIL.fullmatch(text):
            raise ValueError("Write an e-mail address.")
        case "uri":
            return _address(text)
        case "date":
            return _moment(text, date.fromisoformat, "Write a date, such as 2026-11-22.").isoformat()
        case "date-time":
            when = _moment(text, datetime.fromisoformat, "Write a date and time, such as 2026-11-22T14:30.")
            # A moment without a time zone is meant in the user's own; the server has to be told which.
            return (when if when.tzinfo else when.astimezone()).isoformat()
        case "text":
            return entry
    return text


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = None
    if parts is None or not parts.scheme or not (parts.netloc or parts.path):
        raise ValueError("Write a whole address, such as https://example.org.")
    return text


def _moment(text: str, read: Callable[[str], _Moment], wanted: str) -> _Moment:
    try:
        return read(text)
    except ValueError:
        raise ValueError(wanted) from None


def _number(found: Any) -> float | None:
    return None if isinstance(found, bool) or not isinstance(found, int | float) else found


def _text(found: Any) -> str:
    return found[:_MOST_CHARACTERS] if isinstance(found, str) else ""


def _is_text(found: Any) -> bool:
    return isinstance(found, str)
