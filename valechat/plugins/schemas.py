"""The schemas of plugins' tools: whether they can be offered, what is told of them, and what fits them.

A schema comes from a server, so it is bounded before anything is made of it. Nothing is fetched for it,
its regular expressions are never run (one of them could hold up the kernel for hours; the server checks
them itself), and a check that does not come to an end is given up.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

__all__ = ["MOST_BYTES", "MOST_DEPTH", "complaints", "fingerprint", "offered_schema", "problem", "tokens"]

MOST_BYTES = 100_000
"""A schema's length as JSON. It is sent with every request; the largest of well-known servers have 20,000."""
MOST_DEPTH = 64
_MOST_COMPLAINTS = 5
_MOST_REFERENCES = 2_000
"""References followed in one check: a few that refer to each other twice can multiply without end."""
_COMBINING = ("anyOf", "oneOf", "allOf")
_BYTES_PER_TOKEN = 4

_followed: ContextVar[int] = ContextVar("followed", default=0)


class _Endless(Exception):
    """A check that would not come to its end."""


def problem(schema: object) -> str:
    """Why no provider would take a tool with this input schema; empty when all is well.

    Blocks for some milliseconds: the JSON Schema standard's own schema is applied to it.
    """
    if not isinstance(schema, Mapping):
        return "Its input schema is not a JSON object."
    try:
        text = json.dumps(schema)
    except (RecursionError, TypeError, ValueError):
        return "Its input schema is not JSON."
    if len(text) > MOST_BYTES:
        return f"Its input schema has {len(text):,} characters; at most {MOST_BYTES:,} are taken."
    if _depth(schema) > MOST_DEPTH:
        return f"Its input schema nests deeper than {MOST_DEPTH} levels."
    if schema.get("type", "object") != "object":
        return f"Its input schema is of type {_short(schema['type'])}; it must be an object."
    return next(_bad_references(schema, schema), "") or _against_the_standard(schema)


