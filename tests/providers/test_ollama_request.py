from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import ollama
import pytest
from ollama._types import ChatRequest
from pydantic import Base64Bytes, ConfigDict, ValidationError

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
from valechat.providers._ollama_request import ollama_body
from valechat.providers.base import Capabilities, Options, Request, ToolSpec

PNG = ImagePart(b"\x89PNG", "image/png")
PDF = FilePart(b"%PDF", "application/pdf", "paper.pdf")
CSV = FilePart("a,b\n1,é\n".encode(), "text/csv", "data.csv")
ADD = ToolSpec("add", "Adds", {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]})
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}

WIRE = "ollama.chat"
OWN = ThinkingPart("hm", WIRE, {"provider": "lab"})
CALL = ToolCallPart("call_1", "add", '{"a": 1}', WIRE)
RESULT = Message("tool", (ToolResultPart("call_1", "add", "2"),))
FORBID = ConfigDict(extra="forbid", strict=True)


class StrictFunction(ollama.Message.ToolCall.Function):
    model_config = FORBID


class StrictCall(ollama.Message.ToolCall):
    """With `id`, which the server's `ToolCall` has and the SDK's does not yet."""

    model_config = FORBID
    id: str | None = None
    function: StrictFunction


class StrictMessage(ollama.Message):
    """As it is on the wire, with `tool_call_id`, which the server's `Message` has and the SDK's does not yet."""

    model_config = FORBID
    images: Sequence[Base64Bytes] | None = None  # type: ignore[assignment]  # the SDK also takes paths
    tool_calls: Sequence[StrictCall] | None = None
    tool_call_id: str | None = None


class StrictOptions(ollama.Options):
    model_config = FORBID


class StrictRequest(ChatRequest):
    model_config = FORBID
    messages: Sequence[StrictMessage] | None = None
    options: StrictOptions | None = None


def check(body: dict[str, Any]) -> None:
    """The SDK's own types agree to the body as it is on the wire."""
    StrictRequest.model_validate_json(json.dumps(body))


def made(*messages: Message, able: Capabilities | None = None, **request: Any) -> tuple[dict[str, Any], list[str]]:
    asked = Request("qwen3:8b", messages or (Message.user("Hello"),), **request)
    return ollama_body(asked, "lab", able or Capabilities())


