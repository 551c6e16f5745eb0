from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from typing import Any

import openai.types.chat.completion_create_params as sdk
import pytest
from pydantic import ValidationError

from tests.providers.sdk_types import check, strict_adapter
from valechat.messages import (
    CitationPart,
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    RefusalPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from valechat.providers._chat_request import Dialect, chat_body
from valechat.providers.base import Capabilities, Options, Request, ToolSpec

OPENAI = Dialect(completion_tokens=True, files=True)
SDK = strict_adapter(sdk.CompletionCreateParamsStreaming, "openai.types")

PNG = ImagePart(b"\x89PNG", "image/png")
PDF = FilePart(b"%PDF", "application/pdf", "paper.pdf")
CSV = FilePart("a,b\n1,é\n".encode(), "text/csv", "data.csv")
ADD = ToolSpec("add", "Adds", {"type": "object", "properties": {"a": {"type": "integer"}}})


def call(call_id: str, arguments: str = '{"a": 1}') -> ToolCallPart:
    return ToolCallPart(call_id, "add", arguments, "openai.chat")


def body_of(
    *messages: Message,
    dialect: Dialect = OPENAI,
    capabilities: Capabilities | None = None,
    options: Options | None = None,
    **request: Any,
) -> tuple[dict[str, Any], list[str]]:
    asked = Request("gpt-4.1", messages, options=options or Options(), **request)
    body, notes = chat_body(asked, "lab", dialect, capabilities or Capabilities())
    return json.loads(json.dumps(body)), notes


EVERYTHING = (
    Message("system", (TextPart("Be kind."),)),
    Message.user("Look", PNG, PDF, CSV),
    Message(
        "assistant",
        (ThinkingPart("hm", "anthropic.messages", {"signature": "s"}), TextPart("I add."), call("c1"), call("c2", "{")),
    ),
    Message(
        "tool", (ToolResultPart("c1", "add", "2", images=(PNG,)), ToolResultPart("c2", "add", "bad", is_error=True))
    ),
    Message("assistant", (TextPart("Two."), CitationPart("https://example.org"), RefusalPart("No more."))),
    Message.user("Thanks"),
)


def test_a_request_with_everything_is_what_the_sdk_would_send() -> None:
    options = Options(
        temperature=0.5,
        max_tokens=100,
        reasoning_effort="low",
        seed=7,
        schema={"type": "object", "properties": {"n": {"type": "integer"}}, "title": "My answer"},
        extra={"top_p": 0.9, "service_tier": "flex", "stop": ["\n"]},
    )
    body, notes = body_of(*EVERYTHING, system="You count.", tools=[ADD], options=options)
    check(SDK, body)
    assert notes == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body.update(max_token=1),
        lambda body: body["messages"][1]["content"][1]["image_url"].update(size=1),
        lambda body: body["messages"][2]["tool_calls"][0].update(index=0),
        lambda body: body["tools"][0].update(name="add"),
        lambda body: body["messages"][3].pop("tool_call_id"),
    ],
)
def test_the_check_against_the_sdk_sees_mistakes(spoil: Callable[[dict[str, Any]], object]) -> None:
    body, _ = body_of(*EVERYTHING[1:], tools=[ADD])
    check(SDK, body)
    spoiled = copy.deepcopy(body)
    spoiled["messages"].insert(0, {"role": "system", "content": "x"})
    spoil(spoiled)
    with pytest.raises(ValidationError):
        check(SDK, spoiled)


def test_text_alone_is_sent_as_a_string() -> None:
    body, _ = body_of(Message.user("Hello"), system="Be kind.")
    assert body["messages"] == [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"}]


def test_usage_is_asked_for() -> None:
    body, _ = body_of(Message.user("x"))
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}


def test_images_are_sent_as_data_urls() -> None:
    body, _ = body_of(Message.user("Look", PNG))
    url = f"data:image/png;base64,{base64.b64encode(PNG.data).decode()}"
    assert body["messages"][0]["content"][1] == {"type": "image_url", "image_url": {"url": url}}


