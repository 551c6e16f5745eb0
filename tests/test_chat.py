"""`Chat` over the real demonstration server: the same client, ledger and events as for a paid model."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from pathlib import Path

import pytest

import valechat
from tests.providers import faults
from valechat.errors import AuthenticationFailed, ConfigError, MissingKey, TooLarge, UnknownModel
from valechat.services import services

FAST = {"demo_tokens_per_second": 0}


def chat(**changes: object) -> valechat.Chat:
    return valechat.Chat("demo/echo", options=FAST, **changes)  # type: ignore[arg-type]  # whatever a test names


def rows() -> list[tuple[object, ...]]:
    return valechat.sql("SELECT provider, model, status FROM usage ORDER BY ts").fetchall()


async def test_a_question_is_answered_with_usage_cost_and_the_id_of_its_row() -> None:
    reply = await chat().ask("Hello")
    assert "Hello" in reply.text
    assert (reply.model, reply.status) == ("demo/echo", "complete")
    assert reply.usage.input_tokens is not None
    assert reply.usage.output_tokens is not None
    expected = Decimal(reply.usage.input_tokens + 2 * reply.usage.output_tokens) / 1_000_000
    assert reply.cost == expected
    (found,) = valechat.sql("SELECT request_id, cost FROM usage").fetchall()
    assert found == (reply.request_ids[0], expected)


def test_the_blocking_form_gives_the_same() -> None:
    assert "Hello" in chat().ask_sync("Hello").text


async def test_the_stream_is_the_answer_in_pieces_and_ends_with_the_reply() -> None:
    events = [event async for event in chat().stream("Count to 20")]
    done = events[-1]
    assert done.kind == "done"
    assert "".join(event.text for event in events if event.kind == "text") == done.reply.text
    assert len([event for event in events if event.kind == "text"]) > 5


async def test_leaving_the_stream_early_stops_the_request_and_settles_it() -> None:
    slow = valechat.Chat("demo/echo")
    async with contextlib.aclosing(slow.stream("Count to 500")) as events:
        async for event in events:
            if event.kind == "text":
                break
    assert rows() == [("demo", "echo", "cancelled")]


async def test_a_conversation_remembers_and_another_kernel_can_go_on_with_it() -> None:
    first = chat()
    await first.ask("Hello")
    again = chat(conversation=first.conversation_id)
    reply = await again.ask("How many messages?")
    assert "| messages in this conversation | 3 |" in reply.text


async def test_reasoning_comes_as_its_own_events() -> None:
    kinds = {event.kind async for event in chat().stream("think about it")}
    assert {"thinking", "text"} <= kinds


async def test_without_key_or_local_server_the_demonstration_answers() -> None:
    reply = await valechat.Chat(options=FAST).ask("Hello")
    assert reply.model == "demo/echo"


async def test_the_configured_default_model_is_asked_when_none_is_named(home: Path) -> None:
    (home / "config.toml").write_text('default_model = "demo:echo"\n')
    assert (await valechat.Chat(options=FAST).ask("Hello")).model == "demo/echo"


async def test_a_model_of_the_users_own_server_is_asked_with_its_own_key_and_price(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYLAB_KEY", "sk-canary")
    words = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n'
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":10}}\n\ndata: [DONE]\n\n'
    async with faults.FaultServer(faults.stream(words, usage)) as server:
        (home / "config.toml").write_text(
            f'[providers.mylab]\nbase_url = "{server.url}/v1"\napi_key = "${{MYLAB_KEY}}"\nmodels = ["scripted"]\n'
            '[prices."mylab/scripted"]\ninput = "1.25"\noutput = "10"\n'
        )
        reply = await valechat.Chat("scripted").ask("Hello")
        assert server.requests[0].headers["authorization"] == "Bearer sk-canary"
    assert (reply.text, reply.model, reply.cost) == ("Hi", "mylab/scripted", Decimal("0.00135"))
    (access,) = valechat.sql("SELECT key, source, purpose FROM key_access WHERE purpose = 'request'").fetchall()
    assert access == ("mylab", "environment MYLAB_KEY", "request")


async def test_a_refused_key_is_an_error_without_the_key_and_a_row(home: Path) -> None:
    refusal = faults.whole(b'{"error": {"message": "Bad key sk-canary-1234"}}', status=401)
    async with faults.FaultServer(refusal) as server:
        (home / "config.toml").write_text(
            f'[providers.mylab]\nbase_url = "{server.url}/v1"\napi_key = "sk-canary-1234"\n'
        )
        with pytest.raises(AuthenticationFailed) as caught:
            await valechat.Chat("mylab/scripted").ask("Hello")
    assert "sk-canary" not in str(caught.value)
    assert rows() == [("mylab", "scripted", "failed")]


async def test_a_missing_key_is_said_before_anything_is_sent_or_stored() -> None:
    with pytest.raises(MissingKey, match="OPENAI_API_KEY"):
        await valechat.Chat("openai/gpt-5-mini").ask("Hello")
    assert rows() == []
    assert services().ledger.conversations() == []


@pytest.mark.parametrize(("name", "error"), [("nobody/model", UnknownModel), ("no-such-model", UnknownModel)])
async def test_a_model_nobody_has_is_an_error_that_says_what_to_write(name: str, error: type[ConfigError]) -> None:
    with pytest.raises(error) as caught:
        await valechat.Chat(name).ask("Hello")
    assert caught.value.fix


async def test_too_long_a_question_is_refused_with_its_size() -> None:
    with pytest.raises(TooLarge, match="50,001"):
        await chat().ask("x" * 50_001)


async def test_the_fallback_is_asked_and_said(home: Path) -> None:
    async with faults.FaultServer(faults.whole(b'{"error": {"message": "Broken"}}', status=400)) as server:
        (home / "config.toml").write_text(f'[providers.mylab]\nbase_url = "{server.url}/v1"\n')
        reply = await valechat.Chat("mylab/scripted", fallback=["demo/echo"]).ask("Hello")
    assert reply.model == "demo/echo"
    assert "mylab/scripted failed" in reply.notes[0]
    assert rows() == [("mylab", "scripted", "failed"), ("demo", "echo", "complete")]


async def test_a_function_is_called_as_a_tool() -> None:
    def clock(zone: str) -> str:
        """Tell the time."""
        return f"12:00 in {zone}"

    reply = await chat(tools=[clock]).ask('use the tool clock with {"zone": "UTC"}')
    assert "12:00 in UTC" in reply.text
    assert len(reply.request_ids) == 2


async def test_the_size_limit_for_a_tools_input_is_the_configured_one(home: Path) -> None:
    def clock(zone: str) -> str:
        """Tell the time."""
        return f"12:00 in {zone}"

    (home / "config.toml").write_text("[sizes]\ntool_input = 10\n")
    reply = await chat(tools=[clock]).ask('use the tool clock with {"zone": "UTC"}')
    assert "over 10 bytes" in reply.text


async def test_a_reply_reads_as_its_text() -> None:
    reply = await chat().ask("Hello")
    assert str(reply) == reply.text


def test_models_lists_the_demonstration_with_its_invented_prices() -> None:
    (demo,) = [model for model in valechat.models() if model.id == "demo/echo"]
    assert (demo.usable, demo.demo, demo.input_price, demo.output_price) == (True, True, Decimal(1), Decimal(2))
