"""Forms drawn from a schema, and values typed into them."""

from __future__ import annotations

from typing import Any

import pytest

from valechat.formfields import Field, fields, typed


def field(schema: dict[str, Any], *, required: bool = True) -> Field:
    (one,) = fields({"type": "object", "properties": {"it": schema}, "required": ["it"] if required else []})
    return one


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "string"}, " a b ", "a b"),
        ({"type": "integer"}, "12", 12),
        ({"type": "number"}, "1.5", 1.5),
        ({"type": ["integer", "null"]}, "3", 3),
        ({"type": "boolean"}, "Yes", True),
        ({"type": "boolean"}, "0", False),
        ({"type": "string", "enum": ["r", "g"]}, "g", "g"),
        ({"type": "string", "enum": ["r", "g"], "enumNames": ["Red", "Green"]}, "Green", "g"),
        ({"type": "string", "oneOf": [{"const": "r", "title": "Red"}]}, "Red", "r"),
        ({"type": "array", "items": {"enum": ["a", "b", "c"]}}, "a, c", ["a", "c"]),
        ({"type": "array", "items": {"type": "integer"}}, "[1, 2]", [1, 2]),
        ({"type": "object"}, '{"a": 1}', {"a": 1}),
        ({}, '"anything"', "anything"),
    ],
)
def test_a_typed_text_becomes_the_value_the_schema_asks_for(schema: dict[str, Any], text: str, value: Any) -> None:
    assert typed(field(schema), text) == value


@pytest.mark.parametrize(
    ("schema", "text", "said"),
    [
        ({"type": "string"}, "  ", "needed"),
        ({"type": "integer"}, "1.5", "whole number"),
        ({"type": "number"}, "nan", "number"),
        ({"type": "boolean"}, "maybe", "yes or no"),
        ({"enum": ["r", "g"]}, "b", "one of r, g"),
        ({"type": "object"}, "{", "no JSON"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_is_wanted(schema: dict[str, Any], text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        typed(field(schema), text)


def test_an_empty_answer_means_the_default_or_nothing() -> None:
    assert typed(field({"type": "integer", "default": 7}), "") == 7
    assert typed(field({"type": "integer"}, required=False), "") is None


@pytest.mark.parametrize("schema", [{}, {"properties": []}, {"properties": {"a": True}}, {"properties": {}}])
def test_a_schema_without_properties_has_no_fields(schema: dict[str, Any]) -> None:
    assert fields(schema) == []
