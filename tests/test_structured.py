"""Answers in a given form: what is asked with, and what is made of the answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

import valechat
from tests.chatwire import DONE, said
from tests.providers.faults import FaultServer, stream
from valechat.billing.estimate import size_of
from valechat.engine import engine
from valechat.errors import ConfigError
from valechat.messages import Message
from valechat.providers._schema import can_be_strict
from valechat.structured import structure


class River(BaseModel):
    name: str
    length_km: float
    seen_on: dt.date | None = None


@dataclass
class Town:
    name: str
    rivers: list[River]


class Place(TypedDict):
    kind: Literal["town", "village"]
    people: int


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "count": {"type": "integer", "minimum": 1}},
    "required": ["name"],
}


@pytest.mark.parametrize("kind", [River, Town, Place, list[River], int | str, dict[str, River] | None])
def test_a_type_becomes_a_schema_with_an_object_at_the_top(kind: Any) -> None:
    assert structure(kind).json_schema["type"] == "object"


@pytest.mark.parametrize("kind", [River, Town, Place, list[River], int | str])
def test_a_types_schema_fits_the_strict_mode(kind: Any) -> None:
    assert can_be_strict(structure(kind).json_schema)


def test_a_schema_that_strict_mode_would_refuse_is_left_as_it_is() -> None:
    made = structure(tuple[int, str]).json_schema
    assert made["properties"]["value"]["prefixItems"] == [{"type": "integer"}, {"type": "string"}]
    assert not can_be_strict(made)


def test_a_reference_with_a_description_beside_it_is_written_out() -> None:
    class Trip(BaseModel):
        """A trip."""

        along: River
        """The river."""

        model_config = {"use_attribute_docstrings": True}

    along = structure(Trip).json_schema["properties"]["along"]
    assert "$ref" not in along
    assert along["description"] == "The river."
    assert set(along["required"]) == {"name", "length_km", "seen_on"}


def test_a_given_json_schema_is_sent_as_it_is() -> None:
    assert structure(SCHEMA).json_schema == SCHEMA


@pytest.mark.parametrize("wrong", [{"type": "nothing"}, {"type": "object", "x": object()}, "River", 3])
def test_what_is_no_schema_is_refused_before_anything_is_sent(wrong: Any) -> None:
    with pytest.raises(ConfigError):
        structure(wrong)


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Rhine", "length_km": 1230.5, "seen_on": "2026-01-02"}',
        'Here:\n```json\n{"name": "Rhine", "length_km": 1230.5, "seen_on": "2026-01-02"}\n```\nBye.',
        'It is {"name": "Rhine", "length_km": 1230.5, "seen_on": "2026-01-02"}, as you see.',
    ],
)
def test_an_answer_becomes_the_model_also_where_words_stand_around_it(text: str) -> None:
    parsed, why = structure(River).read(text)
    assert parsed == River(name="Rhine", length_km=1230.5, seen_on=dt.date(2026, 1, 2))
    assert why == ""


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Town, '{"name": "Bonn", "rivers": []}', Town("Bonn", [])),
        (Place, '{"kind": "town", "people": 5}', {"kind": "town", "people": 5}),
        (list[int], '{"value": [1, 2]}', [1, 2]),
        (list[int], "[1, 2]", [1, 2]),
        (SCHEMA, '{"name": "x", "count": 2}', {"name": "x", "count": 2}),
    ],
)
def test_an_answer_becomes_a_value_of_the_type(kind: Any, text: str, expected: Any) -> None:
    assert structure(kind).read(text) == (expected, "")


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        (River, "I would rather not.", "it holds no JSON"),
        (River, '{"name": "Rhine"}', "length_km: Field required"),
        (River, '{"name": "Rhine", "length', "it holds no JSON"),
        (SCHEMA, '{"name": "x", "count": 0}', "['count']: 0 is less than the minimum of 1"),
        (SCHEMA, "[]", "the whole: [] is not of type 'object'"),
    ],
)
def test_an_answer_in_another_form_is_none_and_says_why(kind: Any, text: str, reason: str) -> None:
    parsed, why = structure(kind).read(text)
    assert parsed is None
    assert reason in why


def test_a_schema_counts_in_the_bound_on_input() -> None:
    question = [Message.user("Which?")]
    assert size_of(question, schema=SCHEMA).text_bytes - size_of(question).text_bytes > 100


@pytest.fixture
def closed_engine() -> Iterator[None]:
    yield
    engine().close()


def configure(home: Path, server: FaultServer) -> None:
    (home / "config.toml").write_text(
        f'[providers.lab]\nkind = "openai-compatible"\nbase_url = "{server.url}/v1"\n', encoding="utf-8"
    )


async def test_a_reply_is_parsed_and_the_server_was_asked_for_the_form(home: Path, closed_engine: None) -> None:
    async with FaultServer(
        stream(*said('{"name": "Rhine", ', '"length_km": 1230.5, "seen_on": null}'), DONE)
    ) as server:
        configure(home, server)
        reply = await valechat.Chat("lab/one").ask("Which river?", schema=River)
        asked = server.requests[0].json["response_format"]
    assert reply.parsed == River(name="Rhine", length_km=1230.5)
    assert reply.notes == ()
    assert asked["type"] == "json_schema"
    assert asked["json_schema"]["name"] == "River"
    assert asked["json_schema"]["strict"] is True


async def test_an_answer_in_another_form_is_kept_and_paid_and_a_note_says_why(home: Path, closed_engine: None) -> None:
    async with FaultServer(stream(*said('{"name": "Rhine"}'), DONE)) as server:
        configure(home, server)
        reply = await valechat.Chat("lab/one", schema=River).ask("Which river?")
    assert reply.parsed is None
    assert (reply.text, reply.status) == ('{"name": "Rhine"}', "complete")
    assert "length_km: Field required" in reply.notes[0]
    assert valechat.sql("select status from usage").fetchall() == [("complete",)]


async def test_without_a_schema_nothing_is_parsed(home: Path, closed_engine: None) -> None:
    async with FaultServer(stream(*said('{"name": "Rhine"}'), DONE)) as server:
        configure(home, server)
        reply = await valechat.Chat("lab/one", schema=River).ask("Which river?", schema=None)
    assert reply.parsed is None
    assert reply.notes == ()
