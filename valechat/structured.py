"""Answers in a given form: a JSON Schema to ask with, and a check of what came.

The form is a JSON Schema, or a type from which pydantic makes one: a model class, a dataclass, a
TypedDict, or anything else that `pydantic.TypeAdapter` takes. Providers want an object at the top, so
a type that is none, such as `list[int]`, is asked for as the only field of one and taken out again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from pydantic import ValidationError as NotOfTheType
from pydantic.errors import PydanticUserError

from valechat.errors import ConfigError

__all__ = ["Structure", "structure"]

WRAPPED = "value"
"""The field that holds what is no object."""

_FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*?)\n?```", re.DOTALL | re.IGNORECASE)

_NOT_STRICT = frozenset(
    {
        *("allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas"),
        *("patternProperties", "prefixItems", "propertyNames", "uniqueItems", "contains"),
    }
)
"""Keywords that OpenAI refuses in strict mode (guide "Structured outputs", supported schemas)."""


@dataclass(frozen=True, slots=True)
class Structure:
    """A form for answers.

    Attributes:
        json_schema: What the provider is asked with.
    """

    json_schema: Mapping[str, Any]
    _read: Callable[[Any], Any]

    def read(self, text: str) -> tuple[Any, str]:
        """The answer's value, and an empty text; or None, and why the answer has not the form."""
        why = "it holds no JSON"
        for candidate in _candidates(text):
            try:
                found = json.loads(candidate)
            except ValueError:
                continue
            try:
                return self._read(found), ""
            except ValueError as error:
                why = str(error)
                break
        return None, f"The answer does not have the form that was asked for: {why}. Its text is there as it came."


def structure(schema: Any) -> Structure:
    """The form that a JSON Schema or a type describes.

    Raises:
        ConfigError: It is neither.
    """
    return _of_schema(schema) if isinstance(schema, Mapping) else _of_type(schema)


def _of_schema(schema: Mapping[str, Any]) -> Structure:
    from jsonschema.exceptions import SchemaError, best_match
    from jsonschema.validators import validator_for

    whole = dict(schema)
    kind = validator_for(whole)
    try:
        json.dumps(whole)
        kind.check_schema(whole)
    except (SchemaError, TypeError, ValueError) as error:
        reason = error.message if isinstance(error, SchemaError) else str(error)
        raise ConfigError(
            f"`schema` is no JSON Schema: {reason}", fix="Pass a valid one, or a pydantic model class."
        ) from error
    validator = kind(whole)

    def read(value: Any) -> Any:
        error = best_match(validator.iter_errors(value))
        if error is not None:
            where = "".join(f"[{step!r}]" for step in error.absolute_path)
            raise ValueError(f"{where or 'the whole'}: {_short(error.message)}")
        return value

    return Structure(whole, read)


def _of_type(kind: Any) -> Structure:
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        made = adapter.json_schema()
    except (PydanticUserError, TypeError) as error:
        raise ConfigError(
            f"No JSON Schema can be made of {kind!r}.",
            fix="Pass a JSON Schema, a pydantic model class, a dataclass or a TypedDict.",
        ) from error
    wrapped = made.get("type") != "object"
    if wrapped:
        definitions = made.pop("$defs", {})
        made = {"type": "object", "properties": {WRAPPED: made}, "required": [WRAPPED]}
        made |= {"$defs": definitions} if definitions else {}

    def read(value: Any) -> Any:
        if wrapped:
            value = value.get(WRAPPED, value) if isinstance(value, dict) else value
        try:
            # JSON mode takes a date as its text, and a tuple as a list.
            return adapter.validate_json(json.dumps(value))
        except NotOfTheType as error:
            first = error.errors(include_url=False, include_context=False)[0]
            where = ".".join(str(step) for step in first["loc"]) or "the whole"
            raise ValueError(f"{where}: {first['msg']}") from None

    return Structure(made if _mentions(made, _NOT_STRICT) else _strict(made, made), read)


def _candidates(text: str) -> Iterator[str]:
    """Where in an answer the JSON may be: all of it, a fenced block, what stands between braces."""
    yield text
    yield from (match[1] for match in _FENCED.finditer(text))
    for opening, closing in ("{}", "[]"):
        start, end = text.find(opening), text.rfind(closing)
        if 0 <= start < end:
            yield text[start : end + 1]


def _strict(schema: Any, root: Mapping[str, Any]) -> Any:
    """A pydantic schema as OpenAI's strict mode takes it.

    Objects are closed and require all they have, a reference stands alone, a choice is `anyOf`, and
    defaults, which would never be used, are left out.
    """
    if isinstance(schema, list):
        return [_strict(item, root) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema and len(schema) > 1:
        target = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        return _strict({**target, **beside}, root)
    strict: dict[str, Any] = {}
    for name, value in schema.items():
        if name in ("properties", "$defs"):
            strict[name] = {key: _strict(inner, root) for key, inner in value.items()}
        elif name in ("enum", "const"):
            strict[name] = value
        elif name not in ("default", "discriminator"):
            strict["anyOf" if name == "oneOf" else name] = _strict(value, root)
    if strict.get("type") == "object" and "additionalProperties" not in strict:
        strict["additionalProperties"] = False
        strict["properties"] = strict.get("properties", {})
        strict["required"] = list(strict["properties"])
    return strict


def _mentions(schema: Any, keywords: frozenset[str]) -> bool:
    if isinstance(schema, list):
        return any(_mentions(item, keywords) for item in schema)
    if not isinstance(schema, dict):
        return False
    named = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    rest = {name: value for name, value in schema.items() if name not in ("properties", "$defs", "enum", "const")}
    return bool(keywords & rest.keys()) or any(_mentions(inner, keywords) for inner in [*named, *rest.values()])


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:199]}…"
