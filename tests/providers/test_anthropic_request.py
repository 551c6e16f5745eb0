from __future__ import annotations

import base64
import json
from typing import Any

import anthropic.types.message_create_params as sdk
import pytest
from anthropic.types.beta import BetaThinkingConfigAdaptiveParam
from pydantic import ValidationError

from tests.providers.sdk_types import check, strict_adapter
from valechat.billing.estimate import default_max_tokens
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
from valechat.providers._anthropic_request import BINDING_BETA, AnthropicBody, anthropic_body
from valechat.providers.base import Options, Request, ToolSpec

SDK = strict_adapter(sdk.MessageCreateParamsStreaming, "anthropic.types")

PNG = ImagePart(b"\x89PNG", "image/png")
PDF = FilePart(b"%PDF", "application/pdf", "paper.pdf")
CSV = FilePart("a,b\n1,é\n".encode(), "text/csv", "data.csv")
ADD = ToolSpec("add", "Adds", {"type": "object", "properties": {"a": {"type": "integer"}}})
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}

WIRE = "anthropic.messages"
SIGNED = ThinkingPart("hm", WIRE, {"type": "thinking", "signature": "c2ln", "provider": "lab"})
REDACTED = ThinkingPart("", WIRE, {"type": "redacted_thinking", "data": "xyz", "provider": "lab"})
CALL = ToolCallPart("toolu_1", "add", '{"a": 1}', WIRE, {"provider": "lab"})
RESULT = Message("tool", (ToolResultPart("toolu_1", "add", "2"),))


def made(*messages: Message, model: str = "claude-sonnet-4-5", **request: Any) -> AnthropicBody:
    return anthropic_body(Request(model, messages or (Message.user("Hello"),), **request), "lab")


def body_of(*messages: Message, model: str = "claude-sonnet-4-5", **request: Any) -> dict[str, Any]:
    """The body as it is on the wire, after the SDK's own types have agreed to it."""
    body: dict[str, Any] = json.loads(json.dumps(made(*messages, model=model, **request).body))
    # The SDK's types are of a version of the API that knows no temperature; the one that is pinned does.
    check(SDK, {name: value for name, value in body.items() if name != "temperature"})
    return body


def notes_of(*messages: Message, model: str = "claude-sonnet-4-5", **request: Any) -> list[str]:
    return made(*messages, model=model, **request).notes


EVERYTHING = (
    Message("system", (TextPart("Be kind."),)),
    Message.user("Look", PNG, PDF, CSV),
    Message("assistant", (SIGNED, REDACTED, TextPart("I add."), CALL, ToolCallPart("call:0", "add", "{"))),
    Message(
        "tool",
        (ToolResultPart("toolu_1", "add", "2", images=(PNG,)), ToolResultPart("call:0", "add", "bad", is_error=True)),
    ),
    Message("assistant", (TextPart("Two."), CitationPart("https://example.org"), RefusalPart(" No more."))),
    Message.user("Thanks"),
)


def test_a_request_with_everything_is_what_the_sdk_would_send() -> None:
    body = body_of(
        *EVERYTHING,
        system="Be brief.",
        tools=[ADD],
        options=Options(temperature=0.5, max_tokens=9, schema=SCHEMA, extra={"stop_sequences": ["END"]}),
    )
    assert body["system"] == [{"type": "text", "text": "Be brief.\n\nBe kind."}]
    assert (body["temperature"], body["max_tokens"], body["stop_sequences"]) == (0.5, 9, ["END"])
    assert body["tools"] == [{"name": "add", "description": "Adds", "input_schema": ADD.parameters}]


def test_the_oracle_refuses_what_the_api_does_not_know() -> None:
    body = {"model": "m", "max_tokens": 1, "stream": True, "messages": [], "nonsense": 1}
    with pytest.raises(ValidationError):
        check(SDK, body)
    del body["nonsense"]
    check(SDK, body)
    with pytest.raises(ValidationError):
        check(SDK, {**body, "messages": [{"role": "user", "content": [{"type": "text", "words": "x"}]}]})


def test_roles_alternate_and_tool_results_stand_first_in_their_turn() -> None:
    body = body_of(*EVERYTHING, tools=[ADD])
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user", "assistant", "user"]
    body = body_of(Message.user("a"), Message("assistant", (CALL,)), RESULT, Message.user("and"), tools=[ADD])
    assert [block["type"] for block in body["messages"][2]["content"]] == ["tool_result", "text"]


def test_neighbours_of_one_role_become_one_message() -> None:
    body = body_of(Message.user("a"), Message.user("b"), Message("assistant", (TextPart("c"),)))
    assert [[block["text"] for block in message["content"]] for message in body["messages"]] == [["a", "b"], ["c"]]


