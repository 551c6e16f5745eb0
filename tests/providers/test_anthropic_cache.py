from __future__ import annotations

from typing import Any

from valechat.messages import ImagePart, Message, TextPart, ThinkingPart, ToolCallPart, ToolResultPart
from valechat.providers._anthropic_request import anthropic_body
from valechat.providers.base import Options, Request, ToolSpec

LONG = "All work and no play makes Jack a dull boy. " * 300
ADD = ToolSpec("add", "Adds", {"type": "object", "properties": {}})
WIRE = "anthropic.messages"
MARK = {"type": "ephemeral"}


def body_of(*messages: Message, **request: Any) -> dict[str, Any]:
    return anthropic_body(Request("claude-sonnet-4-5", messages, **request), "lab").body


def marked(body: dict[str, Any]) -> list[str]:
    """Where the marks are."""
    found = [f"tool {i}" for i, tool in enumerate(body.get("tools", ())) if "cache_control" in tool]
    found += [f"system {i}" for i, block in enumerate(body.get("system", ())) if "cache_control" in block]
    for i, message in enumerate(body["messages"]):
        found += [f"message {i}.{j}" for j, block in enumerate(message["content"]) if "cache_control" in block]
    return found


def answer(text: str) -> Message:
    return Message("assistant", (TextPart(text),))


def calling(number: int) -> list[Message]:
    """A round of tools."""
    call = ToolCallPart(f"toolu_{number}", "add", "{}", WIRE)
    return [Message("assistant", (call,)), Message("tool", (ToolResultPart(call.id, "add", LONG),))]


def test_a_short_prefix_is_not_marked() -> None:
    body = body_of(Message.user("a"), answer("b"), Message.user("c"), system="Be brief.", tools=[ADD])
    assert marked(body) == []


def test_a_single_question_marks_tools_and_system_only() -> None:
    many = [ToolSpec(f"t{i}", LONG, {"type": "object"}) for i in range(2)]
    body = body_of(Message.user(LONG), system=LONG, tools=many)
    assert marked(body) == ["tool 1", "system 0"]
    assert body["system"][0]["cache_control"] == MARK


def test_a_conversation_marks_the_last_but_one_turn_and_the_one_before() -> None:
    talk = [Message.user(LONG), answer("b"), Message.user("c"), answer("d"), Message.user("e")]
    assert marked(body_of(*talk)) == ["message 0.0", "message 2.0"]


def test_the_next_request_begins_with_what_was_marked() -> None:
    talk = [Message.user(LONG), answer("b"), Message.user("c")]
    first = body_of(*talk)["messages"]
    second = body_of(*talk, answer("d"), Message.user("e"))["messages"]
    assert second[: len(first) - 1] == first[:-1]
    assert second[0]["content"][-1]["cache_control"] == MARK


def test_while_tools_are_called_the_last_turn_is_marked_too() -> None:
    body = body_of(Message.user(LONG), *calling(1), *calling(2), tools=[ADD])
    assert marked(body) == ["message 2.0", "message 4.0"]


def test_never_more_than_four_marks() -> None:
    talk = [Message.user(LONG), *calling(1), *calling(2), *calling(3)]
    body = body_of(*talk, system=LONG, tools=[ToolSpec("add", LONG, {"type": "object"})])
    assert len(marked(body)) == 4


def test_reasoning_is_never_marked() -> None:
    thought = ThinkingPart("hm", WIRE, {"type": "thinking", "signature": "s", "provider": "lab"})
    talk = [Message.user(LONG), Message("assistant", (thought, TextPart("b"))), Message.user("c"), answer("d")]
    body = body_of(*talk, Message.user("e"))
    assert all("cache_control" not in block for block in body["messages"][1]["content"])


def test_an_image_counts_by_what_it_is_not_by_its_bytes() -> None:
    picture = ImagePart(b"x" * 900_000, "image/png")
    model = "claude-opus-4-5"
    talk = (Message.user("a", picture), answer("b"), Message.user("c"))
    assert marked(anthropic_body(Request(model, talk), "lab").body) == []
    assert marked(body_of(*talk)) == ["message 0.1"]


def test_the_callers_own_cache_control_is_left_alone() -> None:
    talk = [Message.user(LONG), answer("b"), Message.user("c")]
    own = body_of(*talk, options=Options(extra={"cache_control": {"type": "ephemeral", "ttl": "1h"}}))
    assert marked(own) == []
    assert own["cache_control"]["ttl"] == "1h"
    assert "cache_control" not in body_of(*talk, options=Options(extra={"cache_control": None}))


def test_half_a_character_does_no_harm() -> None:
    call = ToolCallPart("toolu_1", "add", '{"a": "\ud800"}', WIRE)
    talk = [
        Message.user(LONG),
        Message("assistant", (call,)),
        Message("tool", (ToolResultPart("toolu_1", "add", "x"),)),
    ]
    assert marked(body_of(*talk, tools=[ToolSpec("add", "\ud800", {"type": "object"})]))