def test_images_are_left_out_and_said_for_a_model_that_takes_none() -> None:
    body, notes = body_of(Message.user("Look", PNG, PNG), capabilities=Capabilities(images=False))
    assert body["messages"][0]["content"].count("left out") == 2
    assert len(notes) == 1
    assert "Images were left out" in notes[0]


def test_a_pdf_is_left_out_and_said_where_the_server_takes_none() -> None:
    body, notes = body_of(Message.user("Read", PDF), dialect=Dialect())
    assert "paper.pdf was left out" in body["messages"][0]["content"]
    assert "paper.pdf" in notes[0]


def test_a_text_file_is_sent_as_text_everywhere() -> None:
    body, notes = body_of(Message.user("Read", CSV), dialect=Dialect())
    assert "a,b\n1,é\n" in body["messages"][0]["content"]
    assert "data.csv" in body["messages"][0]["content"]
    assert notes == []


def test_reasoning_of_others_is_not_sent() -> None:
    thinking = ThinkingPart("secret", "anthropic.messages", {"signature": "x"})
    body, _ = body_of(Message.user("q"), Message("assistant", (thinking, TextPart("a"))))
    assert body["messages"][1] == {"role": "assistant", "content": "a"}


def test_an_answer_of_reasoning_only_is_not_sent() -> None:
    body, _ = body_of(Message.user("q"), Message("assistant", (ThinkingPart("hm"),)), Message.user("r"))
    assert [message["role"] for message in body["messages"]] == ["user", "user"]


def test_own_reasoning_returns_within_the_turn_and_only_there() -> None:
    own = ThinkingPart("hm", "openai.chat", {"provider": "lab", "field": "reasoning_content"})
    turn = (Message("assistant", (own, call("c1"))), Message("tool", (ToolResultPart("c1", "add", "2"),)))
    body, _ = body_of(Message.user("q"), *turn, Message.user("r"), *turn, dialect=Dialect(replay_reasoning=True))
    assert [message.get("reasoning_content") for message in body["messages"]] == [None, None, None, None, "hm", None]


def test_own_reasoning_does_not_return_to_another_provider() -> None:
    other = ThinkingPart("hm", "openai.chat", {"provider": "deepseek", "field": "reasoning_content"})
    body, _ = body_of(
        Message.user("q"), Message("assistant", (other, call("c1"))), dialect=Dialect(replay_reasoning=True)
    )
    assert "reasoning_content" not in body["messages"][1]


def test_images_of_tools_follow_after_all_results_in_a_users_message() -> None:
    results = Message("tool", (ToolResultPart("c1", "add", "one", images=(PNG,)), ToolResultPart("c2", "add", "two")))
    body, _ = body_of(Message.user("q"), Message("assistant", (call("c1"), call("c2"))), results, Message.user("next"))
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "tool", "tool", "user", "user"]
    assert [part["type"] for part in body["messages"][4]["content"]] == ["text", "image_url"]


def test_results_in_messages_of_their_own_stay_together() -> None:
    first = Message("tool", (ToolResultPart("c1", "add", "one", images=(PNG,)),))
    second = Message("tool", (ToolResultPart("c2", "add", "two"),))
    body, _ = body_of(Message.user("q"), Message("assistant", (call("c1"), call("c2"))), first, second)
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "tool", "tool", "user"]


def test_a_failed_tool_says_so() -> None:
    failed = Message("tool", (ToolResultPart("c1", "add", "division by zero", is_error=True),))
    body, _ = body_of(Message.user("q"), Message("assistant", (call("c1"),)), failed)
    assert body["messages"][2]["content"] == "Error: division by zero"


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [('{"a": 1}', {"a": 1}), ("", {}), ("{", {"invalid_arguments": "{"}), ("[1]", {"invalid_arguments": "[1]"})],
)
def test_arguments_are_always_an_object(arguments: str, sent: Any) -> None:
    body, _ = body_of(Message.user("q"), Message("assistant", (call("c1", arguments),)))
    assert json.loads(body["messages"][1]["tool_calls"][0]["function"]["arguments"]) == sent


def test_deeply_nested_arguments_do_no_harm() -> None:
    body, _ = body_of(Message.user("q"), Message("assistant", (call("c1", "[" * 100_000),)))
    assert "invalid_arguments" in body["messages"][1]["tool_calls"][0]["function"]["arguments"]


