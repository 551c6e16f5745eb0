from __future__ import annotations

import json
from typing import Any

import openai.types.responses.response_create_params as sdk
import pytest
from pydantic import ValidationError

from tests.providers.sdk_types import check, strict_adapter
from valechat.messages import (
    CitationPart,
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    RefusalPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from valechat.providers._responses_request import responses_body
from valechat.providers.base import Capabilities, Options, Request, ToolSpec

SDK = strict_adapter(sdk.ResponseCreateParamsStreaming, "openai.types")

PNG = ImagePart(b"\x89PNG", "image/png")
PDF = FilePart(b"%PDF", "application/pdf", "paper.pdf")
CSV = FilePart("a,b\n1,é\n".encode(), "text/csv", "data.csv")
ADD = ToolSpec("add", "Adds", {"type": "object", "properties": {"a": {"type": "integer"}}})

WIRE = "openai.responses"
REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA", "status": "completed"}
THOUGHT = ThinkingPart("hm", WIRE, REASONING | {"provider": "lab"})
CALL = ToolCallPart("call_1", "add", '{"a": 1}', WIRE, {"id": "fc_1", "status": "completed", "provider": "lab"})
MARK = OpaquePart({"type": "message", "id": "msg_1", "phase": "final_answer", "provider": "lab"}, WIRE)
RESULT = Message("tool", (ToolResultPart("call_1", "add", "2"),))

EVERYTHING = (
    Message.user("Look", PNG, PDF, CSV),
    Message("assistant", (THOUGHT, CALL, ToolCallPart("functions.add:0", "add", "{", "openai.chat"))),
    Message(
        "tool",
        (
            ToolResultPart("call_1", "add", "2", images=(PNG,)),
            ToolResultPart("functions.add:0", "add", "bad", is_error=True),
        ),
    ),
    Message(
        "assistant", (TextPart("Two"), CitationPart("https://example.org"), TextPart("."), RefusalPart("No."), MARK)
    ),
    Message("assistant", (ThinkingPart("hm", "anthropic.messages", {"signature": "s"}), TextPart("More."))),
    Message.user("Thanks"),
)


def made(
    *messages: Message, model: str = "gpt-5-mini", capabilities: Capabilities | None = None, **request: Any
) -> tuple[dict[str, Any], list[str]]:
    asked = Request(model, messages or (Message.user("Hello"),), **request)
    return responses_body(asked, "lab", capabilities or Capabilities())


def body_of(*messages: Message, **request: Any) -> dict[str, Any]:
    """The body as it is on the wire, after the SDK's own types have agreed to it."""
    body: dict[str, Any] = json.loads(json.dumps(made(*messages, **request)[0]))
    check(SDK, body)
    return body


def items_of(*parts: Part) -> list[dict[str, Any]]:
    """The items of one answer, between two questions."""
    items: list[dict[str, Any]] = body_of(Message.user("a"), Message("assistant", parts), Message.user("b"))["input"]
    return items[1:-1]


def test_a_request_with_everything_is_what_the_sdk_would_send() -> None:
    schema = {"title": "My answer", "type": "object", "properties": {}, "additionalProperties": False, "required": []}
    options = Options(
        max_tokens=99,
        reasoning_effort="low",
        schema=schema,
        extra={"service_tier": "flex", "text": {"verbosity": "low"}},
    )
    body = body_of(*EVERYTHING, system="Be brief.", tools=[ADD], options=options)
    assert (body["instructions"], body["max_output_tokens"], body["service_tier"]) == ("Be brief.", 99, "flex")
    assert body["reasoning"] == {"effort": "low", "summary": "auto"}
    assert body["text"]["format"]["name"] == "My_answer"
    assert body["text"]["format"]["strict"] is True
    assert body["text"]["verbosity"] == "low"


def test_the_oracle_refuses_what_the_api_does_not_know() -> None:
    body = body_of()
    with pytest.raises(ValidationError):
        check(SDK, {**body, "seed": 1})
    with pytest.raises(ValidationError):
        check(SDK, {**body, "input": [{"type": "message", "role": "user", "content": [{"type": "text", "text": "a"}]}]})


def test_nothing_is_stored_and_reasoning_comes_along_encrypted() -> None:
    body = body_of()
    assert body["store"] is False
    assert body["include"] == ["reasoning.encrypted_content"]


@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-4o-mini", "gpt-5-chat-latest", "ft:gpt-4.1:me"])
def test_a_model_that_does_not_reason_is_not_asked_for_reasoning(model: str) -> None:
    body, notes = made(model=model, options=Options(reasoning_effort="high"))
    assert "include" not in body
    assert "reasoning" not in body
    assert "does not reason" in notes[0]


def test_reasoning_returns_verbatim_before_the_call_it_belongs_to() -> None:
    reasoning, call = items_of(THOUGHT, CALL)[:2]
    assert reasoning == REASONING
    assert call == {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": "add",
        "arguments": '{"a": 1}',
        "status": "completed",
    }


def test_reasoning_returns_before_the_message_it_belongs_to_under_that_messages_id() -> None:
    reasoning, message = items_of(THOUGHT, TextPart("Two"), CitationPart("https://e.org"), TextPart("."), MARK)
    assert reasoning == REASONING
    assert (message["id"], message["phase"]) == ("msg_1", "final_answer")
    assert [part["text"] for part in message["content"]] == ["Two."]


@pytest.mark.parametrize(
    "parts",
    [
        (THOUGHT,),
        (THOUGHT, TextPart("Half an ans")),
        (THOUGHT, ToolCallPart("call_1", "add", "{}", "openai.chat")),
        (ThinkingPart("hm"), TextPart("Yes.")),
        (ThinkingPart("hm", WIRE, {"type": "reasoning", "id": "rs_1", "summary": []}), TextPart("Yes."), MARK),
        (ThinkingPart("hm", WIRE, REASONING | {"provider": "another"}), TextPart("Yes."), MARK),
        (ThinkingPart("hm", "anthropic.messages", {"type": "thinking", "signature": "s"}), TextPart("Yes.")),
    ],
)
def test_reasoning_that_lost_what_followed_it_or_is_anothers_is_left_out(parts: tuple[Part, ...]) -> None:
    assert [item for item in items_of(*parts) if item["type"] == "reasoning"] == []


def test_an_answer_of_another_wire_is_plain_text() -> None:
    assert items_of(TextPart("Yes"), TextPart(".")) == [{"type": "message", "role": "assistant", "content": "Yes."}]


def test_a_hosted_tools_call_returns_and_another_wires_item_does_not() -> None:
    search = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "q"},
    }
    own = OpaquePart({**search, "provider": "lab"}, WIRE)
    foreign = OpaquePart({"type": "server_tool_use", "id": "s"}, "anthropic.messages")
    items = items_of(own, foreign, TextPart("So."))
    assert [item["type"] for item in items] == ["web_search_call", "message"]
    assert items[0] == search


