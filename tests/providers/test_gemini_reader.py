from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.providers.contract import KEY, ask, collect
from tests.providers.faults import FaultServer, cut_stream, hanging, stream, whole
from tests.providers.playback import played
from tests.providers.test_gemini_contract import call, event
from valechat.accumulate import Answer
from valechat.errors import AuthenticationFailed, RateLimited, RequestRejected, StreamBroken
from valechat.messages import (
    CitationPart,
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    TextPart,
    ThinkingPart,
    ToolResultPart,
    from_json,
    to_json,
)
from valechat.providers import gemini
from valechat.providers._gemini_request import gemini_body
from valechat.providers._setup import Setup
from valechat.providers.base import Chunk, NoteChunk, Request, StopReason, TextChunk, UsageChunk
from valechat.providers.gemini import create
from valechat.usage import Usage

WIRE = "gemini.generate"
USAGE = {"promptTokenCount": 9, "candidatesTokenCount": 5, "thoughtsTokenCount": 30, "totalTokenCount": 44}


def chunk(*parts: dict[str, Any], usage: dict[str, Any] | None = None, **candidate: Any) -> bytes:
    content = {"content": {"role": "model", "parts": list(parts)}} if parts else {}
    value = {"candidates": [{**content, **candidate}], "usageMetadata": usage or USAGE, "modelVersion": "gemini-3-x"}
    return event(value)


END = chunk(finishReason="STOP")
MODEL = "gemini-3.1-pro-preview"


async def read(*events: bytes, seed: int = 0) -> tuple[Answer, list[Chunk]]:
    return await played(create, events, seed=seed, model=MODEL)


def returned(answer: Answer) -> list[dict[str, Any]]:
    """The parts as they would return to the model in the next request."""
    talk = [Message.user("a"), answer.message, Message.user("b")]
    body: dict[str, Any] = gemini_body(Request(MODEL, talk), "lab")[0]
    parts: list[dict[str, Any]] = body["contents"][1]["parts"]
    return parts


@pytest.mark.parametrize("seed", range(8))
async def test_reasoning_text_and_usage_arrive_however_they_were_cut(seed: int) -> None:
    answer, _ = await read(
        chunk({"text": "First ", "thought": True}),
        chunk({"text": "this – 日本.", "thought": True}),
        chunk({"text": "It is "}),
        chunk({"text": "é."}, finishReason="STOP"),
        seed=seed,
    )
    assert answer.message.parts == (ThinkingPart("First this – 日本."), TextPart("It is é."))
    usage = Usage.from_wire(WIRE, answer.usage_raw)
    assert (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens) == (9, 35, 30)
    assert usage.details["model"] == "gemini-3-x"


async def test_what_the_model_signed_returns_to_it_byte_by_byte() -> None:
    parts: list[dict[str, Any]] = [
        {"text": "Plan.", "thought": True, "thoughtSignature": "dGhvdWdodA=="},
        {"text": "I look."},
        {"text": " Signed.", "thoughtSignature": "dGV4dA=="},
        {"functionCall": {"id": "fc_1", "name": "add", "args": {"a": 1}}, "thoughtSignature": "Y2FsbA=="},
        {"functionCall": {"id": "fc_2", "name": "add", "args": {"a": 2}}},
        {"text": "", "thoughtSignature": "ZW5k"},
    ]
    answer, _ = await read(*(chunk(part) for part in parts), END)
    assert returned(answer) == parts


async def test_a_signature_survives_the_ledger() -> None:
    parts = [{"functionCall": {"id": "f", "name": "add", "args": {}}, "thoughtSignature": "Y2FsbA=="}]
    answer, _ = await read(chunk(*parts), END)
    stored = from_json(json.loads(json.dumps(to_json(answer.message))))
    body = gemini_body(Request(MODEL, [Message.user("a"), stored]), "lab")[0]
    assert body["contents"][1]["parts"] == parts


async def test_calls_without_ids_get_ids_of_their_own_that_are_not_sent() -> None:
    answer, _ = await read(chunk(call("add", a=1), call("add", a=2)), END)
    first, second = answer.message.tool_calls
    assert first.id != second.id
    assert all("id" not in part["functionCall"] for part in returned(answer))


async def test_a_call_without_arguments_has_an_empty_object() -> None:
    answer, _ = await read(chunk({"functionCall": {"name": "now"}}), END)
    assert answer.message.tool_calls[0].arguments == "{}"


async def test_a_stop_with_calls_is_a_stop_for_them() -> None:
    answer, _ = await read(chunk(call("now")), END)
    assert answer.stop is not None
    assert (answer.stop.reason, answer.stop.raw) == ("tool_calls", "STOP")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("STOP", "end"),
        ("MAX_TOKENS", "max_tokens"),
        ("SAFETY", "filtered"),
        ("RECITATION", "filtered"),
        ("PROHIBITED_CONTENT", "filtered"),
        ("MALFORMED_FUNCTION_CALL", "other"),
        ("SOMETHING_NEW", "other"),
    ],
)
async def test_the_reason_is_ours_and_the_servers_own(raw: str, reason: StopReason) -> None:
    answer, _ = await read(chunk({"text": "Hi"}), chunk(finishReason=raw))
    assert answer.stop is not None
    assert (answer.stop.reason, answer.stop.raw) == (reason, raw)


