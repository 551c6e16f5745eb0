from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.providers.contract import ask
from tests.providers.faults import FaultServer, stream, whole
from tests.providers.playback import played
from tests.providers.test_openai_chat_contract import delta, event
from valechat.accumulate import Answer
from valechat.errors import ProviderError, RateLimited, ServerFailed, TimedOut
from valechat.messages import CitationPart, ImagePart, Message, OpaquePart, TextPart, ThinkingPart, from_json, to_json
from valechat.providers._openrouter_request import openrouter_body
from valechat.providers._setup import Setup
from valechat.providers.base import Capabilities, Chunk, Request
from valechat.providers.openrouter import create
from valechat.usage import Usage

WIRE = "openrouter.chat"
COMMENT = b": OPENROUTER PROCESSING\n\n"
DONE = b"data: [DONE]\n\n"
COST = "0.01234567890123456789"


def usage(cost: str = COST, **more: Any) -> bytes:
    """The last chunk, its cost in the digits that are given."""
    value = {"id": "g", "model": "z/m-1", "provider": "Z", "choices": [], "usage": {"prompt_tokens": 11, **more}}
    text = json.dumps(value).replace(
        '"prompt_tokens": 11', f'"prompt_tokens": 11, "completion_tokens": 7, "cost": {cost}'
    )
    return f"data: {text}\n\n".encode()


async def read(*events: bytes, seed: int = 0) -> tuple[Answer, list[Chunk]]:
    return await played(create, events, seed=seed, model="z/m-1")


def returned(answer: Answer) -> Any:
    """The details as they would return to the model, after a night in the ledger."""
    stored = from_json(json.loads(json.dumps(to_json(answer.message))))
    talk = [Message.user("a"), stored, Message.user("b")]
    return openrouter_body(Request("z/m-1", talk), "lab", Capabilities())[0]["messages"][1].get("reasoning_details")


@pytest.mark.parametrize("seed", range(8))
async def test_the_cost_is_read_to_its_last_digit_however_it_was_cut(seed: int) -> None:
    answer, _ = await read(COMMENT, delta({"content": "Hi"}), delta({}, "stop"), usage(), DONE, seed=seed)
    found = Usage.from_wire(WIRE, answer.usage_raw)
    assert found.details["cost"] == COST
    assert (found.input_tokens, found.output_tokens, found.details["model"]) == (11, 7, "z/m-1")


@pytest.mark.parametrize("written", ["0", "1e-7", "0.95", "3"])
async def test_a_cost_in_any_form_is_the_same_sum(written: str) -> None:
    answer, _ = await read(delta({"content": "Hi"}), delta({}, "stop"), usage(written), DONE)
    assert Decimal(Usage.from_wire(WIRE, answer.usage_raw).details["cost"]) == Decimal(written)


async def test_what_a_key_of_ones_own_paid_is_exact_too() -> None:
    more = {"is_byok": True, "cost_details": {"upstream_inference_cost": "UPSTREAM"}}
    exact = usage("0", **more).replace(b'"UPSTREAM"', COST.encode())
    answer, _ = await read(delta({"content": "Hi"}), delta({}, "stop"), exact, DONE)
    details = Usage.from_wire(WIRE, answer.usage_raw).details
    assert details["cost_details"] == {"upstream_inference_cost": COST}


def piece(index: int | None = 0, kind: str = "text", **more: Any) -> dict[str, Any]:
    where = {} if index is None else {"index": index}
    return {"type": f"reasoning.{kind}", "format": "anthropic-claude-v1", **where, **more}


def thought(*pieces: dict[str, Any], reasoning: str | None = None, **more: Any) -> bytes:
    return delta({"content": "", "reasoning": reasoning, "reasoning_details": list(pieces), **more})


@pytest.mark.parametrize("seed", range(5))
async def test_a_signed_thought_in_pieces_returns_in_one(seed: int) -> None:
    answer, _ = await read(
        thought(piece(text="First "), reasoning="First "),
        thought(piece(text="this – 日本."), reasoning="this – 日本."),
        delta({"content": "Yes."}),
        thought(piece(signature="c2ln")),
        delta({}, "stop"),
        usage(),
        seed=seed,
    )
    assert answer.message.parts[:2] == (ThinkingPart("First this – 日本."), TextPart("Yes."))
    assert returned(answer) == [piece(text="First this – 日本.", signature="c2ln")]


async def test_details_of_different_kinds_and_calls_stay_apart() -> None:
    pieces = [
        piece(0, text="a"),
        piece(1, text="b"),
        piece(0, "summary", summary="s"),
        piece(0, "encrypted", data="x", id="call_1"),
        piece(0, "encrypted", data="y", id="call_2"),
        piece(2, "something_new", news=1),
    ]
    answer, _ = await read(*(thought(one) for one in pieces), delta({"content": "Yes."}), delta({}, "stop"))
    assert returned(answer) == pieces


async def test_pieces_without_an_index_go_on_from_the_last_one_only() -> None:
    answer, _ = await read(
        thought(piece(None, text="a")),
        thought(piece(None, text="b", signature="1")),
        thought(piece(None, "encrypted", data="x")),
        thought(piece(None, text="c")),
        delta({"content": "Yes."}),
        delta({}, "stop"),
    )
    assert returned(answer) == [
        piece(None, text="ab", signature="1"),
        piece(None, "encrypted", data="x"),
        piece(None, text="c"),
    ]