def test_own_reasoning_returns_unchanged_and_in_its_place() -> None:
    content = body_of(*EVERYTHING, tools=[ADD])["messages"][1]["content"]
    assert content[0] == {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    assert content[1] == {"type": "redacted_thinking", "data": "xyz"}
    assert content[2] == {"type": "text", "text": "I add."}


@pytest.mark.parametrize(
    "foreign",
    [
        ThinkingPart("hm"),
        ThinkingPart("hm", WIRE),
        ThinkingPart("hm", "openai.responses", {"type": "reasoning", "encrypted_content": "x"}),
        ThinkingPart("hm", WIRE, {"type": "thinking", "signature": "s", "provider": "another"}),
        OpaquePart({"type": "web_search_call", "id": "ws_1"}, "openai.responses"),
    ],
)
def test_reasoning_and_items_from_elsewhere_are_left_out(foreign: ThinkingPart | OpaquePart) -> None:
    body = body_of(Message.user("a"), Message("assistant", (foreign, TextPart("b"))), Message.user("c"))
    assert body["messages"][1]["content"] == [{"type": "text", "text": "b"}]


def test_an_answer_that_was_cut_while_reasoning_is_left_out() -> None:
    body = body_of(Message.user("a"), Message("assistant", (ThinkingPart("half"),)), Message.user("b"))
    assert [message["role"] for message in body["messages"]] == ["user"]


def test_arguments_that_are_no_object_are_sent_as_one() -> None:
    cut = Message("assistant", (ToolCallPart("toolu_1", "add", '{"a": '),))
    empty = Message("assistant", (ToolCallPart("toolu_2", "add", ""),))
    messages = body_of(Message.user("a"), cut, RESULT, empty, tools=[ADD])["messages"]
    assert messages[1]["content"][0]["input"] == {"invalid_arguments": '{"a": '}
    assert messages[3]["content"][0]["input"] == {}


def test_the_id_of_another_providers_call_is_made_acceptable_on_both_sides() -> None:
    foreign = Message("assistant", (ToolCallPart("functions.add:0", "add", "{}", "openai.chat"),))
    answer = Message("tool", (ToolResultPart("functions.add:0", "add", "2"),))
    messages = body_of(Message.user("a"), foreign, answer, tools=[ADD])["messages"]
    call_id = messages[1]["content"][0]["id"]
    assert call_id.replace("_", "").isalnum()
    assert messages[2]["content"][0]["tool_use_id"] == call_id


def test_a_failed_tool_is_marked_and_its_images_are_sent() -> None:
    first, second = body_of(*EVERYTHING, tools=[ADD])["messages"][2]["content"]
    assert [block["type"] for block in first["content"]] == ["text", "image"]
    assert "is_error" not in first
    assert second["is_error"] is True


def test_a_conversation_with_calls_but_no_tools_on_offer_names_them_and_allows_none() -> None:
    body = body_of(Message.user("a"), Message("assistant", (CALL,)), RESULT)
    assert [tool["name"] for tool in body["tools"]] == ["add"]
    assert body["tool_choice"] == {"type": "none"}


def test_blank_text_is_never_sent() -> None:
    messages = (Message.user("a"), Message("assistant", (TextPart(" \n"), CALL)), RESULT, Message.user("  "))
    body = body_of(*messages, tools=[ADD])
    assert [block["type"] for block in body["messages"][1]["content"]] == ["tool_use"]
    assert [block["type"] for block in body["messages"][2]["content"]] == ["tool_result"]


def test_images_documents_and_text_files_are_sent_as_such() -> None:
    _, image, pdf, text = body_of(Message.user("Look", PNG, PDF, CSV))["messages"][0]["content"]
    assert base64.b64decode(image["source"]["data"]) == PNG.data
    assert (pdf["title"], pdf["source"]["media_type"]) == ("paper.pdf", "application/pdf")
    assert text["source"] == {"type": "text", "media_type": "text/plain", "data": "a,b\n1,é\n"}


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (ImagePart(b"<svg/>", "image/svg+xml"), "image/svg+xml"),
        (FilePart(b"PK", "application/zip", "a.zip"), "application/zip"),
    ],
)
def test_what_it_cannot_take_is_left_out_and_said(part: ImagePart | FilePart, said: str) -> None:
    content = body_of(Message.user("Look", part))["messages"][0]["content"]
    assert "left out" in content[1]["text"]
    assert said in " ".join(notes_of(Message.user("Look", part)))


def test_a_servers_tool_returns_with_its_result() -> None:
    use = OpaquePart(
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}, WIRE
    )
    found = OpaquePart({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}, WIRE)
    whole = body_of(Message.user("a"), Message("assistant", (use, found, TextPart("b"))), Message.user("c"))
    assert [block["type"] for block in whole["messages"][1]["content"]] == [
        use.data["type"],
        found.data["type"],
        "text",
    ]
    cut = body_of(Message.user("a"), Message("assistant", (TextPart("b"), use)), Message.user("c"))
    assert [block["type"] for block in cut["messages"][1]["content"]] == ["text"]
    paused = body_of(Message.user("a"), Message("assistant", (TextPart("b"), use)))
    assert [block["type"] for block in paused["messages"][1]["content"]] == ["text", "server_tool_use"]


@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-opus-5-5", "claude-3-7-sonnet-20250219", "another"])
def test_max_tokens_is_what_the_limits_reckon_with(model: str) -> None:
    assert body_of(model=model)["max_tokens"] == default_max_tokens(f"anthropic/{model}")


