"""JSON Schemas for an answer, in the forms the wires take."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["MOST_DESCRIPTION", "can_be_strict", "closed", "schema_name", "told_at_length"]

MOST_DESCRIPTION = 1024
"""Characters OpenAI takes of a tool's description; it refuses the whole request over a longer one."""

_KEPT = frozenset(
    {"$ref", "additionalProperties", "const", "default", "description", "enum", "required", "title", "type"},
)
_FORMATS = frozenset(
    {"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid"},
)


def schema_name(schema: Mapping[str, Any]) -> str:
    """A name for the schema in the letters OpenAI takes, from its title."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", str(schema.get("title") or "answer"))[:64]


def can_be_strict(schema: Any) -> bool:
    """Whether every object closes itself and requires all it has (OpenAI's guide "Structured outputs")."""
    if isinstance(schema, list):
        return all(map(can_be_strict, schema))
    if not isinstance(schema, Mapping):
        return True
    if schema.get("type") == "object" or "properties" in schema:
        names = schema.get("properties") or {}
        if schema.get("additionalProperties") is not False or set(names) != set(schema.get("required") or ()):
            return False
        if not all(map(can_be_strict, names.values())):
            return False
    return all(can_be_strict(value) for name, value in schema.items() if name not in ("properties", "default", "enum"))


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema as Anthropic's structured outputs take it.

    Objects are closed; a constraint the server would refuse (`minimum`, `pattern`, …) moves into the
    description, where the model can still read it (guide "Structured outputs", JSON Schema limitations).
    """
    kept: dict[str, Any] = {}
    moved: list[str] = []
    for name, value in schema.items():
        if name in ("properties", "$defs", "definitions"):
            kept[name] = {key: _closed(inner) for key, inner in value.items()}
        elif name in ("anyOf", "allOf", "oneOf"):
            kept["anyOf" if name == "oneOf" else name] = [_closed(inner) for inner in value]
        elif name == "items":
            kept[name] = _closed(value)
        elif name in _KEPT or _allowed(name, value):
            kept[name] = value
        elif name != "$schema":
            moved.append(f"{name}: {value}")
    if kept.get("type") == "object" or "properties" in kept:
        kept["additionalProperties"] = False
    if moved:
        kept["description"] = "\n\n".join(filter(None, (kept.get("description"), "{" + ", ".join(moved) + "}")))
    return kept


def _closed(schema: Any) -> Any:
    return closed(schema) if isinstance(schema, Mapping) else schema


def _allowed(name: str, value: Any) -> bool:
    return (name == "format" and value in _FORMATS) or (name == "minItems" and value in (0, 1))


def told_at_length(description: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A tool's description and parameters as OpenAI takes them.

    What does not fit into the description goes on in that of the parameters, which has no such bound, so
    the model still reads all of it.
    """
    if len(description) <= MOST_DESCRIPTION:
        return description, dict(parameters)
    beginning = description[: MOST_DESCRIPTION - 2]
    at = max(beginning.rfind("\n"), beginning.rfind(" "))
    beginning = beginning[:at] if at > MOST_DESCRIPTION // 2 else beginning
    rest = "\n\n".join(filter(None, [f"… {description[len(beginning) :].strip()}", parameters.get("description")]))
    return f"{beginning} …", {**parameters, "description": rest}