async def test_why_an_answer_failed_is_said_in_the_servers_words() -> None:
    answer, _ = await read(chunk(finishReason="MALFORMED_FUNCTION_CALL", finishMessage="Malformed call: add(a=)"))
    assert answer.notes == ["lab ended the answer: Malformed call: add(a=)"]


async def test_a_blocked_question_is_an_answer_that_says_so() -> None:
    answer, _ = await read(
        event({"promptFeedback": {"blockReason": "OTHER"}, "usageMetadata": {"promptTokenCount": 4}})
    )
    assert answer.stop is not None
    assert (answer.stop.reason, answer.stop.raw) == ("filtered", "OTHER")
    assert answer.notes == ["lab blocked the question: OTHER"]


@pytest.mark.parametrize(("reason", "said"), [("STOP", "gave an empty answer"), ("MAX_TOKENS", "went into reasoning")])
async def test_an_answer_without_a_word_is_said_to_be_one(reason: str, said: str) -> None:
    answer, _ = await read(chunk(finishReason=reason))
    assert answer.message.parts == ()
    assert said in answer.notes[0]


async def test_sources_are_cited_once_and_their_searches_counted() -> None:
    grounding = {
        "webSearchQueries": ["q1", "q2"],
        "groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}, {"web": {"uri": "https://b.example"}}],
    }
    answer, _ = await read(
        chunk({"text": "Yes."}, groundingMetadata=grounding),
        chunk({"text": ""}, groundingMetadata=grounding, finishReason="STOP"),
    )
    cited = [part for part in answer.message.parts if isinstance(part, CitationPart)]
    assert cited == [CitationPart("https://a.example", "A"), CitationPart("https://b.example")]
    assert Usage.from_wire(WIRE, answer.usage_raw).details["webSearchQueries"] == 2


async def test_searches_told_of_before_the_last_usage_are_counted_too() -> None:
    answer, _ = await read(chunk({"text": "a"}, groundingMetadata={"webSearchQueries": ["q"]}), END)
    assert Usage.from_wire(WIRE, answer.usage_raw).details["webSearchQueries"] == 1


async def test_a_drawn_image_and_a_spoken_answer_are_parts_with_their_signature() -> None:
    data = base64.b64encode(b"\x89PNG").decode()
    image = {"inlineData": {"mimeType": "image/png", "data": data}, "thoughtSignature": "aW1n"}
    answer, _ = await read(chunk(image), chunk({"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}}), END)
    assert answer.message.parts[0] == ImagePart(b"\x89PNG", "image/png")
    assert answer.message.parts[2] == FilePart(b"RIFF", "audio/wav", "answer.wav")
    assert returned(answer)[0] == image


async def test_parts_not_known_are_kept_and_returned() -> None:
    code = {"executableCode": {"language": "PYTHON", "code": "1+1"}}
    result = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "2"}}
    answer, _ = await read(chunk(code, result, {"text": "Two."}), END)
    assert [type(part) for part in answer.message.parts] == [OpaquePart, OpaquePart, TextPart]
    assert returned(answer) == [code, result, {"text": "Two."}]


async def test_the_last_count_stands_and_counts_are_not_kept_for_each_chunk() -> None:
    many = [
        chunk({"text": "x"}, usage={"promptTokenCount": 9, "candidatesTokenCount": n, "totalTokenCount": 9 + n})
        for n in range(1, 400)
    ]
    answer, chunks = await read(*many, chunk(usage=USAGE, finishReason="STOP"))
    assert len([one for one in chunks if isinstance(one, UsageChunk)]) < 10
    assert Usage.from_wire(WIRE, answer.usage_raw).output_tokens == 35


async def test_an_answer_that_breaks_off_keeps_what_was_counted() -> None:
    first = chunk({"text": "a"}, usage={"promptTokenCount": 9, "candidatesTokenCount": 1, "totalTokenCount": 10})
    second = chunk({"text": "b"}, usage={"promptTokenCount": 9, "candidatesTokenCount": 2, "totalTokenCount": 11})
    answer = Answer()
    async with FaultServer(cut_stream(first, second)) as server:
        with pytest.raises(StreamBroken):
            await ask(create(Setup("lab", server.url)), MODEL, into=answer)
    assert Usage.from_wire(WIRE, answer.usage_raw).output_tokens == 2


async def test_a_server_that_keeps_the_connection_open_after_the_answer_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gemini, "AFTER_STOP_SECONDS", 0.1)
    async with FaultServer(hanging(chunk({"text": "Hi"}), END)) as server:
        answer = await ask(create(Setup("lab", server.url, timeout=30)), MODEL)
    assert answer.message.text == "Hi"
    assert answer.stop is not None