def test_an_old_model_is_not_asked_for_more_than_it_makes() -> None:
    assert body_of(model="claude-3-haiku-20240307")["max_tokens"] == 4096
    assert body_of(model="claude-3-5-haiku-20241022", options=Options(max_tokens=16_384))["max_tokens"] == 8192


@pytest.mark.parametrize(
    ("model", "effort", "thinking", "output"),
    [
        ("claude-3-5-sonnet-20241022", "high", None, None),
        ("claude-3-7-sonnet-20250219", "minimal", {"type": "enabled", "budget_tokens": 1024}, None),
        ("claude-haiku-4-5", "high", {"type": "enabled", "budget_tokens": 12_288}, None),
        ("claude-haiku-4-5", "none", None, None),
        ("claude-opus-4-6", "medium", {"type": "adaptive"}, "medium"),
        ("claude-opus-4-8", None, None, None),
        ("claude-opus-4-8", "low", {"type": "adaptive", "display": "summarized"}, "low"),
        ("claude-sonnet-5", None, {"type": "adaptive", "display": "summarized"}, None),
        ("claude-sonnet-5", "none", {"type": "disabled"}, None),
        ("claude-sonnet-5-5", "minimal", {"type": "adaptive", "display": "summarized"}, "low"),
        ("claude-sonnet-5-5", "none", {"type": "between_tools"}, None),
        ("claude-opus-5-5", "none", {"type": "adaptive", "display": "summarized"}, "low"),
        ("claude-fable-5", "max", {"type": "adaptive", "display": "summarized"}, "max"),
    ],
)
def test_the_effort_is_asked_for_as_the_model_takes_it(
    model: str, effort: str | None, thinking: dict[str, Any] | None, output: str | None
) -> None:
    body = body_of(model=model, options=Options(reasoning_effort=effort))
    assert body.get("thinking") == thinking
    assert body.get("output_config", {}).get("effort") == output


def test_a_budget_leaves_room_for_the_answer() -> None:
    body = body_of(options=Options(reasoning_effort="high", max_tokens=4000))
    assert body["thinking"]["budget_tokens"] == 3000
    small = made(options=Options(reasoning_effort="high", max_tokens=500))
    assert "thinking" not in small.body
    assert "no room" in small.notes[0]


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [("claude-sonnet-4-5", None, True), ("claude-sonnet-4-5", "low", False), ("claude-opus-4-7", None, False)],
)
def test_temperature_is_left_out_and_said_where_it_would_be_refused(model: str, effort: str | None, sent: bool) -> None:
    options = Options(temperature=0.2, reasoning_effort=effort)
    assert ("temperature" in body_of(model=model, options=options)) is sent
    assert any("temperature" in note for note in notes_of(model=model, options=options)) is not sent


def test_a_seed_is_said_to_be_left_out() -> None:
    assert "seed" not in body_of(options=Options(seed=1))
    assert "no seed" in notes_of(options=Options(seed=1))[0]


def test_a_schema_is_closed_and_asked_for_by_the_wires_own_means() -> None:
    body = body_of(options=Options(schema=SCHEMA))
    assert body["output_config"]["format"]["schema"] == {
        "type": "object",
        "properties": {"n": {"type": "integer", "description": "{minimum: 1}"}},
        "required": ["n"],
        "additionalProperties": False,
    }
    assert "tools" not in body


def test_a_model_that_takes_no_schema_is_asked_in_words_and_it_is_said() -> None:
    asked = made(model="claude-3-5-haiku-20241022", options=Options(schema=SCHEMA))
    assert "output_config" not in asked.body
    assert '"minimum": 1' in asked.body["system"][0]["text"]
    assert "in words" in asked.notes[0]


def test_extra_options_win_and_none_takes_a_name_out() -> None:
    extra = {"service_tier": "standard_only", "output_config": {"effort": "max"}, "max_tokens": None}
    body = made(options=Options(schema=SCHEMA, extra=extra)).body
    assert body["service_tier"] == "standard_only"
    assert set(body["output_config"]) == {"format", "effort"}
    assert "max_tokens" not in body


def test_reasoning_whose_conversation_changed_may_be_dropped_by_the_server() -> None:
    conversation = (Message.user("a"), Message("assistant", (SIGNED, TextPart("b"))), Message.user("c"))
    bound = made(*conversation, model="claude-opus-5-5")
    assert bound.betas == (BINDING_BETA,)
    assert bound.body["thinking"]["block_binding"] == {"prefix_mismatch_behavior": "drop_block"}
    check(strict_adapter(BetaThinkingConfigAdaptiveParam, "anthropic.types"), bound.body["thinking"])
    assert made(*conversation, model="claude-opus-5").betas == ()
    assert made(Message.user("a"), model="claude-opus-5-5").betas == ()
    assert anthropic_body(Request("claude-opus-5-5", conversation), "lab", official=False).betas == ()


def test_the_conversation_itself_is_not_changed() -> None:
    before = json.dumps([repr(message) for message in EVERYTHING])
    body_of(*EVERYTHING, tools=[ADD])
    assert json.dumps([repr(message) for message in EVERYTHING]) == before
    assert "cache_control" not in ADD.parameters
