from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from google.genai import types as sdk
from pydantic import BaseModel, ValidationError

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
from valechat.providers._gemini_request import gemini_body
from valechat.providers.base import Options, Request, ToolSpec

PNG = ImagePart(b"\x89PNG", "image/png")
PDF = FilePart(b"%PDF", "application/pdf", "paper.pdf")
CSV = FilePart("a,b\n1,é\n".encode(), "text/csv", "data.csv")
WAV = FilePart(b"RIFF", "audio/x-wav", "voice.wav")
ADD = ToolSpec("add", "Adds", {"type": "object", "properties": {"a": {"type": "integer", "default": 1}}})
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}

WIRE = "gemini.generate"
MODEL = "gemini-3.1-pro-preview"
OWN = {"provider": "lab", "model": MODEL}
SIGNED = ThinkingPart("hm", WIRE, {"thoughtSignature": "c2ln", **OWN})
CALL = ToolCallPart(
    "fc_1", "add", '{"a": 1}', WIRE, {"functionCall": {"id": "fc_1"}, "thoughtSignature": "c2ln", **OWN}
)
RESULT = Message("tool", (ToolResultPart("fc_1", "add", "2"),))

BODY: dict[str, type[BaseModel]] = {
    "systemInstruction": sdk.Content,
    "contents": sdk.Content,
    "tools": sdk.Tool,
    "generationConfig": sdk.GenerationConfig,
}


def check(body: dict[str, Any]) -> None:
    """The SDK's own types agree, name by name: they forbid what the API does not know."""
    for name, value in body.items():
        for item in value if isinstance(value, list) else [value]:
            text = json.dumps(item)
            parsed = BODY[name].model_validate_json(text, strict=True)
            assert json.loads(parsed.model_dump_json(by_alias=True, exclude_none=True)) == item


def made(*messages: Message, model: str = MODEL, **request: Any) -> tuple[dict[str, Any], list[str]]:
    return gemini_body(Request(model, messages or (Message.user("Hello"),), **request), "lab")