def test_a_tools_images_and_failure_are_told() -> None:
    outputs = [item for item in body_of(*EVERYTHING, tools=[ADD])["input"] if item["type"] == "function_call_output"]
    assert [part["type"] for part in outputs[0]["output"]] == ["input_text", "input_image"]
    assert outputs[1]["output"] == "Error: bad"


def test_a_foreign_calls_id_and_arguments_are_made_acceptable_on_both_sides() -> None:
    items = body_of(*EVERYTHING, tools=[ADD])["input"]
    call = next(item for item in items if item["type"] == "function_call" and item["call_id"] != "call_1")
    answer = next(item for item in items if item["type"] == "function_call_output" and item["call_id"] != "call_1")
    assert call["call_id"] == answer["call_id"]
    assert json.loads(call["arguments"]) == {"invalid_arguments": "{"}


def test_images_documents_and_text_files_are_sent_as_such() -> None:
    _, image, pdf, text = body_of(Message.user("Look", PNG, PDF, CSV))["input"][0]["content"]
    assert image["image_url"] == "data:image/png;base64,iVBORw=="
    assert (pdf["filename"], pdf["file_data"]) == ("paper.pdf", "data:application/pdf;base64,JVBERg==")
    assert text["text"] == "File data.csv:\n\na,b\n1,é\n"


def test_what_the_model_cannot_take_is_left_out_and_said() -> None:
    archive = FilePart(b"PK", "application/zip", "a.zip")
    body, notes = made(Message.user("Look", PNG, archive), capabilities=Capabilities(images=False))
    assert [part["type"] for part in body["input"][0]["content"]] == ["input_text"] * 3
    assert len(notes) == 2


def test_a_seed_is_said_to_be_left_out() -> None:
    body, notes = made(options=Options(seed=1))
    assert "seed" not in body
    assert "no seed" in notes[0]


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        ("gpt-4.1", None, True),
        ("gpt-5-mini", None, False),
        ("o3", None, False),
        ("gpt-5.2", None, True),
        ("gpt-5.2", "none", True),
        ("gpt-5.2", "high", False),
    ],
)
def test_temperature_is_left_out_and_said_where_it_would_be_refused(model: str, effort: str | None, sent: bool) -> None:
    body, notes = made(model=model, options=Options(temperature=0.2, reasoning_effort=effort))
    assert ("temperature" in body) is sent
    assert any("temperature" in note for note in notes) is not sent


def test_tools_are_not_strict_unless_they_say_so() -> None:
    (tool,) = body_of(tools=[ADD])["tools"]
    assert tool["strict"] is False


def test_extra_options_win_and_none_takes_a_name_out() -> None:
    extra = {"prompt_cache_key": "k", "reasoning": {"summary": "detailed"}, "include": None}
    body = body_of(options=Options(reasoning_effort="low", extra=extra))
    assert body["prompt_cache_key"] == "k"
    assert body["reasoning"] == {"effort": "low", "summary": "detailed"}
    assert "include" not in body


def test_a_tools_long_description_is_told_within_what_the_api_takes() -> None:
    (tool,) = body_of(Message.user("Hi"), tools=[ToolSpec("add", "Adds. " * 500, ADD.parameters)])["tools"]
    assert len(tool["description"]) <= 1024
    assert tool["description"].count("Adds.") + tool["parameters"]["description"].count("Adds.") == 500
