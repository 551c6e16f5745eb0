from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from valechat.providers._gemini_schema import gemini_schema


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"type": "string", "minLength": 2}, {"type": "string", "description": "{minLength: 2}"}),
        ({"type": ["string", "null"], "title": "N"}, {"type": ["string", "null"], "title": "N"}),
        ({"const": "a"}, {"enum": ["a"]}),
        ({"const": True}, {"description": "{const: True}"}),
        ({"enum": ["a", None]}, {"description": "{enum: ['a', None]}"}),
        ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
        ({"type": "string", "format": "uri"}, {"type": "string", "description": "{format: uri}"}),
        ({"oneOf": [{"type": "string"}, True]}, {"anyOf": [{"type": "string"}, {}]}),
        ({"type": "array", "items": {"pattern": "a"}}, {"type": "array", "items": {"description": "{pattern: a}"}}),
        (
            {"type": "object", "additionalProperties": False, "$schema": "x"},
            {"type": "object", "additionalProperties": False},
        ),
        ({"$ref": "#/definitions/A", "description": "x"}, {"$ref": "#/$defs/A"}),
        ({"allOf": [{"$ref": "#/$defs/A"}], "description": "x"}, {"$ref": "#/$defs/A"}),
        (
            {"allOf": [{"properties": {"a": {}}, "required": ["a"]}, {"properties": {"b": {}}, "required": ["b"]}]},
            {"properties": {"a": {}, "b": {}}, "required": ["a", "b"]},
        ),
        ({"properties": {"a": {}}, "required": ["a", "b"]}, {"properties": {"a": {}}, "required": ["a"]}),
        ({"type": "string", "description": "x", "default": 1}, {"type": "string", "description": "x\n\n{default: 1}"}),
    ],
)
def test_a_schema_is_cut_to_what_is_taken(given: dict[str, Any], taken: dict[str, Any]) -> None:
    assert gemini_schema(given) == taken


class Leaf(BaseModel):
    name: str = ""
    next: Leaf | None = None


def test_a_recursive_pydantic_model_keeps_its_references() -> None:
    schema = gemini_schema(Leaf.model_json_schema())
    assert schema["$ref"] == "#/$defs/Leaf"
    assert schema["$defs"]["Leaf"]["properties"]["next"]["anyOf"][0] == {"$ref": "#/$defs/Leaf"}


def test_a_property_named_like_a_keyword_is_a_property() -> None:
    schema = {"type": "object", "properties": {"pattern": {"type": "string"}, "const": {"type": "string"}}}
    assert gemini_schema(schema) == schema


def test_the_given_schema_is_not_changed() -> None:
    given = {"properties": {"a": {"default": 1}}, "required": ["b"]}
    gemini_schema(given)
    assert given == {"properties": {"a": {"default": 1}}, "required": ["b"]}