def body_of(*messages: Message, model: str = MODEL, **request: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(json.dumps(made(*messages, model=model, **request)[0]))
    check(body)
    return body


def notes_of(*messages: Message, model: str = MODEL, **request: Any) -> list[str]:
    return made(*messages, model=model, **request)[1]


def answered(*parts: Part, model: str = MODEL) -> list[dict[str, Any]]:
    """The parts of a model's turn as they return to it."""
    talk = (Message.user("a"), Message("assistant", parts), Message.user("b"))
    turns = [turn for turn in body_of(*talk, model=model)["contents"] if turn["role"] == "model"]
    return turns[0]["parts"] if turns else []


EVERYTHING = (
    Message("system", (TextPart("Be kind."),)),
    Message.user("Look", PNG, PDF, CSV, WAV),
    Message("assistant", (SIGNED, TextPart("I add."), CALL, ToolCallPart("call:0", "add", "{"))),
    Message(
        "tool",
        (ToolResultPart("fc_1", "add", "2", images=(PNG,)), ToolResultPart("call:0", "add", "bad", is_error=True)),
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
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief.\n\nBe kind."}]}
    assert body["generationConfig"] == {
        "temperature": 0.5,
        "maxOutputTokens": 9,
        "seed": 3,
        "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "LOW"},
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA,
    }
    assert [turn["role"] for turn in body["contents"]] == ["user", "model", "user", "model", "user"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"contents": [{"role": "user", "parts": [{"words": "x"}]}]},
        {"contents": [{"role": "user", "parts": [{"text": 1}]}]},
        {"tools": [{"functionDeclarations": [{"name": "add", "parameterSchema": {}}]}]},
        {"generationConfig": {"max_output_tokens": 9}},
    ],
)
def test_the_oracle_refuses_what_the_api_does_not_know(wrong: dict[str, Any]) -> None:
    with pytest.raises((ValidationError, AssertionError)):
        check(wrong)


def test_a_tool_is_declared_with_its_json_schema_in_the_keywords_that_are_taken() -> None:
    declared = body_of(tools=[ADD])["tools"][0]["functionDeclarations"]
    parameters = {"type": "object", "properties": {"a": {"type": "integer", "description": "{default: 1}"}}}
    assert declared == [{"name": "add", "description": "Adds", "parametersJsonSchema": parameters}]


def test_a_tool_without_parameters_declares_none() -> None:
    declared = body_of(tools=[ToolSpec("now", "Now", {"type": "object", "properties": {}})])["tools"][0]
    assert declared == {"functionDeclarations": [{"name": "now", "description": "Now"}]}


def test_what_the_model_signed_returns_where_it_was_signed() -> None:
    parts = body_of(*EVERYTHING, tools=[ADD])["contents"][1]["parts"]
    assert parts[0] == {"text": "hm", "thought": True, "thoughtSignature": "c2ln"}
    assert parts[1] == {"text": "I add."}
    assert parts[2] == {
        "functionCall": {"id": "fc_1", "name": "add", "args": {"a": 1}},
        "thoughtSignature": "c2ln",
    }


def signature(**where: Any) -> OpaquePart:
    return OpaquePart({"kind": "signature", "thoughtSignature": "c2ln", **where, **OWN}, WIRE)


def test_a_signed_text_returns_in_the_parts_it_came_in() -> None:
    assert answered(TextPart("free signed"), signature(characters=6)) == [
        {"text": "free "},
        {"text": "signed", "thoughtSignature": "c2ln"},
    ]
    assert answered(TextPart("all"), signature(characters=3)) == [{"text": "all", "thoughtSignature": "c2ln"}]


def test_a_signature_on_an_empty_text_returns_on_one() -> None:
    assert answered(TextPart("free"), signature(characters=0)) == [
        {"text": "free"},
        {"text": "", "thoughtSignature": "c2ln"},
    ]


def test_a_signed_image_returns_with_its_signature() -> None:
    parts = answered(PNG, signature(on="media"))
    assert len(parts) == 1
    assert parts[0]["thoughtSignature"] == "c2ln"
    assert base64.b64decode(parts[0]["inlineData"]["data"]) == PNG.data


@pytest.mark.parametrize(
    "foreign",
    [
        ThinkingPart("hm"),
        ThinkingPart("hm", "anthropic.messages", {"type": "thinking", "signature": "x"}),
        ThinkingPart("hm", WIRE, {"thoughtSignature": "c2ln", "provider": "another", "model": MODEL}),
        ThinkingPart("hm", WIRE, {"thoughtSignature": "c2ln", "provider": "lab", "model": "gemini-2.5-pro"}),
        OpaquePart({"kind": "signature", "thoughtSignature": "c2ln", "provider": "lab", "model": "other"}, WIRE),
        OpaquePart({"type": "web_search_call", "id": "ws_1"}, "openai.responses"),
    ],
)
def test_reasoning_and_items_from_elsewhere_are_left_out(foreign: Part) -> None:
    assert answered(foreign, TextPart("b")) == [{"text": "b"}]


def test_an_own_part_of_a_kind_not_known_returns_as_it_came() -> None:
    code = {"executableCode": {"language": "PYTHON", "code": "1+1"}, "thoughtSignature": "c2ln"}
    assert answered(OpaquePart({**code, **OWN}, WIRE)) == [code]


def test_another_models_call_carries_the_mark_the_guide_names_for_it() -> None:
    foreign = ToolCallPart("call_1", "add", "{}", "openai.chat")
    parts = answered(foreign, ToolCallPart("call_2", "add", "{}", "openai.chat"))
    assert parts[0]["thoughtSignature"] == "skip_thought_signature_validator"
    assert "thoughtSignature" not in parts[1]


def test_a_signed_call_and_those_beside_it_are_left_as_they_came() -> None:
    second = ToolCallPart("fc_2", "add", "{}", WIRE, {"functionCall": {"id": "fc_2"}, **OWN})
    parts = answered(CALL, second)
    assert [part.get("thoughtSignature") for part in parts] == ["c2ln", None]


def test_a_model_that_asks_for_no_signatures_gets_no_mark() -> None:
    (part,) = answered(ToolCallPart("call_1", "add", "{}", "openai.chat"), model="gemini-2.5-flash")
    assert "thoughtSignature" not in part


def test_an_id_the_server_did_not_give_is_not_sent() -> None:
    unnamed = Message("assistant", (ToolCallPart("valechat_call_1", "add", "{}", WIRE, {**OWN}),))
    result = Message("tool", (ToolResultPart("valechat_call_1", "add", "2"),))
    _, called, answered_ = body_of(Message.user("a"), unnamed, result)["contents"]
    assert called["parts"][0]["functionCall"] == {"name": "add", "args": {}}
    assert answered_["parts"] == [{"functionResponse": {"name": "add", "response": {"output": "2"}}}]


def test_results_follow_their_calls_at_once_in_a_turn_of_their_own() -> None:
    contents = body_of(Message.user("a"), Message("assistant", (CALL,)), RESULT, Message.user("and"))["contents"]
    assert [turn["role"] for turn in contents] == ["user", "model", "user", "user"]
    assert [set(part) for part in contents[2]["parts"]] == [{"functionResponse"}]


def test_neighbours_of_one_role_become_one_turn() -> None:
    contents = body_of(
        Message.user("a"), Message.user("b"), Message("assistant", (TextPart("c"),)), Message("assistant", (CALL,))
    )["contents"]
    assert [len(turn["parts"]) for turn in contents] == [2, 2]


def test_a_failed_tool_says_so_and_its_images_are_inside_the_result() -> None:
    first, second = body_of(*EVERYTHING)["contents"][2]["parts"]
    assert first["functionResponse"]["response"] == {"output": "2"}
    assert first["functionResponse"]["parts"][0]["inlineData"]["mimeType"] == "image/png"
    assert second["functionResponse"]["response"] == {"error": "bad"}


def test_an_older_model_is_shown_a_tools_images_after_the_results() -> None:
    contents = body_of(*EVERYTHING, model="gemini-2.5-flash")["contents"]
    assert "parts" not in contents[2]["parts"][0]["functionResponse"]
    assert contents[3]["role"] == "user"
    assert [set(part) for part in contents[3]["parts"]] == [{"text"}, {"inlineData"}]


def test_images_documents_sound_and_text_files_are_sent_as_such() -> None:
    _, image, pdf, text, sound = body_of(Message.user("Look", PNG, PDF, CSV, WAV))["contents"][0]["parts"]
    assert base64.b64decode(image["inlineData"]["data"]) == PNG.data
    assert pdf["inlineData"]["mimeType"] == "application/pdf"
    assert text == {"text": "File data.csv:\n\na,b\n1,é\n"}
    assert sound["inlineData"]["mimeType"] == "audio/wav"


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (ImagePart(b"<svg/>", "image/svg+xml"), "image/svg+xml"),
        (FilePart(b"PK", "application/zip", "a.zip"), "application/zip"),
    ],
)
def test_what_it_cannot_take_is_left_out_and_said(part: ImagePart | FilePart, said: str) -> None:
    assert "left out" in body_of(Message.user("Look", part))["contents"][0]["parts"][1]["text"]
    assert said in " ".join(notes_of(Message.user("Look", part)))


