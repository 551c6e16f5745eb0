"""The turn loop: every request is held, sent, streamed, settled and stored, whatever happens to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.plugins.asked import Asked
from tests.scripted import ScriptedProvider, answer
from valechat.billing.table import default_table
from valechat.config import Limits
from valechat.errors import (
    AuthenticationFailed,
    ConfirmationRequired,
    LimitReached,
    MissingKey,
    ServerFailed,
    StreamBroken,
)
from valechat.events import DoneEvent, Event, StatusEvent, TextEvent
from valechat.ledger import open_ledger
from valechat.ledger.base import Ledger, StoredMessage, UsageRow
from valechat.messages import Message, TextPart, ToolCallPart, ToolResultPart
from valechat.meter import Meter
from valechat.paths import user_paths
from valechat.providers.base import Options, PartChunk, StopChunk, TextChunk, ThinkingChunk, UsageChunk
from valechat.reply import Reply
from valechat.session import MOST_ROUNDS, Target, Turn, run_turn
from valechat.tools import FunctionTools

DAILY = Limits.model_validate({"daily": "0.01"})


class Conversation:
    """One conversation over a real ledger, asked turn by turn."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.ledger: Ledger = open_ledger(user_paths())
        self.meter = Meter(self.ledger, limits=lambda: self.limits, prices=default_table, zone=lambda: None)

    def turn(self, text: str, *providers: ScriptedProvider, model: str = "echo", **changes: object) -> Turn:
        targets = [Target(provider, model) for provider in providers]
        turn = Turn("c", Message.user(text), targets, title=text)
        return replace(turn, **changes)  # type: ignore[arg-type]  # whatever fields a test names

    async def events(self, turn: Turn) -> list[Event]:
        return [event async for event in run_turn(turn, self.ledger, self.meter)]

    async def ask(self, text: str, *providers: ScriptedProvider, **changes: object) -> Reply:
        done = (await self.events(self.turn(text, *providers, **changes)))[-1]  # type: ignore[arg-type]  # as above
        assert isinstance(done, DoneEvent)
        return done.reply

    def rows(self) -> list[UsageRow]:
        return self.ledger.conversation_usage("c")

    def stored(self) -> list[StoredMessage]:
        return self.ledger.messages("c")

    def held(self) -> Decimal:
        return sum(
            (Decimal(row[0]) for row in self.ledger.connect().sql("SELECT held FROM limits").fetchall()), Decimal(0)
        )


@pytest.fixture
async def talk() -> AsyncIterator[Conversation]:
    talk = Conversation()
    yield talk
    talk.ledger.close()


@pytest.fixture
async def limited() -> AsyncIterator[Conversation]:
    """A conversation with a daily limit of one cent."""
    talk = Conversation(DAILY)
    yield talk
    talk.ledger.close()


def texts(messages: Sequence[Message]) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in messages]


async def test_an_answer_is_streamed_stored_and_billed_exactly(talk: Conversation) -> None:
    script = [TextChunk("Hel"), TextChunk("lo"), *answer("", input_tokens=1000, output_tokens=10)]
    events = await talk.events(talk.turn("Hi", ScriptedProvider(script)))
    assert [event.text for event in events if isinstance(event, TextEvent)] == ["Hel", "lo", ""]
    assert [event.kind for event in events[-2:]] == ["usage", "done"]
    (row,) = talk.rows()
    assert (row.status, row.cost, row.cost_source) == ("complete", Decimal("0.00102"), "priced")
    assert texts([stored.message for stored in talk.stored()]) == [("user", "Hi"), ("assistant", "Hello")]
    assert talk.stored()[1].request_id == row.request_id


async def test_the_next_turn_tells_the_model_what_was_said(talk: Conversation) -> None:
    await talk.ask("One", ScriptedProvider(answer("1")))
    provider = ScriptedProvider(answer("2"))
    await talk.ask("Two", provider)
    assert texts(provider.requests[0].messages) == [("user", "One"), ("assistant", "1"), ("user", "Two")]


async def test_the_question_is_stored_before_the_first_word(talk: Conversation) -> None:
    provider = ScriptedProvider([60.0])
    async with contextlib.aclosing(run_turn(talk.turn("Hi", provider), talk.ledger, talk.meter)) as events:
        reading = asyncio.ensure_future(anext(events))
        await asyncio.wait_for(provider.waiting.wait(), 30)
        assert texts([stored.message for stored in talk.stored()]) == [("user", "Hi")]
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading


async def test_a_cancelled_turn_closes_the_stream_and_settles_what_had_arrived(talk: Conversation) -> None:
    provider = ScriptedProvider([TextChunk("Half an "), 60.0])
    task = asyncio.ensure_future(talk.events(talk.turn("Hi", provider)))
    await asyncio.wait_for(provider.waiting.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert provider.closed == 1
    (row,) = talk.rows()
    assert (row.status, row.cost_source) == ("cancelled", "estimated")
    assert row.cost is not None
    assert row.cost > 0
    assert (row.usage.output_tokens, row.verification.counted_output_tokens) == (None, 2)
    assert talk.stored()[1].status == "cancelled"
    assert talk.stored()[1].message.text == "Half an "


async def test_closing_the_events_early_settles_as_cancelled(talk: Conversation) -> None:
    provider = ScriptedProvider([TextChunk("a"), TextChunk("b"), 60.0])
    async with contextlib.aclosing(run_turn(talk.turn("Hi", provider), talk.ledger, talk.meter)) as events:
        await anext(events)
    assert [row.status for row in talk.rows()] == ["cancelled"]


async def test_an_answer_stopped_before_its_first_word_is_no_part_of_what_is_sent_next(talk: Conversation) -> None:
    provider = ScriptedProvider([60.0])
    task = asyncio.ensure_future(talk.events(talk.turn("Hi", provider)))
    await asyncio.wait_for(provider.waiting.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    following = ScriptedProvider(answer("Yes"))
    await talk.ask("Still there?", following)
    assert texts(following.requests[0].messages) == [("user", "Hi"), ("user", "Still there?")]


async def test_an_answer_that_breaks_off_is_kept_and_says_so(talk: Conversation) -> None:
    broken = StreamBroken("The connection was cut.", provider="demo")
    reply = await talk.ask("Hi", ScriptedProvider([TextChunk("Half"), broken]))
    assert (reply.text, reply.status) == ("Half", "failed")
    assert "The connection was cut." in reply.notes[0]
    (row,) = talk.rows()
    assert (row.status, row.cost_source, row.error) == ("failed", "estimated", "StreamBroken: The connection was cut.")


async def test_a_refusal_before_any_work_costs_nothing_and_raises(talk: Conversation) -> None:
    refused = AuthenticationFailed("Wrong key.", provider="demo", status=401)
    with pytest.raises(AuthenticationFailed):
        await talk.ask("Hi", ScriptedProvider([refused]))
    (row,) = talk.rows()
    assert (row.status, row.cost) == ("failed", Decimal(0))


async def test_a_question_that_found_no_answer_is_kept_but_not_sent_again(talk: Conversation) -> None:
    with pytest.raises(ServerFailed):
        await talk.ask("Lost?", ScriptedProvider([ServerFailed("Down.", provider="demo", status=500)]))
    assert [(stored.message.text, stored.status) for stored in talk.stored()] == [("Lost?", "failed")]
    provider = ScriptedProvider(answer("Yes"))
    await talk.ask("Again", provider)
    assert texts(provider.requests[0].messages) == [("user", "Again")]


async def test_a_failure_that_may_have_been_billed_is_estimated_not_free(talk: Conversation) -> None:
    with pytest.raises(StreamBroken):
        await talk.ask("Hi", ScriptedProvider([StreamBroken("Cut.", provider="demo")]))
    (row,) = talk.rows()
    assert row.cost_source == "estimated"
    assert row.cost is not None
    assert row.cost > 0


async def test_a_request_that_never_left_has_no_row_and_holds_nothing(limited: Conversation) -> None:
    missing = MissingKey("No key.", provider="demo")
    with pytest.raises(MissingKey):
        await limited.ask("Hi", ScriptedProvider([missing]))
    assert limited.rows() == []
    assert limited.held() == 0


async def test_the_next_model_is_asked_when_the_first_fails_before_its_first_word(talk: Conversation) -> None:
    down = ScriptedProvider([ServerFailed("Down.", provider="demo", status=500)])
    reply = await talk.ask("Hi", down, ScriptedProvider(answer("Hello"), name="spare"))
    assert (reply.model, reply.text) == ("spare/echo", "Hello")
    assert "demo/echo failed: Down." in reply.notes[0]
    assert [(row.provider, row.status) for row in talk.rows()] == [("demo", "failed"), ("spare", "complete")]


async def test_the_next_model_is_not_asked_once_words_were_shown(talk: Conversation) -> None:
    broken = ScriptedProvider([TextChunk("Half"), StreamBroken("Cut.", provider="demo")])
    spare = ScriptedProvider(answer("Hello"), name="spare")
    reply = await talk.ask("Hi", broken, spare)
    assert (reply.model, reply.status) == ("demo/echo", "failed")
    assert spare.requests == []


async def test_tools_are_called_and_their_results_go_back(talk: Conversation) -> None:
    def double(number: int) -> int:
        """Double it."""
        return 2 * number

    calls = [PartChunk(ToolCallPart(name, "double", f'{{"number": {name}}}')) for name in ("1", "2")]
    provider = ScriptedProvider([*calls, StopChunk("tool_calls", "tool_calls")], answer("2 and 4"))
    reply = await talk.ask("Double 1 and 2", provider, toolbox=FunctionTools([double]))
    assert reply.text == "2 and 4"
    results = provider.requests[1].messages[-1]
    assert results == Message("tool", (ToolResultPart("1", "double", "2"), ToolResultPart("2", "double", "4")))
    assert len(reply.request_ids) == 2
    assert len(talk.ledger.connect().sql("FROM tool_calls WHERE status = 'ok'").fetchall()) == 2


async def test_a_model_that_calls_tools_for_ever_is_stopped(talk: Conversation) -> None:
    def again() -> str:
        return "again"

    script = [PartChunk(ToolCallPart("1", "again", "{}")), *answer("")]
    provider = ScriptedProvider(*[script] * MOST_ROUNDS)
    reply = await talk.ask("Go", provider, toolbox=FunctionTools([again]))
    assert reply.status == "limit"
    assert len(provider.requests) == MOST_ROUNDS


async def test_reasoning_is_streamed_and_kept_apart(talk: Conversation) -> None:
    events = await talk.events(talk.turn("Hi", ScriptedProvider([ThinkingChunk("hm"), *answer("Yes")])))
    assert [event.kind for event in events if event.kind in ("thinking", "text")] == ["thinking", "text"]
    assert talk.stored()[1].message.thinking == "hm"


async def test_a_limit_without_room_stops_the_request_before_it_is_sent(limited: Conversation) -> None:
    await limited.ask("Hi", ScriptedProvider(answer("x", input_tokens=9_990, output_tokens=1)))
    provider = ScriptedProvider(answer("never"))
    with pytest.raises(LimitReached) as caught:
        await limited.ask("More", provider)
    assert provider.requests == []
    assert caught.value.limit == "daily"
    assert caught.value.used == Decimal("0.009992")
    assert "resets" in caught.value.message
    assert caught.value.fix
    assert texts([stored.message for stored in limited.stored()]) == [("user", "Hi"), ("assistant", "x")]


async def test_where_only_a_shorter_answer_fits_it_is_asked_for_and_said(limited: Conversation) -> None:
    provider = ScriptedProvider(answer("short"))
    reply = await limited.ask("Hi", provider, options=Options(max_tokens=20_000))
    asked = provider.requests[0].options.max_tokens
    assert asked is not None
    assert 64 <= asked < 5_000
    assert f"{asked:,} tokens" in reply.notes[0]


async def test_after_the_answer_only_the_true_cost_stands_against_the_limit(limited: Conversation) -> None:
    await limited.ask("Hi", ScriptedProvider(answer("x", input_tokens=100, output_tokens=10)))
    used = limited.ledger.connect().sql("SELECT used, held FROM limits").fetchall()
    assert used == [(Decimal("0.00012"), Decimal(0))]


async def test_an_answer_that_runs_past_what_was_held_is_stopped_and_kept(limited: Conversation) -> None:
    endless = ScriptedProvider([TextChunk("word " * 1000)] * 100)
    reply = await limited.ask("Hi", endless)
    assert reply.status == "limit"
    assert reply.text.startswith("word word")
    assert endless.closed == 1
    assert [row.status for row in limited.rows()] == ["limit"]


async def test_max_cost_bounds_a_single_question(talk: Conversation) -> None:
    with pytest.raises(LimitReached, match="allowed"):
        await talk.ask("Hi", ScriptedProvider(answer("never")), max_cost=Decimal("0.00001"))


async def test_a_model_without_a_price_is_unpriced_never_free(talk: Conversation) -> None:
    reply = await talk.ask("Hi", ScriptedProvider(answer("x"), name="mylab"))
    assert reply.cost is None
    assert [(row.cost, row.cost_source) for row in talk.rows()] == [(None, "unpriced")]


async def test_under_a_limit_a_model_without_a_price_needs_the_users_word(limited: Conversation) -> None:
    provider = ScriptedProvider(answer("x"), name="mylab")
    with pytest.raises(ConfirmationRequired) as caught:
        await limited.ask("Hi", provider)
    assert provider.requests == []
    assert "mylab/echo" in caught.value.fix
    assert (await limited.ask("Hi", provider, confirmed=True)).cost is None


async def test_a_request_above_confirm_above_needs_the_users_word() -> None:
    talk = Conversation(Limits.model_validate({"confirm_above": "0.001"}))
    provider = ScriptedProvider(answer("x"))
    with pytest.raises(ConfirmationRequired) as caught:
        await talk.ask("Hi", provider)
    assert caught.value.worst_case is not None
    assert caught.value.worst_case > Decimal("0.001")
    assert (await talk.ask("Hi", provider, confirmed=True)).text == "x"


@pytest.mark.parametrize("name", ["demo", "mylab"])
async def test_a_front_end_that_can_ask_is_asked_about_a_dear_request_and_the_turn_goes_on(name: str) -> None:
    talk = Conversation(Limits.model_validate({"confirm_above": "0.001", "daily": "1"}))
    asker = Asked(confirms=True)
    provider = ScriptedProvider(answer("x"), name=name)
    assert (await talk.ask("Hi", provider, asker=asker)).text == "x"
    (question,) = asker.confirmations
    assert question.model == f"{name}/echo"
    assert (question.most_cost is None) == (name == "mylab")
    assert question.message


async def test_a_yes_to_the_cost_counts_for_the_whole_turn_and_not_for_the_next() -> None:
    def again() -> str:
        return "again"

    talk = Conversation(Limits.model_validate({"confirm_above": "0.001"}))
    asker = Asked(confirms=True)
    call = [PartChunk(ToolCallPart("1", "again", "{}")), *answer("")]
    provider = ScriptedProvider(call, answer("Done"), answer("Next"))
    await talk.ask("Go", provider, toolbox=FunctionTools([again]), asker=asker)
    assert len(asker.confirmations) == 1
    await talk.ask("Next", provider, asker=asker)
    assert len(asker.confirmations) == 2


async def test_a_no_to_the_cost_is_the_refusal_it_would_be_without_anybody_to_ask() -> None:
    talk = Conversation(Limits.model_validate({"confirm_above": "0.001"}))
    provider = ScriptedProvider(answer("never"))
    with pytest.raises(ConfirmationRequired):
        await talk.ask("Hi", provider, asker=Asked(confirms=False))
    assert (provider.requests, talk.stored()) == ([], [])


async def test_what_is_to_be_told_of_a_turn_is_told_first_and_kept_with_the_reply(talk: Conversation) -> None:
    turn = talk.turn("Hi", ScriptedProvider(answer("x")), notes=["Git does not run."])
    first, *_, done = await talk.events(turn)
    assert first == StatusEvent("Git does not run.")
    assert isinstance(done, DoneEvent)
    assert done.reply.notes == ("Git does not run.",)


async def test_a_call_that_was_cancelled_with_its_turn_is_recorded_as_such(talk: Conversation) -> None:
    began = asyncio.Event()

    async def slow() -> str:
        began.set()
        await asyncio.sleep(60)
        return "never"

    provider = ScriptedProvider([PartChunk(ToolCallPart("1", "slow", "{}")), *answer("")])
    turn = talk.turn("Go", provider, toolbox=FunctionTools([slow]))
    task = asyncio.ensure_future(talk.events(turn))
    await asyncio.wait_for(began.wait(), 30)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    found = talk.ledger.connect().sql("SELECT plugin, tool, status FROM tool_calls").fetchall()
    assert found == [("notebook", "slow", "cancelled")]


async def test_a_free_model_is_never_refused() -> None:
    talk = Conversation(Limits.model_validate({"daily": "0.0000001", "confirm_above": "0.0000001"}))
    provider = ScriptedProvider(answer("x" * 1000), name="ollama")
    provider.local = True
    reply = await talk.ask("Hi", provider, model="llama3")
    assert (reply.text, reply.cost) == ("x" * 1000, Decimal(0))


async def test_requests_per_minute_hold_for_a_provider() -> None:
    talk = Conversation(Limits.model_validate({"rate": {"demo": {"requests_per_minute": 2}}}))
    provider = ScriptedProvider(answer("1"), answer("2"), answer("3"))
    await talk.ask("a", provider)
    await talk.ask("b", provider)
    with pytest.raises(LimitReached, match="2 requests a minute"):
        await talk.ask("c", provider)
    assert len(provider.requests) == 2


async def test_usage_without_counts_is_estimated(talk: Conversation) -> None:
    await talk.ask("Hi", ScriptedProvider([TextChunk("x" * 400), StopChunk("end", "stop")]))
    (row,) = talk.rows()
    assert (row.usage.input_tokens, row.cost_source, row.verification.status) == (None, "estimated", "unable")
    assert row.verification.counted_output_tokens == 100


async def test_the_users_max_tokens_reaches_the_model_unchanged_without_limits(talk: Conversation) -> None:
    provider = ScriptedProvider(answer("x"), answer("y"))
    await talk.ask("Hi", provider, options=Options(max_tokens=7))
    await talk.ask("Hi", provider)
    assert [request.options.max_tokens for request in provider.requests] == [7, None]


async def test_the_ledger_keeps_an_answers_parts_for_the_next_kernel(talk: Conversation, home: Path) -> None:
    await talk.ask("Hi", ScriptedProvider(answer("Hello")))
    again = open_ledger(user_paths())
    assert [stored.message for stored in again.messages("c")] == [
        Message.user("Hi"),
        Message("assistant", (TextPart("Hello"),)),
    ]
    again.close()


async def test_usage_that_arrived_before_a_cut_is_what_is_billed(talk: Conversation) -> None:
    usage = UsageChunk({"usage": {"prompt_tokens": 1000, "completion_tokens": 10}})
    await talk.ask("Hi", ScriptedProvider([TextChunk("x"), usage, StreamBroken("Cut.", provider="demo")]))
    (row,) = talk.rows()
    assert (row.status, row.cost, row.cost_source) == ("failed", Decimal("0.00102"), "priced")


async def test_an_openai_answer_is_recounted_in_the_background(talk: Conversation) -> None:
    prompt, words = "Say hello.", "Hello there, how are you today?"
    provider = ScriptedProvider(answer(words, input_tokens=10, output_tokens=8), name="openai")
    reply = await talk.ask(prompt, provider, model="gpt-4o")
    assert reply.verification == "pending"
    await talk.meter.recounted()
    (row,) = talk.rows()
    assert (row.verification.status, row.verification.counted_output_tokens) == ("verified", 8)


async def test_a_wrong_count_of_a_provider_is_a_discrepancy(talk: Conversation) -> None:
    provider = ScriptedProvider(answer("Hello", input_tokens=10, output_tokens=500), name="openai")
    await talk.ask("Hi", provider, model="gpt-4o")
    await talk.meter.recounted()
    (row,) = talk.rows()
    assert row.verification.status == "discrepancy"
    assert row.verification.discrepancy_percent is not None
    assert row.verification.discrepancy_percent > 5


async def test_an_answer_nobody_can_recount_says_why_at_once(talk: Conversation) -> None:
    reply = await talk.ask("Hi", ScriptedProvider(answer("Hello")))
    assert reply.verification == "unable"
    assert talk.rows()[0].verification.reason == "tokenizer_unpublished"


async def test_a_paused_answer_is_sent_back_so_that_the_model_goes_on(talk: Conversation) -> None:
    provider = ScriptedProvider([TextChunk("I am "), StopChunk("paused", "pause_turn")], answer("done"))
    reply = await talk.ask("Hi", provider)
    assert texts(provider.requests[1].messages) == [("user", "Hi"), ("assistant", "I am ")]
    assert (reply.text, reply.status) == ("I am done", "complete")
    assert len(reply.request_ids) == 2