async def test_a_thought_that_is_in_the_details_only_is_shown() -> None:
    answer, _ = await read(thought(piece(text="hm")), delta({"content": "Yes."}), delta({}, "stop"))
    assert answer.message.thinking == "hm"


async def test_details_that_follow_the_stop_are_kept() -> None:
    answer, _ = await read(
        delta({"content": "Yes."}), delta({}, "stop"), thought(piece(0, "encrypted", data="x")), usage()
    )
    assert returned(answer) == [piece(0, "encrypted", data="x")]
    assert answer.stop is not None


async def test_an_answer_without_reasoning_has_nothing_to_return() -> None:
    answer, _ = await read(delta({"content": "Yes."}), delta({}, "stop"), usage())
    assert not any(isinstance(part, OpaquePart) for part in answer.message.parts)


async def test_images_and_citations_are_parts() -> None:
    source = {"type": "url_citation", "url_citation": {"url": "https://a.example", "title": "A"}}
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
    answer, _ = await read(
        delta({"content": "Yes.", "annotations": [source]}), delta({"images": [image]}), delta({}, "stop")
    )
    assert CitationPart("https://a.example", "A") in answer.message.parts
    assert ImagePart(b"\x89PNG", "image/png") in answer.message.parts


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        ({"error": {"code": 502, "message": "Upstream died"}, "choices": []}, ServerFailed, "Upstream died"),
        ({"error": {"code": 429, "message": "Slow down"}}, RateLimited, "Slow down"),
        (
            {
                "error": {"code": 408, "message": "Too late"},
                "choices": [{"index": 0, "delta": {}, "finish_reason": "error"}],
            },
            TimedOut,
            "Too late",
        ),
        (
            {"choices": [{"index": 0, "delta": {}, "error": {"code": 503, "message": "No capacity"}}]},
            ServerFailed,
            "No capacity",
        ),
        ({"choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]}, ServerFailed, "failed"),
        (
            {"error": {"code": 502, "message": "Provider returned error", "metadata": {"raw": '{"error":"CUDA"}'}}},
            ServerFailed,
            "CUDA",
        ),
    ],
)
async def test_an_error_in_the_stream_is_raised_with_its_words(
    value: dict[str, Any], kind: type[ProviderError], said: str
) -> None:
    answer = Answer()
    async with FaultServer(stream(delta({"content": "Hi"}), event(value), DONE)) as server:
        with pytest.raises(kind, match=said):
            await ask(create(Setup("lab", server.url)), "z/m-1", into=answer)
    assert answer.message.text == "Hi"


async def test_what_was_used_before_an_error_is_kept_to_its_last_digit() -> None:
    failed = usage().replace(b'"choices": []', b'"choices": [], "error": {"code": 502, "message": "Died"}')
    answer = Answer()
    async with FaultServer(stream(delta({"content": "Hi"}), failed)) as server:
        with pytest.raises(ServerFailed):
            await ask(create(Setup("lab", server.url)), "z/m-1", into=answer)
    assert Usage.from_wire(WIRE, answer.usage_raw).details["cost"] == COST


MODEL = {
    "id": "z/m-1",
    "name": "Z: M 1",
    "context_length": 200_000,
    "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
    "top_provider": {"max_completion_tokens": 64_000},
    "supported_parameters": ["tools", "reasoning"],
}


async def test_models_are_listed_with_context_and_abilities() -> None:
    body = json.dumps({"data": [MODEL, {"id": "a/draw", "architecture": {"output_modalities": ["image"]}}]}).encode()
    async with FaultServer(whole(body)) as server:
        provider = create(Setup("lab", server.url))
        (model,) = await provider.models()
    assert (model.name, model.title, model.context_tokens, model.max_output_tokens) == (
        "z/m-1", "Z: M 1", 200_000, 64_000,
    )  # fmt: skip
    assert provider.capabilities("z/m-1") == Capabilities(
        tools=True, images=True, files=False, reasoning=True, schema=False
    )


async def test_the_key_is_checked_where_it_is_told_about_keys() -> None:
    async with FaultServer(whole(b'{"data":{"limit_remaining":1}}')) as server:
        assert (await create(Setup("lab", server.url)).check()).ok
    assert [request.target for request in server.requests] == ["/key"]


async def test_a_gateway_without_keys_of_its_own_is_asked_for_its_models() -> None:
    async with FaultServer(whole(b"{}", status=404), whole(b'{"data":[]}')) as server:
        assert (await create(Setup("lab", server.url)).check()).ok
    assert [request.target for request in server.requests] == ["/key", "/models"]


async def test_the_app_shows_itself_only_when_told_to() -> None:
    answer = (delta({"content": "Hi"}), delta({}, "stop"), DONE)
    async with FaultServer(stream(*answer)) as server:
        await ask(create(Setup("lab", server.url)), "z/m-1")
        await ask(create(Setup("lab", server.url, headers={"X-Title": "Mine"})), "z/m-1")
    assert [request.headers.get("x-title") for request in server.requests] == [None, "Mine"]
