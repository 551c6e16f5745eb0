from __future__ import annotations

import json
from typing import Any

import pytest
from openrouter.components import (
    ChatAssistantMessage,
    ChatFunctionToolFunction,
    ChatRequest,
    ChatSystemMessage,
    ChatToolMessage,
    ChatUserMessage,
)
from pydantic import BaseModel

from valechat.messages import FilePart, ImagePart, Message, OpaquePart, Part, TextPart, ToolCallPart, ToolResultPart
from valechat.providers._openrouter_request import openrouter_body
from valechat.providers.base import Capabilities, Options, Request, ToolSpec

PNG = ImagePart(b"\x89PNG", "image/png")
PDF = FilePart(b"%PDF", "application/pdf", "paper.pdf")
ADD = ToolSpec("add", "Adds", {"type": "object", "properties": {"a": {"type": "integer"}}})
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
DETAILS = [{"type": "reasoning.text", "text": "hm", "signature": "c2ln", "format": "anthropic-claude-v1", "index": 0}]
WIRE = "openrouter.chat"
MODEL = "z/m-1"
CLAUDE = "anthropic/claude-sonnet-4.5"
CALL = ToolCallPart("call_1", "add", '{"a": 1}', WIRE)
RESULT = Message("tool", (ToolResultPart("call_1", "add", "2"),))
LONG = "word " * 4000

ROLES: dict[str, type[BaseModel]] = {
    "system": ChatSystemMessage,
    "user": ChatUserMessage,
    "assistant": ChatAssistantMessage,
    "tool": ChatToolMessage,
}


def kept(details: list[Any], provider: str = "lab", model: str = MODEL) -> OpaquePart:
    return OpaquePart({"reasoning_details": details, "provider": provider, "model": model}, WIRE)


def same(kind: type[BaseModel], value: dict[str, Any]) -> None:
    """The SDK's type takes the value and gives it back with nothing lost: what it does not know, it would drop."""
    assert kind.model_validate(value).model_dump(by_alias=True, mode="json") == value


def check(body: dict[str, Any]) -> None:
    """The SDK's own types agree. They no longer know `usage`, which only gateways other than OpenRouter need."""
    body = {name: value for name, value in body.items() if name != "usage"}
    for message in body["messages"]:
        same(ROLES[message["role"]], message)
    for tool in body.get("tools", ()):
        same(ChatFunctionToolFunction, tool)
    rest = {name: value for name, value in body.items() if name not in ("messages", "tools")}
    parsed = ChatRequest.model_validate({**rest, "messages": [{"role": "user", "content": "x"}]})
    given = parsed.model_dump(by_alias=True, mode="json", include=set(rest))
    assert {name: given.get(name) for name in rest} == rest


def made(*messages: Message, model: str = MODEL, **request: Any) -> tuple[dict[str, Any], list[str]]:
    return openrouter_body(Request(model, messages or (Message.user("Hello"),), **request), "lab", Capabilities())


