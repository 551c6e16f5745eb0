"""Gemini, Ollama and OpenRouter from `Chat` to the ledger, over the wire to a server on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import valechat
from tests.providers import test_ollama_contract as ollama
from tests.providers.faults import FaultServer, stream, whole
from tests.providers.test_end_to_end import add, configure, row
from tests.providers.test_gemini_reader import END, chunk
from tests.providers.test_openai_chat_contract import delta
from tests.providers.test_openrouter_reader import COMMENT, COST, DONE, piece, thought, usage
from valechat.engine import engine
from valechat.errors import ModelNotFound


@pytest.fixture(autouse=True)
def closed_engine() -> Iterator[None]:
    yield
    engine().close()


def provider(name: str, url: str) -> str:
    return f'[providers.{name}]\nbase_url = "{url}"\napi_key = "sk-test"\n'


async def test_gemini_is_asked_and_billed_with_its_thoughts(home: Path) -> None:
    script = stream(chunk({"text": "Plan.", "thought": True}), chunk({"text": "It is é."}), END)
    async with FaultServer(script) as server:
        configure(home, provider("gemini", server.url))
        reply = await valechat.Chat("gemini/gemini-2.5-flash").ask("Is it?")
        (request,) = server.requests
    assert (reply.text, reply.status) == ("It is é.", "complete")
    # 9 at $0.30, 5 + 30 thought out at $2.50, each a million.
    assert reply.cost == Decimal("0.0000902")
    assert row() == (
        "gemini", "gemini-2.5-flash", 9, 35, None, None, Decimal("0.0000902"), "priced", "complete",
    )  # fmt: skip
    assert request.target == "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    assert request.headers["x-goog-api-key"] == "sk-test"


async def test_ollama_is_asked_for_nothing(home: Path) -> None:
    async with FaultServer(
        stream(ollama.said(thinking="hm"), ollama.said(content="It is é."), ollama.done())
    ) as server:
        configure(home, provider("ollama", server.url))
        reply = await valechat.Chat("ollama/qwen3:8b").ask("Is it?")
        (request,) = server.requests
    assert (reply.text, reply.cost) == ("It is é.", Decimal(0))
    assert row()[:4] == ("ollama", "qwen3:8b", 11, 7)
    assert row()[6] == Decimal(0)
    assert request.target == "/api/chat"


async def test_a_model_that_ollama_has_not_is_said_to_be_pulled(home: Path) -> None:
    body = json.dumps({"error": "model 'qwen9' not found"}).encode()
    async with FaultServer(whole(body, status=404)) as server:
        configure(home, provider("ollama", server.url))
        with pytest.raises(ModelNotFound, match="ollama pull qwen9"):
            await valechat.Chat("ollama/qwen9").ask("Is it?")


async def test_openrouters_own_cost_is_in_the_ledger_to_its_last_digit(home: Path) -> None:
    assert Decimal(repr(float(COST))) != Decimal(COST)
    async with FaultServer(stream(COMMENT, delta({"content": "It is é."}), delta({}, "stop"), usage(), DONE)) as server:
        configure(home, provider("openrouter", server.url))
        reply = await valechat.Chat("openrouter/z/m-1").ask("Is it?")
        (request,) = server.requests
    exact = Decimal(COST)
    assert reply.cost == exact
    assert row() == ("openrouter", "z/m-1", 11, 7, None, None, exact, "reported", "complete")
    assert (request.target, request.headers["authorization"]) == ("/chat/completions", "Bearer sk-test")


def called(arguments: dict[str, Any]) -> dict[str, Any]:
    return {
        "functionCall": {"id": "fc_1", "name": "add", "args": arguments},
        "thoughtSignature": "c2lnbmF0dXJl",
    }


async def test_gemini_calls_a_function_and_its_signature_returns(home: Path) -> None:
    first = stream(chunk({"text": "Plan.", "thought": True}), chunk(called({"a": 1, "b": 2})), END)
    async with FaultServer(first, stream(chunk({"text": "Three."}), END)) as server:
        configure(home, provider("gemini", server.url))
        reply = await valechat.Chat("gemini/gemini-3.1-pro-preview", tools=[add]).ask("What is 1 + 2?")
        asked, again = (request.json for request in server.requests)
    assert reply.text == "Three."
    assert asked["tools"][0]["functionDeclarations"][0]["name"] == "add"
    assert again["contents"][1]["parts"] == [called({"a": 1, "b": 2})]
    result = again["contents"][2]["parts"][0]["functionResponse"]
    assert (result["id"], result["name"], result["response"]) == ("fc_1", "add", {"output": "3"})


async def test_openrouter_calls_a_function_and_its_thought_returns(home: Path) -> None:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a":1,"b":2}'}}
    first = stream(
        thought(piece(text="Plan.", signature="c2ln"), reasoning="Plan."),
        delta({"tool_calls": [call]}),
        delta({}, "tool_calls"),
        usage("0.0000000000000000001"),
        DONE,
    )
    second = stream(delta({"content": "Three."}), delta({}, "stop"), usage("0.2"), DONE)
    async with FaultServer(first, second) as server:
        configure(home, provider("openrouter", server.url))
        reply = await valechat.Chat("openrouter/z/m-1", tools=[add]).ask("What is 1 + 2?")
        messages = server.requests[1].json["messages"]
    assert reply.text == "Three."
    assert reply.cost == Decimal("0.2000000000000000001")
    assert messages[1]["reasoning_details"] == [piece(text="Plan.", signature="c2ln")]
    assert (messages[2]["tool_call_id"], messages[2]["content"]) == ("call_1", "3")


async def test_a_conversation_goes_round_all_three(home: Path) -> None:
    calling = stream(chunk({"text": "Plan.", "thought": True}), chunk(called({"a": 1, "b": 2})), END)
    google = FaultServer(calling, stream(chunk({"text": "Three."}), END))
    llama = FaultServer(stream(ollama.said(thinking="hm"), ollama.said(content="Yes."), ollama.done()))
    routed = (thought(piece(text="hm"), reasoning="hm"), delta({"content": "Sure."}), delta({}, "stop"), usage(), DONE)
    router = FaultServer(stream(*routed))
    async with google, llama, router:
        configure(
            home, provider("gemini", google.url) + provider("ollama", llama.url) + provider("openrouter", router.url)
        )
        chat = valechat.Chat("gemini/gemini-3.1-pro-preview", tools=[add])
        for model in ("gemini/gemini-3.1-pro-preview", "ollama/qwen3", "openrouter/z/m-1", "gemini/gemini-2.5-pro"):
            reply = await chat.ask("And now?", model=model)
            assert reply.status == "complete"
        at_llama, at_router = llama.requests[0].json["messages"], router.requests[0].json["messages"]
        back = google.requests[2].json["contents"]
    assert [message["role"] for message in at_llama] == ["user", "assistant", "tool", "assistant", "user"]
    assert at_llama[1]["tool_calls"][0]["function"] == {"name": "add", "arguments": {"a": 1, "b": 2}}
    assert "reasoning_details" not in json.dumps(at_router)
    assert [turn["role"] for turn in back] == [*(["user", "model"] * 4), "user"]
    assert "thoughtSignature" not in json.dumps(back)
    assert [turn["parts"] for turn in back[5:8:2]] == [[{"text": "Yes."}], [{"text": "Sure."}]]
