from __future__ import annotations

from typing import Any

import pytest
from anthropic import transform_schema
from pydantic import BaseModel, Field

from valechat.providers._schema import can_be_strict, closed, schema_name, told_at_length


class Place(BaseModel):
    name: str = Field(pattern="[A-Z].*")
    height: float | None = Field(default=None, ge=0)


class Journey(BaseModel):
    """A journey."""

    places: list[Place] = Field(min_length=2)
    by: str = Field(json_schema_extra={"enum": ["train", "boat"]})


def objects(schema: Any) -> list[dict[str, Any]]:
    """All object schemas inside a schema."""
    if isinstance(schema, list):
        return [found for inner in schema for found in objects(inner)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if schema.get("type") == "object" else []
    return own + [found for inner in schema.values() for found in objects(inner)]


def test_every_object_is_closed() -> None:
    found = objects(closed(Journey.model_json_schema()))
    assert len(found) == 2
    assert all(schema["additionalProperties"] is False for schema in found)


def test_constraints_move_into_the_description() -> None:
    place = closed(Journey.model_json_schema())["$defs"]["Place"]["properties"]["name"]
    assert "pattern" not in place
    assert "[A-Z].*" in place["description"]


def test_it_keeps_what_the_official_sdk_keeps() -> None:
    def names(schema: Any) -> set[str]:
        if isinstance(schema, list):
            return {name for inner in schema for name in names(inner)}
        if not isinstance(schema, dict):
            return set()
        return set(schema) | {name for inner in schema.values() for name in names(inner)}

    own, official = (names(change(Journey.model_json_schema())) for change in (closed, transform_schema))
    # The SDK moves defaults into the description; the API takes them.
    assert own - {"default"} == official


def test_the_schema_it_was_given_is_not_changed() -> None:
    schema = Journey.model_json_schema()
    closed(schema)
    assert schema == Journey.model_json_schema()


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        ({"type": "object", "properties": {}, "additionalProperties": False, "required": []}, True),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": False, "required": []}, False),
        ({"type": "object", "properties": {"a": {"type": "object"}}, "additionalProperties": False}, False),
        ({"type": "array", "items": {"type": "object", "properties": {}}}, False),
        ({"type": "string"}, True),
    ],
)
def test_strict_is_what_closes_and_requires_everything(schema: dict[str, Any], strict: bool) -> None:
    assert can_be_strict(schema) is strict


def test_a_name_has_only_letters_that_are_taken() -> None:
    assert schema_name({"title": "Größe (m)"}) == "Gr__e__m_"
    assert schema_name({}) == "answer"


def test_a_tools_description_that_fits_is_told_as_it_is() -> None:
    assert told_at_length("x" * 1024, {"type": "object"}) == ("x" * 1024, {"type": "object"})


def test_what_openai_does_not_take_of_a_tools_description_goes_on_in_that_of_its_parameters() -> None:
    words = " ".join(f"word{number}" for number in range(400))
    description, parameters = told_at_length(words, {"type": "object", "description": "Own words."})
    assert len(description) <= 1024
    rest = parameters["description"]
    assert rest.endswith("\n\nOwn words.")
    assert (
        f"{description.removesuffix(' …')} {rest.removeprefix('… ').removesuffix(chr(10) * 2 + 'Own words.')}" == words
    )


def test_a_description_without_a_blank_is_cut_all_the_same() -> None:
    description, parameters = told_at_length("x" * 3000, {})
    assert len(description) <= 1024
    assert description.count("x") + parameters["description"].count("x") == 3000