def test_arguments_that_are_no_object_are_sent_as_one() -> None:
    cut, empty = answered(ToolCallPart("a", "add", '{"a": '), ToolCallPart("b", "add", ""))
    assert cut["functionCall"]["args"] == {"invalid_arguments": '{"a": '}
    assert empty["functionCall"]["args"] == {}


def test_blank_text_is_never_sent() -> None:
    body = body_of(Message.user("a"), Message("assistant", (TextPart(" \n"), CALL)), RESULT, Message.user("  "))
    assert [len(turn["parts"]) for turn in body["contents"]] == [1, 1, 1]


def test_an_answer_that_was_cut_while_reasoning_is_left_out() -> None:
    body = body_of(Message.user("a"), Message("assistant", (ThinkingPart("half"),)), Message.user("b"))
    assert body["contents"] == [{"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}]


@pytest.mark.parametrize(
    ("model", "effort", "thinking"),
    [
        ("gemini-2.0-flash", None, None),
        ("gemini-2.5-flash", None, {"includeThoughts": True}),
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini-2.5-flash", "minimal", {"includeThoughts": True, "thinkingBudget": 512}),
        ("gemini-2.5-pro", "none", {"includeThoughts": True, "thinkingBudget": 128}),
        ("gemini-2.5-pro", "high", {"includeThoughts": True, "thinkingBudget": 24_576}),
        ("gemini-2.5-flash-image", None, None),
        ("gemini-3-pro-preview", "medium", {"includeThoughts": True, "thinkingLevel": "HIGH"}),
        ("gemini-3.1-pro-preview", "none", {"includeThoughts": True, "thinkingLevel": "LOW"}),
        ("gemini-3.5-flash", "minimal", {"includeThoughts": True, "thinkingLevel": "MINIMAL"}),
        ("gemini-3.8-flash", "minimal", {"includeThoughts": True, "thinkingLevel": "LOW"}),
        ("gemini-flash-latest", "medium", {"includeThoughts": True, "thinkingLevel": "MEDIUM"}),
        ("models/gemini-3.8-flash", "xhigh", {"includeThoughts": True, "thinkingLevel": "HIGH"}),
        ("gemma-4-31b-it", None, None),
    ],
)
def test_the_effort_is_asked_for_as_the_model_takes_it(
    model: str, effort: str | None, thinking: dict[str, Any] | None
) -> None:
    body = body_of(model=model, options=Options(reasoning_effort=effort))
    assert body.get("generationConfig", {}).get("thinkingConfig") == thinking


def test_a_budget_leaves_room_for_the_answer() -> None:
    options = Options(reasoning_effort="high", max_tokens=4000)
    config = body_of(model="gemini-2.5-flash", options=options)["generationConfig"]
    assert config["thinkingConfig"]["thinkingBudget"] == 3000


def test_an_effort_that_cannot_be_had_is_said() -> None:
    assert "does not reason" in notes_of(model="gemini-2.0-flash", options=Options(reasoning_effort="high"))[0]
    assert "always reasons" in notes_of(options=Options(reasoning_effort="none"))[0]
    assert notes_of(model="gemini-2.5-flash", options=Options(reasoning_effort="none")) == []


def test_an_older_model_with_tools_is_asked_in_words_to_follow_a_schema() -> None:
    asked: dict[str, Any] = {"model": "gemini-2.5-flash", "tools": [ADD], "options": Options(schema=SCHEMA)}
    body = body_of(**asked)
    assert "responseJsonSchema" not in body["generationConfig"]
    assert '"minimum": 1' in body["systemInstruction"]["parts"][0]["text"]
    assert "together with tools" in notes_of(**asked)[0]


def test_a_model_without_system_prompt_and_tools_is_given_neither() -> None:
    asked: dict[str, Any] = {"model": "gemma-3-27b-it", "system": "Be brief.", "tools": [ADD]}
    body = body_of(**asked)
    assert set(body) == {"contents"}
    assert body["contents"][0]["parts"] == [{"text": "Be brief."}]
    assert ["system prompt" in note or "tools" in note for note in notes_of(**asked)] == [True, True]


def test_extra_options_are_added_to_ours() -> None:
    extra: dict[str, Any] = {
        "tools": [{"googleSearch": {}}],
        "generationConfig": {"topP": 0.5},
        "systemInstruction": None,
    }
    body = body_of(system="Be brief.", tools=[ADD], options=Options(max_tokens=9, extra=extra))
    assert [set(tool) for tool in body["tools"]] == [{"functionDeclarations"}, {"googleSearch"}]
    assert (body["generationConfig"]["topP"], body["generationConfig"]["maxOutputTokens"]) == (0.5, 9)
    assert "systemInstruction" not in body