@pytest.mark.parametrize(("dialect", "pattern"), [(Dialect(nine_character_ids=True), 9), (Dialect(), 37)])
def test_ids_of_other_providers_are_made_to_fit_and_still_match(dialect: Dialect, pattern: int) -> None:
    long = "toolu_" + "x" * 60
    messages = (Message("assistant", (call(long),)), Message("tool", (ToolResultPart(long, "add", "2"),)))
    body, _ = body_of(Message.user("q"), *messages, dialect=dialect)
    sent = body["messages"][1]["tool_calls"][0]["id"]
    assert len(sent) == pattern
    assert body["messages"][2]["tool_call_id"] == sent


@pytest.mark.parametrize(
    ("model", "dialect", "name"),
    [
        ("gpt-4o", OPENAI, "max_completion_tokens"),
        ("gpt-4o", Dialect(), "max_tokens"),
        ("o4-mini", Dialect(), "max_completion_tokens"),
        ("gpt-5-mini", Dialect(), "max_completion_tokens"),
        ("openai/gpt-5", Dialect(), "max_completion_tokens"),
        ("llama-3.3", Dialect(), "max_tokens"),
        ("gpt-oss:20b", Dialect(), "max_tokens"),
        ("olmo-2", Dialect(), "max_tokens"),
    ],
)
def test_the_limit_has_the_name_the_model_knows(model: str, dialect: Dialect, name: str) -> None:
    request = Request(model, [Message.user("q")], options=Options(max_tokens=5))
    body, _ = chat_body(request, "lab", dialect, Capabilities())
    assert [key for key in body if key.startswith("max_")] == [name]


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        ({"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False}, True),
        ({"type": "object", "properties": {"a": {}}, "required": ["a"]}, False),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, False),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "array", "items": {"type": "object"}}},
                "required": ["a"],
                "additionalProperties": False,
            },
            False,
        ),
        (
            {
                "$defs": {"P": {"type": "object", "properties": {"x": {}}}},
                "type": "object",
                "properties": {"a": {"$ref": "#/$defs/P"}},
                "required": ["a"],
                "additionalProperties": False,
            },
            False,
        ),
    ],
)
def test_a_schema_is_strict_where_it_can_be(schema: dict[str, Any], strict: bool) -> None:
    body, _ = body_of(Message.user("q"), options=Options(schema=schema))
    assert body["response_format"]["json_schema"]["strict"] is strict
    assert body["response_format"]["json_schema"]["schema"] == schema


def test_a_schema_is_asked_for_in_words_where_the_server_takes_none() -> None:
    body, notes = body_of(
        Message.user("q"), options=Options(schema={"type": "object"}), dialect=Dialect(json_schema=False)
    )
    assert body["response_format"] == {"type": "json_object"}
    assert '{"type": "object"}' in body["messages"][0]["content"]
    assert notes


def test_extra_options_win_and_none_takes_a_name_out() -> None:
    body, _ = body_of(
        Message.user("q"), options=Options(temperature=1, extra={"temperature": 0, "stream_options": None})
    )
    assert body["temperature"] == 0
    assert "stream_options" not in body


def test_a_part_it_does_not_know_is_left_out_and_said() -> None:
    body, notes = body_of(Message("user", (TextPart("q"), OpaquePart({"kind": "hologram"}))))
    assert body["messages"] == [{"role": "user", "content": "q"}]
    assert notes


def test_another_wires_own_items_are_left_out_without_a_word() -> None:
    _, notes = body_of(Message("user", (TextPart("q"), OpaquePart({"type": "reasoning"}, "openai.responses"))))
    assert notes == []


def test_a_tools_long_description_is_told_within_what_openai_takes() -> None:
    body, _ = body_of(Message.user("Hi"), tools=[ToolSpec("add", "Adds. " * 500, ADD.parameters)])
    (tool,) = body["tools"]
    function = tool["function"]
    assert len(function["description"]) <= 1024
    assert function["description"].count("Adds.") + function["parameters"]["description"].count("Adds.") == 500
