"""A tool's JSON Schema as Ollama reads it.

Ollama keeps of each property only type, description, items, enum, anyOf, properties and required (`ToolProperty`
in its api/types.go); a reference would be lost, and a schema that is `true` refuses the whole request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["ollama_parameters"]

_MOST_DEPTH = 8
"""How deep references are followed: a schema may refer to itself."""

_LISTS = {"anyOf": "anyOf", "oneOf": "anyOf", "allOf": "allOf"}


def ollama_parameters(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of type object with its references replaced by what they refer to."""
    named = {**(schema.get("definitions") or {}), **(schema.get("$defs") or {})}
    whole = _inlined(schema, named, 0)
    return {"type": "object", "properties": {}, **whole}


def _inlined(schema: Any, named: Mapping[str, Any], depth: int) -> dict[str, Any]:
    if not isinstance(schema, Mapping) or depth > _MOST_DEPTH:
        return {}
    kept: dict[str, Any] = {}
    reference = schema.get("$ref")
    if isinstance(reference, str):
        kept = _inlined(named.get(reference.rpartition("/")[2]), named, depth + 1)
    for name, value in schema.items():
        if name == "properties" and isinstance(value, Mapping):
            kept[name] = {key: _inlined(inner, named, depth + 1) for key, inner in value.items()}
        elif name == "items":
            kept[name] = _inlined(value, named, depth + 1)
        elif name in _LISTS and isinstance(value, list):
            kept[_LISTS[name]] = [_inlined(inner, named, depth + 1) for inner in value]
        elif name == "const":
            kept["enum"] = [value]
        elif name not in ("$ref", "$defs", "definitions", "$schema"):
            kept[name] = value
    for inner in kept.pop("allOf", ()):
        kept = {**inner, **kept}
    return kept
