"""A question to `Chat`, over the wire to a server on loopback, and into the ledger at its price."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

import valechat
from tests.providers.faults import FaultServer, stream
from tests.providers.test_anthropic_reader import BEGIN, THINKING, block, end, text
from tests.providers.test_responses_reader import MESSAGE, REASONING, saying, thinking
from tests.providers.test_responses_reader import end as responded
from valechat.engine import engine


@pytest.fixture(autouse=True)
def closed_engine() -> Iterator[None]:
    yield
    engine().close()


def configure(home: Path, text: str) -> None:
    (home / "config.toml").write_text(text, encoding="utf-8")


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def row() -> tuple[object, ...]:
    """The only row of usage."""
    columns = "provider, model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost, cost_source"
    (found,) = valechat.sql(f"select {columns}, status from usage").fetchall()
    return tuple(found)


async def test_anthropic_is_asked_and_billed_with_its_cache(home: Path) -> None:
    async with FaultServer(stream(BEGIN, *THINKING, *text(1, "It is ", "é."), *end())) as server:
        configure(home, f'[providers.anthropic]\nbase_url = "{server.url}"\napi_key = "sk-test"\n')
        reply = await valechat.Chat("anthropic/claude-sonnet-4-5").ask("Is it?")
        (request,) = server.requests
    assert (reply.text, reply.status) == ("It is é.", "complete")
    # 20 at $3, 100 written at $3.75, 1,000 read at $0.30, 42 out at $15, each a million.
    assert reply.cost == Decimal("0.001365")
    assert row() == (
        "anthropic", "claude-sonnet-4-5", 1120, 42, 1000, 100, Decimal("0.001365"), "priced", "complete",
    )  # fmt: skip
    assert (request.target, request.headers["x-api-key"]) == ("/v1/messages", "sk-test")


async def test_a_claude_calls_a_function_and_hears_its_own_reasoning_again(home: Path) -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {}}
    calling = block(1, call, {"type": "input_json_delta", "partial_json": '{"a": 1, "b": 2}'})
    first = stream(BEGIN, *THINKING, *calling, *end("tool_use"))
    async with FaultServer(first, stream(BEGIN, *text(0, "Three."), *end())) as server:
        configure(home, f'[providers.anthropic]\nbase_url = "{server.url}"\n')
        reply = await valechat.Chat("anthropic/claude-sonnet-4-5", tools=[add]).ask("What is 1 + 2?")
        messages = server.requests[1].json["messages"]
    assert reply.text == "Three."
    assert reply.cost == 2 * Decimal("0.001365")
    assert messages[1]["content"][0] == {
        "type": "thinking",
        "thinking": "First this – 日本.",
        "signature": "c2lnbmF0dXJl",
    }
    assert messages[2]["content"][0]["content"] == [{"type": "text", "text": "3"}]


async def test_a_conversation_moves_from_one_provider_to_another_and_back(home: Path) -> None:
    claude = FaultServer(stream(BEGIN, *THINKING, *text(1, "It is é."), *end()))
    gpt = FaultServer(stream(*thinking(), *saying(), *responded(REASONING, MESSAGE)))
    async with claude, gpt:
        configure(
            home,
            f'[providers.anthropic]\nbase_url = "{claude.url}"\n'
            f'[providers.openai]\nbase_url = "{gpt.url}"\napi = "responses"\n',
        )
        chat = valechat.Chat("anthropic/claude-sonnet-4-5")
        for model in ("anthropic/claude-sonnet-4-5", "openai/gpt-5-mini", "anthropic/claude-sonnet-4-5"):
            reply = await chat.ask("Is it?", model=model)
            assert reply.text == "It is é."
        asked, again = gpt.requests[0].json["input"], claude.requests[1].json["messages"]
    assert [item["type"] for item in asked] == ["message", "message", "message"]
    assert [block["type"] for block in again[1]["content"]] == ["thinking", "text"]
    assert [block["type"] for block in again[3]["content"]] == ["text"]
