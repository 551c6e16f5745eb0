from __future__ import annotations

import json
from typing import Any

import pytest

from tests.providers.contract import KEY, ask, collect
from tests.providers.faults import FaultServer, stream, whole
from tests.providers.playback import played
from valechat.accumulate import Answer
from valechat.errors import RequestRejected, ServerFailed
from valechat.messages import CitationPart, Message, OpaquePart, TextPart, ThinkingPart
from valechat.providers._anthropic_request import anthropic_body
from valechat.providers._setup import Setup
from valechat.providers.anthropic import create
from valechat.providers.base import Chunk, NoteChunk, Request, StopChunk, StopReason, TextChunk
from valechat.usage import Usage

WIRE = "anthropic.messages"


def event(value: dict[str, Any]) -> bytes:
    return f"event: {value['type']}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[bytes]:
    return [
        event({"type": "content_block_start", "index": index, "content_block": start}),
        *(event({"type": "content_block_delta", "index": index, "delta": delta}) for delta in deltas),
        event({"type": "content_block_stop", "index": index}),
    ]


def text(index: int, *pieces: str) -> list[bytes]:
    return block(index, {"type": "text", "text": ""}, *({"type": "text_delta", "text": piece} for piece in pieces))


START_USAGE = {
    "input_tokens": 20,
    "cache_creation_input_tokens": 100,
    "cache_read_input_tokens": 1000,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 1,
    "service_tier": "standard",
}
BEGIN = event(
    {"type": "message_start", "message": {"type": "message", "model": "m", "content": [], "usage": START_USAGE}}
)


def end(reason: str = "end_turn", **more: Any) -> list[bytes]:
    delta = {"stop_reason": reason, "stop_sequence": None, **more}
    return [
        event({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 42}}),
        event({"type": "message_stop"}),
    ]


async def read(*blocks: list[bytes], seed: int = 0, ending: list[bytes] | None = None) -> tuple[Answer, list[Chunk]]:
    events = [BEGIN, *(one for some in blocks for one in some), *(ending or end())]
    return await played(create, events, seed=seed)


THINKING = block(
    0,
    {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "thinking_delta", "thinking": "First "},
    {"type": "thinking_delta", "thinking": "this – 日本."},
    {"type": "signature_delta", "signature": "c2lnbmF0dXJl"},
)


@pytest.mark.parametrize("seed", range(10))
async def test_reasoning_is_shown_and_kept_with_its_signature(seed: int) -> None:
    answer, _ = await read(THINKING, text(1, "It is ", "é."), seed=seed)
    thought, said = answer.message.parts
    assert isinstance(thought, ThinkingPart)
    assert (thought.text, thought.wire) == ("First this – 日本.", WIRE)
    assert said == TextPart("It is é.")


async def test_what_the_model_thought_returns_to_it_byte_by_byte() -> None:
    redacted = block(1, {"type": "redacted_thinking", "data": "ZW5jcnlwdGVk"})
    answer, _ = await read(THINKING, redacted, text(2, "Yes."))
    talk = [Message.user("a"), answer.message, Message.user("b")]
    content = anthropic_body(Request("m", talk), "lab").body["messages"][1]["content"]
    assert content == [
        {"type": "thinking", "thinking": "First this – 日本.", "signature": "c2lnbmF0dXJl"},
        {"type": "redacted_thinking", "data": "ZW5jcnlwdGVk"},
        {"type": "text", "text": "Yes."},
    ]


async def test_reasoning_without_words_is_kept_too() -> None:
    start = {"type": "thinking", "thinking": "", "signature": ""}
    answer, _ = await read(block(0, start, {"type": "signature_delta", "signature": "czI="}), text(1, "Yes."))
    talk = [Message.user("a"), answer.message]
    content = anthropic_body(Request("m", talk), "lab").body["messages"][1]["content"]
    assert content[0] == {"type": "thinking", "thinking": "", "signature": "czI="}


async def test_a_block_that_begins_before_the_last_one_stopped_keeps_its_place() -> None:
    answer, _ = await read([*THINKING[:-1], *text(1, "Yes."), THINKING[-1]])
    assert [type(part) for part in answer.message.parts] == [ThinkingPart, TextPart]


