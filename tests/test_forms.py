"""A plugin's form is read from its schema, and what is entered becomes the values it asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from valechat.forms import MOST_FIELDS, Entry, Field, Option, checked, fields_of


def only(schema: dict[str, Any], *, required: bool = False) -> Field:
    (field,) = fields_of({"type": "object", "properties": {"it": schema}, "required": ["it"] if required else []})
    return field


def entered(schema: dict[str, Any], entry: Entry) -> Any:
    filled, problems = checked([only(schema)], {"it": entry})
    assert problems == {}
    assert filled.action == "accept"
    return filled.values["it"]


def problem(schema: dict[str, Any], entry: Entry, *, required: bool = False) -> str:
    filled, problems = checked([only(schema, required=required)], {"it": entry})
    assert "it" not in filled.values
    return problems["it"]


def test_fields_keep_the_servers_order_names_and_words() -> None:
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "title": "Your name", "description": "As on the card"},
            "age": {"type": "integer", "minimum": 0, "maximum": 120, "default": 30},
            "news": {"type": "boolean", "default": True},
        },
        "required": ["name"],
    }
    assert fields_of(schema) == (
        Field("name", "Your name", "As on the card", "text", required=True),
        Field("age", "age", "", "integer", default="30", least=0, most=120),
        Field("news", "news", "", "boolean", default=True),
    )


RED = (Option("r", "Red"), Option("g", "Green"))


@pytest.mark.parametrize(
    ("schema", "options"),
    [
        ({"type": "string", "enum": ["r", "g"]}, (Option("r", "r"), Option("g", "g"))),
        ({"type": "string", "enum": ["r", "g"], "enumNames": ["Red", "Green"]}, RED),
        ({"type": "string", "enum": ["r", "g"], "enumNames": ["Red"]}, (Option("r", "Red"), Option("g", "g"))),
        ({"type": "string", "oneOf": [{"const": "r", "title": "Red"}, {"const": "g", "title": "Green"}]}, RED),
    ],
    ids=["enum", "enum with names", "too few names", "oneOf"],
)
def test_one_of_a_list_is_a_choice_however_it_is_written(schema: dict[str, Any], options: tuple[Option, ...]) -> None:
    assert (only(schema).kind, only(schema).options) == ("choice", options)


def test_some_of_a_list_are_choices() -> None:
    anyof = {"anyOf": [{"const": "r", "title": "Red"}, {"const": "g", "title": "Green"}]}
    field = only({"type": "array", "items": anyof, "minItems": 1, "default": ["g", "x"]})
    assert field == Field("it", "it", "", "choices", default=["g"], options=RED, least=1)


@pytest.mark.parametrize("kind", ["email", "uri", "date", "date-time"])
def test_a_known_format_is_a_kind_of_its_own(kind: str) -> None:
    assert only({"type": "string", "format": kind}).kind == kind


@pytest.mark.parametrize(
    "schema",
    [{}, {"properties": 3}, {"properties": {"a": "string"}, "required": 7}, {"properties": None, "required": [["a"]]}],
)
def test_a_schema_that_is_none_has_no_fields(schema: dict[str, Any]) -> None:
    assert fields_of(schema) == ()


def test_a_flood_of_fields_is_cut() -> None:
    assert len(fields_of({"properties": {str(n): {"type": "string"} for n in range(1000)}})) == MOST_FIELDS


@pytest.mark.parametrize(
    ("schema", "entry", "value"),
    [
        ({"type": "string"}, " as it is ", " as it is "),
        ({"type": "integer"}, "42", 42),
        ({"type": "number"}, "4.5", 4.5),
        ({"type": "boolean"}, True, True),
        ({"type": "boolean"}, "", False),
        ({"type": "string", "enum": ["a", "b"]}, "b", "b"),
        ({"type": "array", "items": {"enum": ["a", "b", "c"]}}, ["c", "a"], ["a", "c"]),
        ({"type": "string", "format": "email"}, " a@b.example ", "a@b.example"),
        ({"type": "string", "format": "uri"}, "https://example.org/x", "https://example.org/x"),
        ({"type": "string", "format": "date"}, "2026-11-22", "2026-11-22"),
        ({"type": "string", "format": "date-time"}, "2026-11-22T14:30:00+01:00", "2026-11-22T14:30:00+01:00"),
    ],
)
def test_an_entry_becomes_a_value_of_its_type(schema: dict[str, Any], entry: Entry, value: object) -> None:
    found = entered(schema, entry)
    assert found == value
    assert type(found) is type(value)


def test_a_time_without_a_zone_is_the_users_own() -> None:
    assert datetime.fromisoformat(entered({"type": "string", "format": "date-time"}, "2026-11-22T14:30")).tzinfo


@pytest.mark.parametrize(
    ("schema", "entry", "said"),
    [
        ({"type": "integer"}, "4.5", "Write a whole number."),
        ({"type": "number"}, "many", "Write a number."),
        ({"type": "number"}, "inf", "Write a number."),
        ({"type": "number"}, "nan", "Write a number."),
        ({"type": "integer", "minimum": 18}, "17", "The least is 18."),
        ({"type": "number", "maximum": 1.5}, "2", "The most is 1.5."),
        ({"type": "string", "minLength": 3}, "ab", "Write at least 3 characters."),
        ({"type": "string", "maxLength": 3}, "abcd", "Write at most 3 characters."),
        ({"type": "string", "enum": ["a"]}, "b", "This is not one of the choices."),
        ({"type": "array", "items": {"enum": ["a"]}}, ["b"], "'b' is not one of the choices."),
        ({"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2}, ["a"], "Pick at least 2."),
        ({"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 1}, ["a", "b"], "Pick at most 1."),
        ({"type": "string", "format": "email"}, "nobody", "Write an e-mail address."),
        ({"type": "string", "format": "uri"}, "example", "Write a whole address, such as https://example.org."),
        ({"type": "string", "format": "uri"}, "http://[", "Write a whole address, such as https://example.org."),
        ({"type": "string", "format": "date"}, "22.11.2026", "Write a date, such as 2026-11-22."),
        ({"type": "string", "format": "date-time"}, "noon", "Write a date and time, such as 2026-11-22T14:30."),
    ],
)
def test_a_wrong_entry_is_told_at_its_field(schema: dict[str, Any], entry: Entry, said: str) -> None:
    assert problem(schema, entry) == said


@pytest.mark.parametrize("schema", [{"type": "string"}, {"type": "integer"}, {"type": "array", "items": {"enum": []}}])
def test_a_required_field_must_not_be_empty(schema: dict[str, Any]) -> None:
    assert problem(schema, "", required=True) == "This is needed."


def test_an_optional_field_left_empty_is_left_out() -> None:
    assert checked([only({"type": "integer"})], {}) == checked([], {})
