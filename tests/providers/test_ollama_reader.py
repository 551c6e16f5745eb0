from __future__ import annotations

import json
from typing import Any

import pytest

from tests.providers.contract import ask, collect
from tests.providers.faults import FaultServer, stream, whole
from tests.providers.playback import played
from tests.providers.test_ollama_contract import call, done, said
from valechat.errors import ModelNotFound, RequestRejected, ServerFailed, StreamBroken
from valechat.messages import ImagePart, Message, TextPart, ThinkingPart, ToolResultPart
from valechat.providers._setup import Setup
from valechat.providers.base import NoteChunk, Request, StopReason
from valechat.providers.ollama import create
from valechat.usage import Usage


@pytest.mark.parametrize("seed", range(8))
async def test_thoughts_text_and_calls_arrive_however_they_were_cut(seed: int) -> None:
    answer, _ = await played(
        create,
        [said(thinking="First "), said(thinking="日本."), said(content="It is "), said(content="é."), done()],
        seed=seed,
    )
    assert answer.message.parts == (
        ThinkingPart("First 日本.", "ollama.chat", {"provider": "lab"}),
        TextPart("It is é."),
    )
    usage = Usage.from_wire("ollama.chat", answer.usage_raw)
    assert (usage.input_tokens, usage.output_tokens, usage.details["model"]) == (11, 7, "qwen3:8b")


async def test_thoughts_and_text_in_one_line_are_both_read() -> None:
    answer, _ = await played(create, [said(thinking="hm", content="Yes."), done()])
    assert [type(part) for part in answer.message.parts] == [ThinkingPart, TextPart]


async def test_calls_keep_their_id_or_get_one_of_their_own() -> None:
    calls = [{"id": "call_x", **call("add", a=1)}, call("add", a=2), call("now")]
    answer, _ = await played(create, [said(tool_calls=calls), done()])
    first, second, third = answer.message.tool_calls
    assert first.id == "call_x"
    assert len({first.id, second.id, third.id}) == 3
    assert third.arguments == "{}"


@pytest.mark.parametrize(
    ("raw", "reason"), [("stop", "end"), ("length", "max_tokens"), ("", "end"), ("something", "other")]
)
async def test_the_reason_is_ours_and_the_servers_own(raw: str, reason: StopReason) -> None:
    answer, _ = await played(create, [said(content="Hi"), done(raw)])
    assert answer.stop is not None
    assert (answer.stop.reason, answer.stop.raw) == (reason, raw)


async def test_a_stop_with_calls_is_a_stop_for_them() -> None:
    answer, _ = await played(create, [said(tool_calls=[call("now")]), done()])
    assert answer.stop is not None
    assert answer.stop.reason == "tool_calls"


async def test_a_server_that_only_loads_the_model_says_so() -> None:
    answer, _ = await played(create, [done("load")])
    assert "load" in answer.notes[0]


async def test_a_tool_round_goes_on_from_what_was_thought_and_called() -> None:
    first = stream(said(thinking="Add."), said(tool_calls=[{"id": "c1", **call("add", a=1)}]), done())
    second = stream(said(content="Two."), done())
    async with FaultServer(first, second) as server:
        provider = create(Setup("lab", server.url))
        answer = await ask(provider, "m")
        talk = [Message.user("Hello"), answer.message, Message("tool", (ToolResultPart("c1", "add", "2"),))]
        await collect(provider, Request("m", talk))
    _, assistant, result = server.requests[1].json["messages"]
    assert assistant["thinking"] == "Add."
    assert assistant["tool_calls"] == [{"id": "c1", "function": {"name": "add", "arguments": {"a": 1}}}]
    assert (result["tool_name"], result["tool_call_id"], result["content"]) == ("add", "c1", "2")


async def test_a_model_that_is_not_there_is_pulled_with_a_command_that_is_named() -> None:
    body = json.dumps({"error": "model 'qwen9:1b' not found"}).encode()
    async with FaultServer(whole(body, status=404)) as server:
        with pytest.raises(ModelNotFound, match="not found") as caught:
            await ask(create(Setup("lab", server.url)), "qwen9:1b")
    assert caught.value.fix == "Run `ollama pull qwen9:1b`."


