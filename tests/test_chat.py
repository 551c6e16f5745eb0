"""`Chat` over the real demonstration server: the same client, ledger and events as for a paid model."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

import valechat
from tests.plugins.asked import Asked
from tests.plugins.managing import unruly, write_file
from tests.providers import faults
from valechat.asking import Approval, nobody, use_asker
from valechat.engine import engine
from valechat.errors import AuthenticationFailed, ConfigError, MissingKey, TooLarge, UnknownModel
from valechat.events import DoneEvent, Event, StatusEvent
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


async def test_a_conversation_that_grew_too_long_is_refused_before_anything_is_sent(home: Path) -> None:
    (home / "config.toml").write_text("[sizes]\nconversation = 400\n")
    talk = chat()
    await talk.ask("x" * 100)
    before = rows()
    with pytest.raises(TooLarge, match=r"conversation would be .* the limit is 400"):
        await talk.ask("y" * 250)
    assert rows() == before


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


@pytest.fixture
def unruly_file(home: Path) -> Iterator[Path]:
    """A server of ours in the user's file; whatever of it runs is stopped with the engine."""
    entries = [unruly("u", name="Unruly"), unruly("broken", "--die-at-start", "3", enabled=False)]
    write_file(home / "mcp_plugins.json", *entries)
    yield home
    engine().close()


async def test_a_plugin_that_is_named_is_started_and_its_tools_are_called(unruly_file: Path) -> None:
    services().approvals.allow("u", "echo")
    events = [
        event async for event in chat(plugins=["u"]).stream('use the tool u_echo with {"text": "from the server"}')
    ]
    assert events[0] == StatusEvent("Starting Unruly.")
    done = events[-1]
    assert isinstance(done, DoneEvent)
    assert "from the server" in done.reply.text
    assert valechat.sql("SELECT plugin, tool, status FROM tool_calls").fetchall() == [("u", "echo", "ok")]


async def test_a_plugin_and_a_function_are_offered_together(unruly_file: Path) -> None:
    def clock(zone: str) -> str:
        """Tell the time."""
        return f"12:00 in {zone}"

    services().approvals.allow("u")
    both = chat(plugins="enabled", tools=[clock])
    reply = await both.ask('use the tool u_echo with {"text": "a"} and use the tool clock with {"zone": "UTC"}')
    assert "12:00 in UTC" in reply.text
    found = valechat.sql("SELECT plugin, tool FROM tool_calls ORDER BY plugin").fetchall()
    assert found == [("notebook", "clock"), ("u", "echo")]


async def test_a_plugin_that_nobody_has_is_said_with_those_there_are(unruly_file: Path) -> None:
    with pytest.raises(ConfigError, match="'gti'") as caught:
        await chat(plugins=["gti"]).ask("Hello")
    assert "broken, u" in caught.value.fix
    assert rows() == []


async def test_a_plugin_that_cannot_start_is_told_once_and_the_question_is_answered(unruly_file: Path) -> None:
    talk = chat(plugins=["broken"])
    reply = await talk.ask("Hello")
    assert "Hello" in reply.text
    (note,) = reply.notes
    assert note.startswith("broken does not run: ")
    assert (await talk.ask("Hello")).notes == ()


async def test_the_front_end_of_a_turn_is_asked_about_its_calls(unruly_file: Path) -> None:
    asker = Asked("no")
    question = 'use the tool u_echo with {"text": "x"}'

    async def asked() -> list[Event]:
        return [event async for event in chat(plugins=["u"]).turn(question, asker=asker)]

    *_, done = await engine().wait(asked())
    assert isinstance(done, DoneEvent)
    assert "did not allow" in done.reply.text
    assert [(one.plugin, one.call_id != "") for one in asker.questions if isinstance(one, Approval)] == [("u", True)]


async def test_without_a_front_end_of_its_own_a_turn_asks_that_of_the_process(unruly_file: Path) -> None:
    asker = Asked("once")
    use_asker(asker)
    try:
        assert "hello" in (await chat(plugins=["u"]).ask('use the tool u_echo with {"text": "hello"}')).text
    finally:
        use_asker(nobody)
    assert len(asker.questions) == 1


async def test_a_permission_does_not_pass_to_another_server_under_the_same_id(unruly_file: Path) -> None:
    question = 'use the tool u_echo with {"text": "hello"}'
    asker = Asked("always_plugin", "no")
    use_asker(asker)
    try:
        assert "hello" in (await chat(plugins=["u"]).ask(question)).text
        write_file(unruly_file / "mcp_plugins.json", unruly("u", "--tools", "3"))
        assert "did not allow" in (await chat(plugins=["u"]).ask(question)).text
    finally:
        use_asker(nobody)
    assert [one.changed for one in asker.questions if isinstance(one, Approval)] == [False, True]


async def test_the_plugins_of_a_chat_can_be_changed_between_two_questions(unruly_file: Path) -> None:
    services().approvals.allow("u")
    talk = chat()
    assert talk.variant(tools=[]).plugins == ()
    talk.plugins = ["u"]
    assert talk.in_conversation("other").plugins == talk.variant(tools=[]).plugins == ("u",)
    assert "hello" in (await talk.ask('use the tool u_echo with {"text": "hello"}')).text


def test_a_plugin_given_as_text_is_refused_where_it_is_written() -> None:
    with pytest.raises(ConfigError, match="neither a list"):
        chat(plugins="git")


async def test_what_would_be_offered_can_be_known_without_starting_anything(unruly_file: Path) -> None:
    def clock() -> str:
        return "12:00"

    talk = chat(plugins=["u"], tools=[clock])
    assert [spec.name for spec in talk.offered()] == ["clock"]
    services().approvals.allow("u")
    await talk.ask('use the tool u_echo with {"text": "x"}')

    async def offered() -> list[str]:
        return [spec.name for spec in talk.offered()]

    assert "u_echo" in await engine().wait(offered())
