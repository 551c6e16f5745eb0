from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.providers.contract import ask, collect
from tests.providers.faults import FaultServer, stream, whole
from tests.providers.playback import played
from valechat.accumulate import Answer
from valechat.errors import RateLimited, RequestRejected, ServerFailed
from valechat.messages import CitationPart, ImagePart, Message, OpaquePart, TextPart, ThinkingPart
from valechat.providers._responses_request import responses_body
from valechat.providers._setup import Setup
from valechat.providers.base import Capabilities, Chunk, NoteChunk, Request, StopChunk, TextChunk, ThinkingChunk
from valechat.providers.openai_responses import create
from valechat.usage import Usage

WIRE = "openai.responses"

USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 64},
    "output_tokens": 30,
    "output_tokens_details": {"reasoning_tokens": 20},
    "total_tokens": 130,
}
REASONING = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "First – 日本."}, {"type": "summary_text", "text": "Then."}],
    "encrypted_content": "gAAAAA",
}
CITED = {
    "type": "url_citation",
    "url": "https://example.org",
    "title": "T",
    "start_index": 0,
    "end_index": 3,
}
MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "phase": "final_answer",
    "content": [{"type": "output_text", "text": "It is é.", "annotations": [CITED]}],
}
CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "add",
    "arguments": '{"a": 1}',
    "status": "completed",
}


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, ensure_ascii=False)}\n\n".encode()


def pieces(kind: str, index: int, *texts: str) -> list[bytes]:
    return [event(f"response.{kind}.delta", output_index=index, delta=text) for text in texts]


def item(index: int, value: dict[str, Any], *between: bytes) -> list[bytes]:
    begun = {name: part for name, part in value.items() if name not in ("content", "arguments", "encrypted_content")}
    return [
        event("response.output_item.added", output_index=index, item=begun),
        *between,
        event("response.output_item.done", output_index=index, item=value),
    ]


def end(*output: dict[str, Any], kind: str = "completed", **fields: Any) -> list[bytes]:
    response = {"id": "r", "object": "response", "model": "gpt-5-mini", "service_tier": "flex", "error": None}
    return [event(f"response.{kind}", response={**response, "status": kind, "output": output, "usage": USAGE} | fields)]


def thinking(index: int = 0) -> list[bytes]:
    return item(
        index,
        REASONING,
        event("response.reasoning_summary_part.added", output_index=index),
        *pieces("reasoning_summary_text", index, "First ", "– 日本."),
        event("response.reasoning_summary_part.added", output_index=index),
        *pieces("reasoning_summary_text", index, "Then."),
    )


def saying(index: int = 1) -> list[bytes]:
    note = event("response.output_text.annotation.added", output_index=index, annotation=CITED)
    return item(index, MESSAGE, *pieces("output_text", index, "It is ", "é."), note)


async def read(*blocks: list[bytes], seed: int = 0) -> tuple[Answer, list[Chunk]]:
    return await played(create, [one for some in blocks for one in some], seed=seed, model="gpt-5-mini")


@pytest.mark.parametrize("seed", range(10))
async def test_reasoning_text_and_sources_arrive_once_and_in_order(seed: int) -> None:
    answer, chunks = await read(thinking(), saying(), end(REASONING, MESSAGE), seed=seed)
    thought, said, cited, mark = answer.message.parts
    assert isinstance(thought, ThinkingPart)
    assert thought.text == "First – 日本.\n\nThen."
    assert said == TextPart("It is é.")
    assert cited == CitationPart("https://example.org", "T")
    assert isinstance(mark, OpaquePart)
    assert next(chunk.text for chunk in chunks if isinstance(chunk, ThinkingChunk)) == "First "
    assert [chunk.text for chunk in chunks if isinstance(chunk, TextChunk)] == ["It is ", "é."]
    assert answer.stop == StopChunk("end", "completed")