async def test_an_address_that_is_not_there_is_not_taken_for_a_model() -> None:
    async with FaultServer(whole(b"404 page not found", status=404, content_type="text/plain")) as server:
        with pytest.raises(ModelNotFound) as caught:
            await ask(create(Setup("lab", server.url)), "qwen9:1b")
    assert "base_url" in caught.value.fix


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"error": "llama runner process has terminated"}, ServerFailed),
        ({"error": "input exceeds the context", "status": 400}, RequestRejected),
    ],
)
async def test_an_error_line_is_raised_with_its_words(value: dict[str, Any], kind: type[Exception]) -> None:
    async with FaultServer(stream(said(content="Hi"), json.dumps(value).encode() + b"\n")) as server:
        with pytest.raises(kind, match=str(value["error"])):
            await ask(create(Setup("lab", server.url)), "m")


async def test_a_line_that_is_not_json_is_raised() -> None:
    async with FaultServer(stream(said(content="Hi"), b"upstream gone\n")) as server:
        with pytest.raises(StreamBroken, match="upstream gone"):
            await ask(create(Setup("lab", server.url)), "m")


@pytest.mark.parametrize("ending", ["", "/v1", "/api", "/v1/"])
async def test_the_address_may_end_as_other_programs_have_it(ending: str) -> None:
    async with FaultServer(stream(said(content="Hi"), done())) as server:
        await ask(create(Setup("lab", server.url + ending.rstrip("/"))), "m")
    assert server.requests[0].target == "/api/chat"


def test_a_server_on_this_machine_is_free_and_the_cloud_is_not() -> None:
    assert create(Setup("ollama", "http://127.0.0.1:11434", local=True)).local is True
    assert create(Setup("ollama", "https://ollama.com", local=True)).local is False


TAGS = {
    "models": [
        {"name": "llava:7b", "digest": "d1", "details": {"parameter_size": "7B", "quantization_level": "Q4_0"}},
        {"name": "nomic-embed-text:latest", "digest": "d2", "details": {}},
        {"name": "old:latest", "digest": "d3", "details": {}},
    ]
}
LLAVA = {
    "capabilities": ["completion", "vision"],
    "model_info": {"general.architecture": "llama", "llama.context_length": 32768},
}
SCRIPTS = (
    whole(json.dumps(TAGS).encode()),
    whole(json.dumps(LLAVA).encode()),
    whole(json.dumps({"capabilities": ["embedding"], "model_info": {}}).encode()),
    whole(b'{"error":"broken"}', status=500),
)


async def test_models_are_listed_with_what_they_can_do() -> None:
    async with FaultServer(*SCRIPTS) as server:
        provider = create(Setup("lab", server.url))
        provider_models = await one_at_a_time(provider)
        assert [model.name for model in provider_models] == ["llava:7b", "old:latest"]
        llava = provider_models[0]
        assert (llava.title, llava.context_tokens) == ("llava:7b (7B Q4_0)", 32768)
        assert (llava.capabilities.images, llava.capabilities.tools) == (True, False)
        assert provider.capabilities("llava:7b").images is True
        assert provider.capabilities("old").images is None


async def test_what_was_told_of_a_model_is_not_asked_again() -> None:
    again = whole(json.dumps({"models": TAGS["models"][:1]}).encode())
    async with FaultServer(*SCRIPTS, again) as server:
        provider = create(Setup("lab", server.url))
        await one_at_a_time(provider)
        models = await provider.models()
        assert models[0].context_tokens == 32768
    assert [request.target for request in server.requests].count("/api/show") == 3


async def one_at_a_time(provider: Any) -> Any:
    """The list, asked in the order of the scripts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("valechat.providers.ollama.MOST_SHOWN_AT_ONCE", 1)
        return await provider.models()


async def test_what_a_model_cannot_take_is_said_once_its_abilities_are_known() -> None:
    able = json.dumps({"models": [{"name": "m:latest", "capabilities": ["completion"]}]}).encode()
    async with FaultServer(whole(able), whole(b"{}"), stream(said(content="Hi"), done())) as server:
        provider = create(Setup("lab", server.url))
        await provider.models()
        chunks = await collect(provider, Request("m", [Message.user("Look", ImagePart(b"x", "image/png"))]))
    assert [chunk.text for chunk in chunks if isinstance(chunk, NoteChunk)] == [
        "Images were left out: this model takes none."
    ]


async def test_a_server_that_is_down_is_started_with_a_command_that_is_named() -> None:
    async with FaultServer(stream(b"")) as server:
        url = server.url
    health = await create(Setup("lab", url)).check()
    assert (health.ok, health.fix) == (False, "Start it with `ollama serve`.")


async def test_a_server_without_models_says_how_to_get_one() -> None:
    async with FaultServer(whole(b'{"models":[]}')) as server:
        health = await create(Setup("lab", server.url)).check()
    assert health.ok
    assert "ollama pull" in health.fix
