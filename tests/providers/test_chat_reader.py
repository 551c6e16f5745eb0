from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from valechat.messages import CitationPart, ThinkingPart, ToolCallPart
from valechat.providers._chat_reader import ChatReader
from valechat.providers.base import Chunk, PartChunk, StopChunk, TextChunk, ThinkingChunk, UsageChunk


def delta(content: Any, reason: str | None = None, **event: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": content, "finish_reason": reason}], **event}


def tool(piece: dict[str, Any]) -> dict[str, Any]:
    return delta({"tool_calls": [piece]})


def read(*values: Any, keep_reasoning: bool = False) -> list[Chunk]:
    reader = ChatReader("lab", keep_reasoning=keep_reasoning)
    chunks = [chunk for value in values for chunk in reader.read(value)]
    return chunks + list(reader.finish())


def calls(chunks: Sequence[Chunk]) -> list[ToolCallPart]:
    return [chunk.part for chunk in chunks if isinstance(chunk, PartChunk) and isinstance(chunk.part, ToolCallPart)]


STOP = delta({}, "stop")


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_is_read_under_either_name(field: str) -> None:
    assert read(delta({field: "hm", "content": None}), delta({"content": "a"}), STOP)[:2] == [
        ThinkingChunk("hm"),
        TextChunk("a"),
    ]


def test_reasoning_under_both_names_is_read_once() -> None:
    chunks = read(delta({"reasoning_content": "hm", "reasoning": "hm"}), STOP)
    assert chunks.count(ThinkingChunk("hm")) == 1


def test_reasoning_that_must_return_follows_as_a_part() -> None:
    chunks = read(delta({"reasoning_content": "a"}), delta({"reasoning_content": "b"}), delta({"content": "x"}), STOP,
                  keep_reasoning=True)  # fmt: skip
    part = ThinkingPart("ab", "openai.chat", {"provider": "lab", "field": "reasoning_content"})
    assert chunks[:4] == [ThinkingChunk("a"), ThinkingChunk("b"), PartChunk(part), TextChunk("x")]


def test_content_as_a_list_of_parts_is_read() -> None:
    chunks = read(
        delta({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}),
        delta({"content": [{"type": "text", "text": "a"}, {"type": "reference", "reference_ids": [1]}]}),
        STOP,
    )
    assert chunks[:2] == [ThinkingChunk("hm"), TextChunk("a")]


def test_a_refusal_is_marked_and_is_the_stop_reason() -> None:
    chunks = read(delta({"refusal": "I will "}), delta({"refusal": "not."}), STOP)
    assert chunks == [
        TextChunk("I will ", refusal=True),
        TextChunk("not.", refusal=True),
        StopChunk("refusal", "stop"),
    ]


def test_citations_are_read() -> None:
    source = {"type": "url_citation", "url_citation": {"url": "https://e.org", "title": "E", "start_index": 0}}
    assert PartChunk(CitationPart("https://e.org", "E")) in read(delta({"annotations": [source]}), STOP)


def test_pieces_of_parallel_calls_may_interleave() -> None:
    chunks = read(
        tool({"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}),
        tool({"index": 1, "id": "b", "function": {"name": "g", "arguments": '{"y"'}}),
        tool({"index": 0, "function": {"arguments": '{"x": 1}'}}),
        tool({"index": 1, "function": {"arguments": ": 2}"}}),
        delta({}, "tool_calls"),
    )
    assert [(call.id, call.name, call.arguments) for call in calls(chunks)] == [
        ("a", "f", '{"x": 1}'),
        ("b", "g", '{"y": 2}'),
    ]


@pytest.mark.parametrize(
    "pieces",
    [
        # No index: a new id begins a new call.
        [
            {"id": "a", "function": {"name": "f", "arguments": "{"}},
            {"function": {"arguments": "}"}},
            {"id": "b", "function": {"name": "f", "arguments": "{}"}},
        ],
        # Every call under index 0, whole.
        [
            {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}},
            {"index": 0, "id": "b", "function": {"name": "f", "arguments": "{}"}},
        ],
        # The id and the name repeated on each piece.
        [
            {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{"}},
            {"index": 0, "id": "a", "function": {"name": "f", "arguments": "}"}},
            {"index": 1, "id": "b", "function": {"name": "f", "arguments": "{}"}},
        ],
        # The id after the name.
        [
            {"index": 0, "function": {"name": "f", "arguments": ""}},
            {"index": 0, "id": "a", "function": {"arguments": "{}"}},
            {"index": 1, "id": "b", "function": {"name": "f", "arguments": "{}"}},
        ],
        # An object in place of text.
        [
            {"index": 0, "id": "a", "function": {"name": "f", "arguments": {}}},
            {"index": 1, "id": "b", "function": {"name": "f", "arguments": {}}},
        ],
    ],
)
def test_servers_index_and_name_their_calls_as_they_like(pieces: list[dict[str, Any]]) -> None:
    found = calls(read(*map(tool, pieces), delta({}, "tool_calls")))
    assert [(call.id, call.name, call.arguments) for call in found] == [("a", "f", "{}"), ("b", "f", "{}")]


def test_calls_with_neither_index_nor_id_are_told_apart_by_their_names() -> None:
    found = calls(read(tool({"function": {"name": "f", "arguments": "{}"}}),
                       tool({"function": {"name": "g", "arguments": "{}"}}), STOP))  # fmt: skip
    assert [call.name for call in found] == ["f", "g"]
    assert found[0].id
    assert found[0].id != found[1].id


def test_the_older_function_call_is_a_tool_call() -> None:
    first, second = {"name": "f", "arguments": "{"}, {"arguments": "}"}
    chunks = read(delta({"function_call": first}), delta({"function_call": second}), delta({}, "function_call"))
    assert [(call.name, call.arguments) for call in calls(chunks)] == [("f", "{}")]
    assert StopChunk("tool_calls", "function_call") in chunks


def test_a_large_argument_in_many_pieces_is_whole() -> None:
    text = json.dumps({"text": "x" * 1_000_000})
    pieces = [tool({"index": 0, "function": {"arguments": text[i : i + 10]}}) for i in range(0, len(text), 10)]
    (call,) = calls(read(tool({"index": 0, "id": "a", "function": {"name": "f"}}), *pieces, STOP))
    assert call.arguments == text


def test_calls_are_not_given_before_the_stop() -> None:
    reader = ChatReader("lab")
    piece = tool({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{"}})
    assert list(reader.read(piece)) == []


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("stop", "end"),
        ("length", "max_tokens"),
        ("content_filter", "filtered"),
        ("tool_calls", "tool_calls"),
        ("model_length", "max_tokens"),
        ("insufficient_system_resource", "other"),
    ],
)
def test_stop_reasons_are_ours_with_the_providers_own_kept(raw: str, reason: str) -> None:
    (stop,) = (chunk for chunk in read(delta({}, raw)) if isinstance(chunk, StopChunk))
    assert (stop.reason, stop.raw) == (reason, raw)


def test_calls_with_a_plain_stop_are_still_a_call_for_tools() -> None:
    chunks = read(tool({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}), STOP)
    assert chunks[-1] == StopChunk("tool_calls", "stop")


def test_a_stop_reason_said_twice_is_one_stop() -> None:
    assert len(read(STOP, delta({}, "stop"))) == 1


def test_the_end_without_a_stop_reason_is_a_stop() -> None:
    assert read(delta({"content": "a"})) == [TextChunk("a"), StopChunk("end", "")]


USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


@pytest.mark.parametrize(
    "events",
    [
        [STOP, {"choices": [], "usage": USAGE}],
        [STOP, {"usage": USAGE}],
        [delta({}, "stop", usage=USAGE)],
        [{"choices": [], "usage": USAGE}, STOP],
        [delta({}, "stop", x_groq={"usage": USAGE})],
    ],
)
def test_usage_is_read_before_on_and_after_the_stop(events: list[dict[str, Any]]) -> None:
    (usage,) = (chunk.raw for chunk in read(delta({"content": "a"}), *events) if isinstance(chunk, UsageChunk))
    assert usage["usage"] == USAGE
    assert "choices" not in usage


def test_what_else_changes_the_price_stays_with_the_usage() -> None:
    chunks = read(STOP, {"choices": [], "usage": USAGE, "service_tier": "flex", "model": "m-2026"})
    assert chunks[-1] == UsageChunk({"usage": USAGE, "service_tier": "flex", "model": "m-2026"})


def test_usage_said_twice_is_passed_on_twice_in_order() -> None:
    later = {**USAGE, "completion_tokens": 9}
    chunks = read(STOP, {"usage": USAGE}, {"usage": later})
    assert [chunk.raw["usage"] for chunk in chunks if isinstance(chunk, UsageChunk)] == [USAGE, later]


def test_usage_after_the_stop_does_not_wait_for_the_end() -> None:
    reader = ChatReader("lab")
    reader.read(STOP)
    assert [len(reader.read({"usage": USAGE})) for _ in range(3)] == [1, 1, 1]


def test_usage_on_every_chunk_does_not_pile_up_and_the_last_is_kept() -> None:
    events = [delta({"content": "a"}, usage={**USAGE, "completion_tokens": i}) for i in range(10_000)]
    usages = [chunk.raw["usage"] for chunk in read(*events, STOP) if isinstance(chunk, UsageChunk)]
    assert usages[-1]["completion_tokens"] == 9999
    assert len(usages) < 200


def test_a_whole_completion_in_place_of_a_stream_is_read() -> None:
    message = {
        "role": "assistant",
        "content": "Hi",
        "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}],
    }
    chunks = read({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}], "usage": USAGE})
    assert chunks[0] == TextChunk("Hi")
    assert [call.name for call in calls(chunks)] == ["f"]
    assert any(isinstance(chunk, UsageChunk) for chunk in chunks)


def test_only_the_first_choice_is_read() -> None:
    other = {"choices": [{"index": 1, "delta": {"content": "b"}, "finish_reason": "stop"}]}
    assert read(delta({"content": "a"}), other, STOP)[:2] == [TextChunk("a"), StopChunk("end", "stop")]


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "text",
        {},
        {"choices": None},
        {"choices": [None]},
        {"choices": [{"delta": None}]},
        {"choices": {"0": 1}},
        delta({"content": 5}),
        delta({"tool_calls": [None, {"function": "f"}]}),
        delta({"annotations": [None, {}, {"url_citation": {}}]}),
        delta({"content": [None, 1, {"thinking": "x"}]}),
        delta({"content": "", "tool_calls": 5, "annotations": 5}),
        {"usage": 7},
    ],
)
def test_what_it_does_not_understand_does_no_harm(value: Any) -> None:
    texts = [chunk for chunk in read(value, delta({"content": "a"}), STOP) if isinstance(chunk, TextChunk)]
    assert texts == [TextChunk("a")]
