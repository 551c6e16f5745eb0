from __future__ import annotations

from typing import Any

import pytest
from ollama import Tool
from pydantic import BaseModel

from valechat.providers._ollama_schema import ollama_parameters


class Place(BaseModel):
    city: str
    next: Place | None = None


class Trip(BaseModel):
    start: Place
    stops: list[Place] = []


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({}, {"type": "object", "properties": {}}),
        (
            {"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}, {"const": 1}]}}},
            {"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}, {"enum": [1]}]}}},
        ),
        (
            {"properties": {"a": True, "b": {"allOf": [{"type": "string"}], "description": "x"}}},
            {"type": "object", "properties": {"a": {}, "b": {"type": "string", "description": "x"}}},
        ),
        (
            {
                "properties": {"a": {"$ref": "#/definitions/A", "description": "x"}},
                "definitions": {"A": {"type": "integer", "description": "y"}},
            },
            {"type": "object", "properties": {"a": {"type": "integer", "description": "x"}}},
        ),
    ],
)
def test_a_schema_is_written_in_what_the_server_reads(given: dict[str, Any], read: dict[str, Any]) -> None:
    assert ollama_parameters(given) == read


def test_nested_models_are_written_out_where_they_are_used() -> None:
    schema = ollama_parameters(Trip.model_json_schema())
    assert schema["properties"]["start"]["properties"]["city"]["type"] == "string"
    assert schema["properties"]["stops"]["items"]["properties"]["city"]["type"] == "string"
    assert "$ref" not in str(schema)


def test_a_schema_that_refers_to_itself_ends() -> None:
    Tool.Function.Parameters.model_validate(ollama_parameters(Place.model_json_schema()))