async def test_a_server_that_answers_with_a_json_array_is_read_as_well() -> None:
    values = [json.loads(one.removeprefix(b"data: ")) for one in (chunk({"text": "Hi"}), END)]
    async with FaultServer(whole(json.dumps(values).encode())) as server:
        answer = await ask(create(Setup("lab", server.url)), MODEL)
    assert answer.message.text == "Hi"


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"status": "INVALID_ARGUMENT", "message": "API key not valid.", "details": []}, AuthenticationFailed),
        (429, {"status": "RESOURCE_EXHAUSTED", "message": "Quota."}, RateLimited),
    ],
)
async def test_googles_errors_are_told_apart(status: int, error: dict[str, Any], kind: type[Exception]) -> None:
    body = json.dumps([{"error": {"code": status, **error}}]).encode()
    async with FaultServer(whole(body, status=status)) as server:
        with pytest.raises(kind, match=error["message"]):
            await ask(create(Setup("lab", server.url)), MODEL)


@pytest.mark.parametrize(
    ("base", "model", "target"),
    [
        ("", "gemini-x", "/v1beta/models/gemini-x:streamGenerateContent?alt=sse"),
        ("/v1alpha", "gemini-x", "/v1alpha/models/gemini-x:streamGenerateContent?alt=sse"),
        ("/proxy", "tunedModels/mine 1", "/proxy/v1beta/tunedModels/mine%201:streamGenerateContent?alt=sse"),
    ],
)
async def test_the_address_names_version_and_model(base: str, model: str, target: str) -> None:
    async def key() -> str:
        return KEY

    async with FaultServer(stream(chunk({"text": "Hi"}), END)) as server:
        await ask(create(Setup("lab", server.url + base, key=key)), model)
    assert server.requests[0].target == target
    assert server.requests[0].headers["x-goog-api-key"] == KEY


async def test_all_pages_of_the_models_are_read_and_only_those_for_chat_kept() -> None:
    def page(token: str, *names: str) -> bytes:
        models = [
            {
                "name": f"models/{name}",
                "displayName": name.title(),
                "inputTokenLimit": 1_048_576,
                "outputTokenLimit": 65_536,
                "thinking": True,
                "supportedGenerationMethods": ["embedContent"] if "embed" in name else ["generateContent"],
            }
            for name in names
        ]
        return json.dumps({"models": models, **({"nextPageToken": token} if token else {})}).encode()

    pages = (
        whole(page("a/b=", "gemini-2.5-flash", "gemini-embedding-1")),
        whole(page("", "gemini-3.5-flash", "gemini-2.5-flash-preview-tts")),
    )
    async with FaultServer(*pages) as server:
        models = await create(Setup("lab", server.url)).models()
    assert [model.name for model in models] == ["gemini-2.5-flash", "gemini-3.5-flash"]
    assert (models[0].context_tokens, models[0].max_output_tokens) == (1_048_576, 65_536)
    assert models[0].capabilities.reasoning is True
    assert "pageToken=a%2Fb%3D" in server.requests[1].target


async def test_notes_of_the_request_come_with_the_answer() -> None:
    async with FaultServer(stream(chunk({"text": "Hi"}), END)) as server:
        provider = create(Setup("lab", server.url))
        request = Request(MODEL, [Message.user("Look", FilePart(b"PK", "application/zip", "a.zip"))])
        notes = [one.text async for one in provider.stream(request) if isinstance(one, NoteChunk)]
    assert "a.zip" in notes[0]


REFUSED = whole(
    json.dumps(
        {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "Corrupted thought signature."}}
    ).encode(),
    status=400,
)


async def signed_talk() -> list[Message]:
    part = {"functionCall": {"id": "f", "name": "add", "args": {}}, "thoughtSignature": "Y2FsbA=="}
    answer, _ = await read(chunk(part), END)
    return [Message.user("a"), answer.message, Message("tool", (ToolResultPart("f", "add", "2"),))]


async def test_a_signature_that_is_refused_is_left_out_and_it_is_said() -> None:
    async with FaultServer(REFUSED, stream(chunk({"text": "Two."}), END)) as server:
        chunks = await collect(create(Setup("lab", server.url)), Request(MODEL, await signed_talk()))
    first, second = (request.json["contents"][1]["parts"][0] for request in server.requests)
    assert first["thoughtSignature"] == "Y2FsbA=="
    assert second["thoughtSignature"] == "skip_thought_signature_validator"
    assert any(isinstance(one, NoteChunk) and "without it" in one.text for one in chunks)
    assert TextChunk("Two.") in chunks


async def test_a_request_that_cannot_be_spared_anything_is_not_sent_again() -> None:
    async with FaultServer(REFUSED) as server:
        with pytest.raises(RequestRejected, match="Corrupted"):
            await ask(create(Setup("lab", server.url)), MODEL)
    assert len(server.requests) == 1