async def test_a_call_without_pieces_has_the_input_it_began_with() -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}}
    answer, _ = await read(block(0, call), ending=end("tool_use"))
    assert answer.message.tool_calls[0].arguments == "{}"
    call["input"] = {"zone": "UTC"}
    answer, _ = await read(block(0, call), ending=end("tool_use"))
    assert json.loads(answer.message.tool_calls[0].arguments) == {"zone": "UTC"}


async def test_broken_arguments_are_kept_as_they_were_written() -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {}}
    answer, _ = await read(
        block(0, call, {"type": "input_json_delta", "partial_json": '{"a": '}), ending=end("max_tokens")
    )
    assert answer.message.tool_calls[0].arguments == '{"a": '


async def test_sources_follow_the_text_they_are_for() -> None:
    web = {"type": "web_search_result_location", "url": "https://example.org", "title": "T", "cited_text": "q"}
    page = {"type": "page_location", "document_index": 0, "document_title": "paper.pdf", "cited_text": "p"}
    cited = block(
        0,
        {"type": "text", "text": "", "citations": []},
        {"type": "citations_delta", "citation": web},
        {"type": "text_delta", "text": "So it is."},
        {"type": "citations_delta", "citation": web},
        {"type": "citations_delta", "citation": page},
    )
    answer, _ = await read(cited)
    assert answer.message.parts == (
        TextPart("So it is."),
        CitationPart("https://example.org", "T", "q"),
        CitationPart("", "paper.pdf", "p"),
    )


async def test_a_servers_tool_is_kept_whole_and_returns() -> None:
    use = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"encrypted_content": "x"}]}
    answer, _ = await read(
        block(0, use, {"type": "input_json_delta", "partial_json": '{"query": "q"}'}), block(1, found), text(2, "So.")
    )
    kept = [part.data for part in answer.message.parts if isinstance(part, OpaquePart)]
    assert kept[0]["input"] == {"query": "q"}
    content = anthropic_body(Request("m", [answer.message, Message.user("b")]), "lab").body["messages"][0]["content"]
    assert content[:2] == [use | {"input": {"query": "q"}}, found]


async def test_a_block_and_a_delta_it_does_not_know_are_kept() -> None:
    unknown = block(
        0,
        {"type": "compaction", "content": "So far"},
        {"type": "compaction_delta", "content": ": much."},
        {"type": "seal_delta", "seal": 7},
    )
    answer, _ = await read(unknown, text(1, "Yes."))
    (part, _) = answer.message.parts
    assert isinstance(part, OpaquePart)
    assert {name: part.data[name] for name in ("type", "content", "seal")} == {
        "type": "compaction",
        "content": "So far: much.",
        "seal": 7,
    }
    assert answer.message.text == "Yes."


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", "end"),
        ("max_tokens", "max_tokens"),
        ("stop_sequence", "stop_sequence"),
        ("tool_use", "tool_calls"),
        ("pause_turn", "paused"),
        ("refusal", "refusal"),
        ("model_context_window_exceeded", "context_full"),
        ("something_new", "other"),
    ],
)
async def test_stop_reasons_are_ours_with_the_providers_own_beside(raw: str, reason: StopReason) -> None:
    answer, _ = await read(text(0, "Yes."), ending=end(raw))
    assert answer.stop == StopChunk(reason, raw)


async def test_a_refusal_says_what_for() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": None}
    _, chunks = await read(text(0, "Yes."), ending=end("refusal", stop_details=details))
    assert [chunk.text for chunk in chunks if isinstance(chunk, NoteChunk)] == ["lab declined: cyber"]


async def test_usage_is_read_from_all_events_that_bear_it() -> None:
    answer, _ = await read(text(0, "Yes."))
    usage = Usage.from_wire(WIRE, answer.usage_raw)
    assert (usage.input_tokens, usage.output_tokens) == (1120, 42)
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (1000, 100)
    assert usage.details["cache_creation"]["ephemeral_5m_input_tokens"] == 100
    assert usage.details["service_tier"] == "standard"