async def test_what_the_model_thought_returns_to_it_unchanged() -> None:
    answer, _ = await read(thinking(), item(1, CALL), end(REASONING, CALL))
    talk = [Message.user("a"), answer.message]
    body, _ = responses_body(Request("gpt-5-mini", talk), "lab", Capabilities())
    assert body["input"][1:] == [REASONING, CALL]
    answer, _ = await read(thinking(), saying(), end(REASONING, MESSAGE))
    body, _ = responses_body(Request("gpt-5-mini", [answer.message]), "lab", Capabilities())
    plain = MESSAGE | {"content": [{"type": "output_text", "text": "It is é.", "annotations": []}]}
    assert body["input"] == [REASONING, plain]


async def test_parallel_calls_whose_pieces_mix_stay_apart() -> None:
    other = CALL | {"id": "fc_2", "call_id": "call_2", "arguments": '{"b": 2}'}
    first, second = item(0, CALL), item(1, other)
    mixed = [first[0], second[0], *pieces("function_call_arguments", 1, '{"b"'), second[1], first[1]]
    answer, _ = await read(mixed, end(CALL, other))
    assert [(call.id, call.arguments) for call in answer.message.tool_calls] == [
        ("call_1", '{"a": 1}'),
        ("call_2", '{"b": 2}'),
    ]
    assert answer.stop == StopChunk("tool_calls", "completed")


async def test_arguments_are_their_pieces_where_the_finished_item_has_none() -> None:
    bare = {name: value for name, value in CALL.items() if name != "arguments"}
    answer, _ = await read(item(0, bare, *pieces("function_call_arguments", 0, '{"a": ', "1}")), end())
    assert answer.message.tool_calls[0].arguments == '{"a": 1}'


async def test_items_that_only_the_end_tells_of_are_read() -> None:
    answer, chunks = await read(pieces("output_text", 0, "It is é."), end(MESSAGE, CALL))
    assert answer.message.text == "It is é."
    assert len([chunk for chunk in chunks if isinstance(chunk, TextChunk)]) == 1
    assert [call.name for call in answer.message.tool_calls] == ["add"]


async def test_events_without_an_index_are_told_apart_by_their_items_id() -> None:
    other = MESSAGE | {"id": "msg_2", "content": [{"type": "output_text", "text": "B", "annotations": []}]}
    events = [
        event("response.output_text.delta", item_id="msg_1", delta="It is é."),
        event("response.output_item.done", item=MESSAGE),
        event("response.output_text.delta", item_id="msg_2", delta="B"),
    ]
    answer, _ = await read(events, end(MESSAGE, other))
    assert answer.message.text == "It is é.B"


async def test_a_refusal_is_marked_and_is_the_stop_reason() -> None:
    refused = MESSAGE | {"content": [{"type": "refusal", "refusal": "No."}]}
    answer, chunks = await read(item(0, refused, *pieces("refusal", 0, "N", "o.")), end(refused))
    assert [chunk for chunk in chunks if isinstance(chunk, TextChunk)] == [
        TextChunk("N", refusal=True),
        TextChunk("o.", refusal=True),
    ]
    assert answer.stop == StopChunk("refusal", "completed")


@pytest.mark.parametrize(
    ("raw", "reason"), [("max_output_tokens", "max_tokens"), ("content_filter", "filtered"), ("news", "other")]
)
async def test_an_incomplete_response_says_why(raw: str, reason: str) -> None:
    ended = end(MESSAGE, kind="incomplete", incomplete_details={"reason": raw})
    answer, _ = await read(saying(0), ended)
    assert answer.stop is not None
    assert (answer.stop.reason, answer.stop.raw) == (reason, raw)


async def test_usage_keeps_what_changes_the_price() -> None:
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    answer, _ = await read(item(0, search), saying(), end(search, MESSAGE))
    usage = Usage.from_wire(WIRE, answer.usage_raw)
    assert (usage.input_tokens, usage.output_tokens) == (100, 30)
    assert (usage.cache_read_tokens, usage.reasoning_tokens) == (64, 20)
    assert usage.details["service_tier"] == "flex"
    assert usage.details["hosted_tool_calls"] == {"web_search_call": 1}
    assert "It is" not in json.dumps(answer.usage_raw)