def offered_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema as it is told to models: of type object, and without alternatives at its top.

    OpenAI and Anthropic refuse a whole request for one tool whose schema has `anyOf`, `oneOf` or `allOf`
    at the top. The properties of the alternatives are offered together; which belong to which is said in
    the description. What one wire alone cannot take is left to its adapter.
    """
    kept = {name: value for name, value in schema.items() if name not in (*_COMBINING, "$schema", "$id")}
    kept["type"] = "object"
    kept["properties"] = dict(kept.get("properties") or {})
    said: list[str] = []
    for way in _COMBINING:
        branches = [branch for branch in schema.get(way) or () if isinstance(branch, Mapping)]
        for branch in branches:
            for name, value in (branch.get("properties") or {}).items():
                kept["properties"].setdefault(name, value)
            if way == "allOf" and isinstance(branch.get("required"), list):
                kept["required"] = list(dict.fromkeys([*kept.get("required", ()), *branch["required"]]))
        if branches and way != "allOf":
            said.append(f"{way}: {json.dumps(branches, ensure_ascii=False)}")
    if said:
        kept["description"] = "\n\n".join(filter(None, (kept.get("description"), "{" + ", ".join(said) + "}")))
    return kept


def complaints(arguments: object, schema: Mapping[str, Any]) -> list[str]:
    """What of the arguments does not fit, as `path: reason`, a few at most; empty when they fit."""
    validator = _checking(_dialect(schema))(schema, registry=_no_registry())
    token = _followed.set(0)
    try:
        found = sorted(validator.iter_errors(arguments), key=lambda error: [str(step) for step in error.absolute_path])
        return [f"{_path(error.absolute_path)}: {_reason(error)}" for error in found[:_MOST_COMPLAINTS]]
    except (RecursionError, _Endless):
        return ["schema: it refers to itself without end, so nothing can be checked by it"]
    finally:
        _followed.reset(token)


def tokens(name: str, description: str, schema: Mapping[str, Any]) -> int:
    """Roughly what a tool's description costs in each request: its UTF-8 bytes as JSON, divided by 4.

    A tokenizer would take 0.6 s to load and be right for one provider only.
    """
    told = json.dumps({"name": name, "description": description, "parameters": schema}, ensure_ascii=False, default=str)
    return -(-len(told.encode("utf-8", "surrogatepass")) // _BYTES_PER_TOKEN)


def fingerprint(
    description: str,
    input_schema: object,
    output_schema: object = None,
    *,
    title: str = "",
    read_only: bool = False,
    destructive: bool = True,
) -> str:
    """A digest of all that a server says of a tool; another one means that it says something else now."""
    said = [title, description, input_schema, output_schema, read_only, destructive]
    text = json.dumps(said, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _against_the_standard(schema: Mapping[str, Any]) -> str:
    from jsonschema import SchemaError

    try:
        _dialect(schema).check_schema(schema)
    except SchemaError as error:
        return f"Its input schema is not valid at {_path(error.absolute_path)}: {_short(error.message)}."
    except RecursionError:
        return "Its input schema nests too deep."
    return ""


def _dialect(schema: Mapping[str, Any]) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for

    named = schema.get("$schema")
    try:
        return validator_for({"$schema": named} if isinstance(named, str) else {}, default=Draft202012Validator)
    except ValueError:
        # It is named by no address at all.
        return Draft202012Validator


@functools.cache
def _checking(dialect: Any) -> Any:
    """A validator that runs no regular expression of the schema and follows only so many references."""
    from jsonschema.validators import extend

    usual = dialect.VALIDATORS

    def unchecked(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
        del validator, value, instance, schema
        yield from ()

    def additional(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
        # Which properties are additional depends on the patterns, which are not tried.
        if "patternProperties" not in schema:
            yield from usual["additionalProperties"](validator, value, instance, schema) or ()

    def reference(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
        _followed.set(_followed.get() + 1)
        if _followed.get() > _MOST_REFERENCES:
            raise _Endless
        yield from usual["$ref"](validator, value, instance, schema) or ()

    extended: Any = extend
    return extended(
        dialect,
        {
            "$ref": reference,
            "additionalProperties": additional,
            "pattern": unchecked,
            "patternProperties": unchecked,
            "unevaluatedProperties": unchecked,
        },
    )


def _no_registry() -> Any:
    """A registry that fetches nothing."""
    from referencing import Registry

    registry: Any = Registry()
    return registry


def _bad_references(part: object, whole: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(part, Mapping):
        for name, value in part.items():
            if name in ("$dynamicRef", "$recursiveRef") and isinstance(value, str):
                yield f"Its input schema uses {name}, which no provider takes."
            elif name == "$id" and isinstance(value, str) and part is not whole:
                yield "Its input schema has another schema with an $id in it, which no provider takes."
            elif name == "$ref" and isinstance(value, str):
                if value != "#" and not value.startswith("#/"):
                    yield f"Its input schema refers to {_short(value)}; only places in itself (#/…) are looked at."
                elif not _found(value, whole):
                    yield f"Its input schema refers to {_short(value)}, which is not in it."
            else:
                yield from _bad_references(value, whole)
    elif isinstance(part, list):
        for value in part:
            yield from _bad_references(value, whole)


def _found(reference: str, whole: Mapping[str, Any]) -> bool:
    """Whether a reference into the schema itself leads to a schema."""
    from urllib.parse import unquote

    place: Any = whole
    for step in reference.split("/")[1:]:
        key = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(place, list) and key.isdigit() and int(key) < len(place):
            place = place[int(key)]
        elif isinstance(place, Mapping) and key in place:
            place = place[key]
        else:
            return False
    return isinstance(place, Mapping | bool)


def _depth(value: object) -> int:
    """How deep it nests, counted no further than one beyond what is taken."""
    level: list[Any] = [value]
    depth = 0
    while level and depth <= MOST_DEPTH:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, Mapping) else outer if isinstance(outer, list) else ())
        ]
    return depth


def _path(steps: Any) -> str:
    return ".".join(map(str, steps)) or "the arguments"


def _reason(error: Any) -> str:
    if error.validator in ("anyOf", "oneOf") and error.context:
        wanted = dict.fromkeys(_short(inner.message) for inner in error.context[:_MOST_COMPLAINTS])
        return "fits none of the forms allowed: " + "; or ".join(wanted)
    return _short(error.message)


def _short(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 200 else f"{text[:120]} … {text[-60:]}"