async def test_an_answer_that_is_cut_leaves_its_output_uncounted() -> None:
    answer = Answer()
    error = event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
    async with FaultServer(stream(BEGIN, *text(0, "Half"), error)) as server:
        with pytest.raises(ServerFailed, match="Overloaded"):
            await ask(create(Setup("lab", server.url)), "m", into=answer)
    usage = Usage.from_wire(WIRE, answer.usage_raw)
    assert (usage.input_tokens, usage.output_tokens) == (1120, None)
    assert answer.message.text == "Half"


async def test_a_whole_message_in_place_of_a_stream_is_read() -> None:
    message = {
        "type": "message",
        "content": [{"type": "text", "text": "Yes."}, {"type": "tool_use", "id": "t", "name": "now", "input": {}}],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 3, "output_tokens": 5},
    }
    async with FaultServer(whole(json.dumps(message).encode())) as server:
        answer = await ask(create(Setup("lab", server.url)), "m")
    assert answer.message.text == "Yes."
    assert [call.name for call in answer.message.tool_calls] == ["now"]
    assert answer.stop == StopChunk("tool_calls", "tool_use")
    assert Usage.from_wire(WIRE, answer.usage_raw).output_tokens == 5


async def test_text_is_passed_on_piece_by_piece() -> None:
    _, chunks = await read(text(0, "a", "b", "c"))
    assert [chunk.text for chunk in chunks if isinstance(chunk, TextChunk)] == ["a", "b", "c"]


async def test_the_version_is_pinned_and_the_key_has_its_own_header() -> None:
    async def key() -> str:
        return KEY

    async with FaultServer(stream(BEGIN, *text(0, "Yes."), *end())) as server:
        provider = create(Setup("lab", f"{server.url}/v1", key=key, headers={"Anthropic-Beta": "mine"}))
        await ask(provider, "m")
    (request,) = server.requests
    assert request.target == "/v1/messages"
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert request.headers["x-api-key"] == KEY
    assert request.headers["anthropic-beta"] == "mine"
    assert "authorization" not in request.headers


async def test_all_pages_of_the_model_list_are_read() -> None:
    first = {"data": [{"id": "claude-a", "max_input_tokens": 200_000, "max_tokens": 64_000}], "has_more": True}
    able = {"image_input": {"supported": False}, "thinking": {"supported": True}}
    second = {"data": [{"id": "claude-b", "capabilities": able}, {"id": "claude-c", "lifecycle": "retired"}]}
    pages = (first | {"last_id": "claude/a"}, second | {"has_more": False, "last_id": "claude-c"})
    async with FaultServer(*(whole(json.dumps(page).encode()) for page in pages)) as server:
        models = await create(Setup("lab", server.url)).models()
    assert [request.target for request in server.requests] == [
        "/models?limit=1000",
        "/models?limit=1000&after_id=claude%2Fa",
    ]
    assert [(model.name, model.context_tokens, model.max_output_tokens) for model in models] == [
        ("claude-a", 200_000, 64_000),
        ("claude-b", None, None),
    ]
    assert (models[1].capabilities.images, models[1].capabilities.reasoning) == (False, True)


async def test_reasoning_the_server_refuses_is_left_out_once() -> None:
    first, _ = await read(THINKING, text(1, "Yes."))
    error = {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "Invalid signature in thinking block"},
    }
    no = whole(json.dumps(error).encode(), status=400)
    request = Request("m", [Message.user("a"), first.message, Message.user("b")])
    async with FaultServer(no, stream(BEGIN, *text(0, "Yes."), *end())) as server:
        chunks = await collect(create(Setup("lab", server.url)), request)
    assert [chunk.text for chunk in chunks if isinstance(chunk, TextChunk)] == ["Yes."]
    assert any(isinstance(chunk, NoteChunk) for chunk in chunks)
    sent = [[block["type"] for block in one.json["messages"][1]["content"]] for one in server.requests]
    assert sent == [["thinking", "text"], ["text"]]


async def test_a_refusal_of_thinking_that_was_never_sent_is_raised() -> None:
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "thinking: not supported"}}
    async with FaultServer(whole(json.dumps(error).encode(), status=400)) as server:
        with pytest.raises(RequestRejected, match="not supported"):
            await ask(create(Setup("lab", server.url)), "m")
    assert len(server.requests) == 1