async def test_a_failed_response_raises_with_its_words_and_keeps_its_usage() -> None:
    failed = end(kind="failed", error={"code": "rate_limit_exceeded", "message": "Slow down."})
    answer = Answer()
    async with FaultServer(stream(*saying(0), *failed)) as server:
        with pytest.raises(RateLimited, match="Slow down"):
            await ask(create(Setup("lab", server.url)), "gpt-5-mini", into=answer)
    assert answer.message.text == "It is é."
    assert Usage.from_wire(WIRE, answer.usage_raw).output_tokens == 30


async def test_a_failed_response_without_words_is_a_failure_all_the_same() -> None:
    async with FaultServer(stream(*end(kind="failed", usage=None))) as server:
        with pytest.raises(ServerFailed):
            await ask(create(Setup("lab", server.url)), "gpt-5-mini")


async def test_an_item_it_does_not_know_is_kept_whole() -> None:
    unknown = {"type": "novelty_call", "id": "n_1", "news": [1]}
    answer, _ = await read(item(0, unknown), saying(), end(unknown, MESSAGE))
    body, _ = responses_body(Request("gpt-5-mini", [answer.message]), "lab", Capabilities())
    assert body["input"][0] == unknown


async def test_an_image_the_model_made_is_a_part() -> None:
    made = {"type": "image_generation_call", "id": "ig_1", "result": base64.b64encode(b"\x89PNG").decode()}
    answer, _ = await read(item(0, made), end(made))
    assert answer.message.parts == (ImagePart(b"\x89PNG", "image/png"),)


async def test_a_whole_response_in_place_of_a_stream_is_read() -> None:
    response = {"object": "response", "status": "completed", "output": [REASONING, MESSAGE, CALL], "usage": USAGE}
    async with FaultServer(whole(json.dumps(response).encode())) as server:
        answer = await ask(create(Setup("lab", server.url)), "gpt-5-mini")
    assert answer.message.text == "It is é."
    assert answer.message.thinking == "First – 日本.\n\nThen."
    assert answer.stop == StopChunk("tool_calls", "completed")


def refused(message: str) -> bytes:
    return json.dumps({"error": {"message": message, "type": "invalid_request_error", "code": "x"}}).encode()


async def test_an_organisation_without_summaries_is_asked_without_them_from_then_on() -> None:
    no = whole(refused("Your organization must be verified to generate reasoning summaries."), status=400)
    async with FaultServer(no, stream(*saying(0), *end(MESSAGE))) as server:
        provider = create(Setup("lab", server.url))
        answer = await ask(provider, "gpt-5-mini")
        await ask(provider, "gpt-5-mini")
    assert answer.message.text == "It is é."
    assert "verified" in answer.notes[0]
    assert ["reasoning" in request.json for request in server.requests] == [True, False, False]


async def test_reasoning_the_server_cannot_read_is_left_out_with_the_ids_that_need_it() -> None:
    first, _ = await read(thinking(), saying(), end(REASONING, MESSAGE))
    no = whole(refused("The encrypted content gAAA could not be verified."), status=400)
    async with FaultServer(no, stream(*saying(0), *end(MESSAGE))) as server:
        request = Request("gpt-5-mini", [Message.user("a"), first.message, Message.user("b")])
        chunks = await collect(create(Setup("lab", server.url)), request)
    assert any(isinstance(chunk, NoteChunk) for chunk in chunks)
    assert server.requests[1].json["input"][1] == {"type": "message", "role": "assistant", "content": "It is é."}


async def test_a_request_that_has_nothing_to_leave_out_is_not_sent_again() -> None:
    async with FaultServer(whole(refused("The encrypted content gAAA could not be verified."), status=400)) as server:
        with pytest.raises(RequestRejected):
            await ask(create(Setup("lab", server.url)), "gpt-5-mini")
    assert len(server.requests) == 1