def body_of(*messages: Message, model: str = MODEL, **request: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(json.dumps(made(*messages, model=model, **request)[0]))
    check(body)
    return body


EVERYTHING = (
    Message.user("Look", PNG, PDF),
    Message("assistant", (TextPart("I add."), CALL, kept(DETAILS))),
    RESULT,
    Message("assistant", (TextPart("Two."),)),
    Message.user("Thanks"),
)


def test_a_request_with_everything_is_what_the_sdk_would_send() -> None:
    options = Options(temperature=0.5, max_tokens=9, seed=3, schema=SCHEMA, reasoning_effort="low")
    body = body_of(*EVERYTHING, system="Be brief.", tools=[ADD], options=options)
    assert body["reasoning"] == {"effort": "low"}
    assert body["usage"] == {"include": True}
    assert (body["temperature"], body["max_tokens"], body["seed"]) == (0.5, 9, 3)
    assert "reasoning_effort" not in body
    assert "stream_options" not in body


@pytest.mark.parametrize(
    "wrong",
    [
        {"messages": [{"role": "user", "content": "x", "nonsense": 1}]},
        {"messages": [{"role": "tool", "content": "x"}]},
        {"messages": [], "nonsense": 1},
        {"messages": [], "reasoning": {"effort": 3}},
    ],
)
def test_the_oracle_refuses_what_the_api_does_not_know(wrong: dict[str, Any]) -> None:
    with pytest.raises((AssertionError, ValueError)):
        check(wrong)


def test_what_the_model_thought_returns_unchanged_on_its_message() -> None:
    body = body_of(*EVERYTHING)
    assert body["messages"][1]["reasoning_details"] == DETAILS
    assert "reasoning_details" not in body["messages"][3]


def test_details_stay_with_their_message_where_others_are_left_out() -> None:
    cut = Message("assistant", (kept([{"type": "reasoning.encrypted", "data": "x"}]),))
    body = body_of(Message.user("a"), cut, Message.user("b"), *EVERYTHING[1:])
    assistants = [message for message in body["messages"] if message["role"] == "assistant"]
    assert [message.get("reasoning_details") for message in assistants] == [DETAILS, None]


@pytest.mark.parametrize(
    "foreign",
    [
        kept(DETAILS, provider="another"),
        kept(DETAILS, model="z/m-2"),
        OpaquePart({"reasoning_details": DETAILS, "provider": "lab", "model": MODEL}, "openai.chat"),
    ],
)
def test_reasoning_from_elsewhere_is_left_out(foreign: Part) -> None:
    body = body_of(Message.user("a"), Message("assistant", (TextPart("b"), foreign)), Message.user("c"))
    assert body["messages"][1] == {"role": "assistant", "content": "b"}


def test_options_of_the_users_own_win() -> None:
    extra = {"reasoning": {"effort": "high", "summary": "auto"}, "provider": {"sort": "price"}, "usage": None}
    body = body_of(options=Options(reasoning_effort="low", extra=extra))
    assert body["reasoning"] == {"effort": "high", "summary": "auto"}
    assert body["provider"] == {"sort": "price"}


def marked(body: dict[str, Any]) -> list[int]:
    """Where the messages are that end a cached prefix."""
    return [i for i, message in enumerate(body["messages"]) if "cache_control" in json.dumps(message)]


def talk(*texts: str) -> list[Message]:
    return [
        Message.user(text) if i % 2 == 0 else Message("assistant", (TextPart(text),)) for i, text in enumerate(texts)
    ]


def test_a_claudes_long_prefix_is_marked_for_the_cache() -> None:
    body = body_of(*talk("a", "b", "c", "d", "e"), model=CLAUDE, system=LONG)
    assert marked(body) == [0, 1, 3]
    assert body["messages"][0]["content"] == [
        {"type": "text", "text": LONG.strip(), "cache_control": {"type": "ephemeral"}}
    ]


def test_a_round_of_tools_marks_its_last_result() -> None:
    body = body_of(Message.user(LONG), Message("assistant", (CALL,)), RESULT, model=CLAUDE, tools=[ADD])
    assert marked(body) == [0, 2]


def test_an_image_carries_no_mark() -> None:
    body = body_of(Message.user(LONG, PNG), *talk("a", "b", "c")[1:], model=CLAUDE)
    text, image = body["messages"][0]["content"]
    assert "cache_control" in text
    assert "cache_control" not in image


@pytest.mark.parametrize(
    ("model", "system", "extra"),
    [
        (CLAUDE, "short", {}),
        ("google/gemini-2.5-pro", LONG, {}),
        (CLAUDE, LONG, {"cache_control": {"type": "ephemeral"}}),
    ],
)
def test_nothing_is_marked_where_it_would_not_save(model: str, system: str, extra: dict[str, Any]) -> None:
    body = body_of(*talk("a", "b", "c"), model=model, system=system, options=Options(extra=extra))
    assert marked(body) == []


def test_the_conversation_itself_is_not_changed() -> None:
    before = repr(EVERYTHING)
    body_of(*EVERYTHING, model=CLAUDE, system=LONG)
    assert repr(EVERYTHING) == before
