"""JSON Schema as Gemini takes it, for tools (`parametersJsonSchema`) and answers (`responseJsonSchema`).

The API reference lists under `GenerationConfig.responseJsonSchema` what is taken; a keyword beyond it moves
into the description, where the model can still read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["gemini_schema"]

_KEPT = frozenset(
    {
        "$anchor",
        "$id",
        "description",
        "maxItems",
        "maximum",
        "minItems",
        "minimum",
        "propertyOrdering",
        "required",
        "title",
        "type",
    }
)
_FORMATS = frozenset({"date", "date-time", "double", "enum", "float", "int32", "int64", "time"})
_NAMED = {"$defs": "$defs", "definitions": "$defs", "properties": "properties"}
_LISTS = {"anyOf": "anyOf", "oneOf": "anyOf", "prefixItems": "prefixItems"}
_SILENT = frozenset({"$comment", "$schema", "examples"})


def gemini_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema in the keywords the API takes."""
    if isinstance(schema.get("$ref"), str):
        # Beside `$ref` only names that begin with a dollar are allowed.
        kept: dict[str, Any] = {"$ref": schema["$ref"].replace("#/definitions/", "#/$defs/")}
        return kept | {n: v for n, v in _taken(schema)[0].items() if n in ("$anchor", "$defs", "$id")}
    kept, moved = _taken(schema)
    for inner in schema.get("allOf") or ():
        if isinstance(inner, Mapping):
            _merge(kept, gemini_schema(inner))
    if "$ref" in kept:
        return {name: value for name, value in kept.items() if name.startswith("$")}
    if isinstance(kept.get("required"), list) and isinstance(kept.get("properties"), dict):
        kept["required"] = [name for name in kept["required"] if name in kept["properties"]]
    if moved:
        kept["description"] = "\n\n".join(filter(None, (kept.get("description"), "{" + ", ".join(moved) + "}")))
    return kept


def _taken(schema: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What can be said in the API's keywords, and what has to be said in words."""
    kept: dict[str, Any] = {}
    moved: list[str] = []
    for name, value in schema.items():
        if name in _NAMED and isinstance(value, Mapping):
            kept[_NAMED[name]] = {key: _inner(inner) for key, inner in value.items()}
        elif name in _LISTS and isinstance(value, Sequence):
            kept[_LISTS[name]] = [_inner(inner) for inner in value]
        elif name in ("items", "additionalProperties"):
            kept[name] = value if name == "additionalProperties" and isinstance(value, bool) else _inner(value)
        elif name in ("enum", "const"):
            _choice(kept, moved, name, value)
        elif name in _KEPT or (name == "format" and value in _FORMATS):
            kept[name] = value
        elif name not in _SILENT and name not in ("$ref", "allOf"):
            moved.append(f"{name}: {value}")
    return kept, moved


def _inner(schema: Any) -> Any:
    return gemini_schema(schema) if isinstance(schema, Mapping) else {}


def _choice(kept: dict[str, Any], moved: list[str], name: str, value: Any) -> None:
    """A choice: the API takes strings and numbers."""
    values = value if name == "enum" and isinstance(value, list) else [value]
    plain = [item for item in values if isinstance(item, str | int | float) and not isinstance(item, bool)]
    if len(plain) == len(values):
        kept["enum"] = plain
    else:
        moved.append(f"{name}: {value}")


def _merge(kept: dict[str, Any], other: Mapping[str, Any]) -> None:
    """All of two schemas at once, as far as it can be said in one."""
    for name, value in other.items():
        if name in ("properties", "$defs") and isinstance(kept.get(name), dict):
            kept[name] = kept[name] | value
        elif name == "required" and isinstance(kept.get(name), list):
            kept[name] = list(dict.fromkeys([*kept[name], *value]))
        else:
            kept.setdefault(name, value)