def body_of(*messages: Message, **request: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(json.dumps(made(*messages, **request)[0]))
    check(body)
    return body


def notes_of(*messages: Message, **request: Any) -> list[str]:
    return made(*messages, **request)[1]


EVERYTHING = (
    Message("system", (TextPart("Be kind."),)),
    Message.user("Look", PNG, CSV),
    Message("assistant", (OWN, TextPart("I add."), CALL, ToolCallPart("call:0", "add", "{"))),
    Message(
        "tool",
        (ToolResultPart("call_1", "add", "2", images=(PNG,)), ToolResultPart("call:0", "add", "bad", is_error=True)),
    ),
    Message("assistant", (TextPart("Two."), CitationPart("https://example.org"), RefusalPart(" No more."))),
    Message.user("Thanks"),
)


def test_a_request_with_everything_is_what_the_sdk_would_send() -> None:
    body = body_of(
        *EVERYTHING,
        system="Be brief.",
        tools=[ADD],
        options=Options(temperature=0.5, max_tokens=9, seed=3, schema=SCHEMA, reasoning_effort="low"),
    )
    assert body["options"] == {"temperature": 0.5, "num_predict": 9, "seed": 3}
    assert (body["format"], body["think"], body["stream"]) == (SCHEMA, "low", True)
    assert body["tools"][0]["function"] == {"name": "add", "description": "Adds", "parameters": ADD.parameters}
    roles = [message["role"] for message in body["messages"]]
    assert roles == ["system", "system", "user", "assistant", "tool", "tool", "user", "assistant", "user"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonsense": 1},
        {"options": {"max_tokens": 9}},
        {"messages": [{"role": "user", "words": "x"}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "a", "arguments": "{}"}}]}]},
    ],
)
def test_the_oracle_refuses_what_the_api_does_not_know(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        check({"model": "m", **wrong})


def test_arguments_are_objects_and_results_name_their_call() -> None:
    messages = body_of(*EVERYTHING)["messages"]
    assert messages[2]["tool_calls"][0] == {"id": "call_1", "function": {"name": "add", "arguments": {"a": 1}}}
    assert messages[2]["tool_calls"][1]["function"]["arguments"] == {"invalid_arguments": "{"}
    assert messages[3] == {"role": "tool", "content": "2", "tool_name": "add", "tool_call_id": "call_1"}
    assert messages[4]["content"] == "Error: bad"


def test_images_stand_beside_the_text_and_text_files_in_it() -> None:
    message = body_of(Message.user("Look", PNG, CSV))["messages"][0]
    assert [base64.b64decode(image) for image in message["images"]] == [PNG.data]
    assert message["content"] == "Look\n\nFile data.csv:\n\na,b\n1,é\n"


def test_a_tools_images_follow_its_result() -> None:
    shown = body_of(*EVERYTHING)["messages"][5]
    assert shown["role"] == "user"
    assert len(shown["images"]) == 1


def test_own_thoughts_return_while_tools_are_called_and_not_later() -> None:
    calling = (Message.user("a"), Message("assistant", (OWN, CALL)), RESULT)
    assert body_of(*calling)["messages"][1]["thinking"] == "hm"
    assert "thinking" not in body_of(*calling, Message.user("b"))["messages"][1]


@pytest.mark.parametrize(
    "foreign",
    [
        ThinkingPart("hm"),
        ThinkingPart("hm", WIRE, {"provider": "another"}),
        ThinkingPart("hm", "anthropic.messages", {"signature": "x"}),
        OpaquePart({"type": "web_search_call"}, "openai.responses"),
    ],
)
def test_reasoning_and_items_from_elsewhere_are_left_out(foreign: Part) -> None:
    messages = body_of(Message.user("a"), Message("assistant", (foreign, TextPart("b"))))["messages"]
    assert messages[1] == {"role": "assistant", "content": "b"}


def test_an_answer_that_was_cut_while_reasoning_is_left_out() -> None:
    body = body_of(Message.user("a"), Message("assistant", (ThinkingPart("half"),)), Message.user("b"))
    assert [message["role"] for message in body["messages"]] == ["user", "user"]


@pytest.mark.parametrize(
    ("effort", "think"),
    [(None, None), ("none", False), ("minimal", "low"), ("medium", "medium"), ("max", "max"), ("xhigh", "high")],
)
def test_the_effort_is_asked_for_in_the_words_of_the_server(effort: str | None, think: bool | str | None) -> None:
    assert body_of(options=Options(reasoning_effort=effort)).get("think") == think


def test_a_model_that_does_not_reason_is_not_asked_to() -> None:
    asked: dict[str, Any] = {"able": Capabilities(reasoning=False), "options": Options(reasoning_effort="high")}
    assert "think" not in body_of(**asked)
    assert "does not reason" in notes_of(**asked)[0]


def test_a_model_that_takes_no_tools_and_images_is_given_none_and_it_is_said() -> None:
    able = Capabilities(tools=False, images=False)
    body = body_of(Message.user("Look", PNG), able=able, tools=[ADD])
    assert "tools" not in body
    assert body["messages"] == [{"role": "user", "content": "Look\n\n[An image was left out here.]"}]
    assert len(notes_of(Message.user("Look", PNG), able=able, tools=[ADD])) == 2


def test_a_file_it_cannot_take_is_left_out_and_said() -> None:
    assert "left out" in body_of(Message.user("Look", PDF))["messages"][0]["content"]
    assert "paper.pdf" in notes_of(Message.user("Look", PDF))[0]


def test_extra_options_are_merged_and_win() -> None:
    extra: dict[str, Any] = {"options": {"num_ctx": 8192}, "keep_alive": "30m", "stream": None}
    body = body_of(options=Options(max_tokens=9, extra=extra))
    assert body["options"] == {"num_predict": 9, "num_ctx": 8192}
    assert body["keep_alive"] == "30m"
    assert "stream" not in body


def test_nothing_is_said_of_what_was_not_asked_for() -> None:
    assert set(body_of()) == {"model", "stream", "messages"}
