"""A server has a model answer it: with the user's consent, within the limits, as a row of its own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any

import mcp_types as types
import pytest

from tests.money import COST, Money
from tests.plugins.asked import Asked
from tests.plugins.managing import Managed, managed
from tests.plugins.sampler import command
from tests.plugins.support import MARKER
from tests.scripted import ScriptedProvider, answer
from valechat.asking import Asker, SamplingApproval, nobody
from valechat.billing.table import PriceTable, default_table
from valechat.catalogue import Model
from valechat.config import Limits, PluginSettings, Settings
from valechat.errors import MissingKey, ServerFailed
from valechat.ledger.base import UsageRow
from valechat.messages import ImagePart, Message, TextPart, ToolCallPart, ToolResultPart
from valechat.meter import Meter
from valechat.paths import user_paths
from valechat.plugins.approvals import SAMPLING, Approvals
from valechat.plugins.sampling import REJECTED, Sampling
from valechat.providers.base import PartChunk, StopChunk, TextChunk
from valechat.session import Target

PNG = b"\x89PNG\r\n\x1a\n"


class Answering:
    """What sampling uses of `Services`, over a real ledger: each provider has one model, `echo`."""

    def __init__(self, *providers: ScriptedProvider) -> None:
        self.money = Money()
        self.providers = {provider.name: provider for provider in providers}
        self.settings = Settings()
        self.keyless = False

    @property
    def prices(self) -> PriceTable:
        return default_table()

    @property
    def meter(self) -> Meter:
        return self.money.meter

    async def target(self, name: str) -> Target:
        provider, _, model = name.partition("/")
        return Target(self.providers[provider], model)

    async def default_model(self) -> str:
        return f"{next(iter(self.providers))}/echo"

    async def models(self) -> Sequence[Model]:
        return [Model(f"{name}/echo", name, "echo", usable=name != "broken") for name in self.providers]

    async def ready(self, target: Target) -> None:
        if self.keyless:
            raise MissingKey("No key for demo in the keychain of Ada.", provider="demo")

    def price_name(self, target: Target) -> str:
        return target.name

    def rows(self) -> list[UsageRow]:
        found = self.money.ledger.connect().sql("SELECT request_id FROM usage ORDER BY ts").fetchall()
        return self.money.ledger.usage_of([row[0] for row in found])


def approvals() -> Approvals:
    return Approvals(user_paths().approvals_file)


def text(words: str, role: str = "user") -> types.SamplingMessage:
    return types.SamplingMessage(role=role, content=types.TextContent(text=words))  # type: ignore[arg-type]  # a role


def params(*messages: types.SamplingMessage, **changes: Any) -> types.CreateMessageRequestParams:
    return types.CreateMessageRequestParams(
        messages=[*messages] or [text("What is up?")], **{"max_tokens": 100, **changes}
    )


@pytest.fixture
def answering() -> Answering:
    return Answering(ScriptedProvider(*[answer("Nothing much.")] * 20))


@pytest.fixture
async def sampling(answering: Answering) -> AsyncIterator[Sampling]:
    yield Sampling(answering, approvals())
    answering.money.ledger.close()


def words(given: object) -> str:
    assert isinstance(given, types.CreateMessageResult), given
    assert isinstance(given.content, types.TextContent)
    return given.content.text


def refusal(given: object) -> types.ErrorData:
    assert isinstance(given, types.ErrorData), given
    return given


async def test_a_model_answers_when_the_user_agrees(answering: Answering, sampling: Sampling) -> None:
    given = await sampling("git", params(), Asked("once"))
    assert words(given) == "Nothing much."
    assert isinstance(given, types.CreateMessageResult)
    assert (given.role, given.model, given.stop_reason) == ("assistant", "echo", "endTurn")


async def test_it_is_billed_as_sampling_of_that_plugin(answering: Answering, sampling: Sampling) -> None:
    await sampling("git", params(), Asked("once"))
    (row,) = answering.rows()
    assert (row.kind, row.plugin, row.cost, row.conversation_id, row.status) == (
        "sampling",
        "git",
        COST,
        None,
        "complete",
    )
    assert answering.money.of(row.day) == (COST, 0)


async def test_the_user_sees_what_is_asked_of_which_model_and_what_it_may_cost(sampling: Sampling) -> None:
    asker = Asked("no")
    picture = types.ImageContent(data=base64.b64encode(PNG).decode(), mime_type="image/png")
    asked = params(
        text("Hi"),
        text("Hello", "assistant"),
        types.SamplingMessage(role="user", content=picture),
        system_prompt="Be brief.",
    )
    await sampling("git", asked, asker)
    (question,) = asker.questions
    assert isinstance(question, SamplingApproval)
    assert (question.plugin, question.model, question.system, question.max_tokens) == (
        "git",
        "demo/echo",
        "Be brief.",
        100,
    )
    assert question.text == "user: Hi\n\nassistant: Hello\n\nuser: [image/png, 8 bytes]"
    assert question.most_cost is not None
    assert question.most_cost > Decimal("0.0002")


@pytest.mark.parametrize("decision", ["no", "never"])
async def test_a_refusal_reaches_the_server_as_an_error_and_nothing_is_sent(
    answering: Answering, sampling: Sampling, decision: Any
) -> None:
    assert refusal(await sampling("git", params(), Asked(decision))).code == REJECTED
    assert answering.providers["demo"].requests == []
    assert answering.rows() == []


async def test_never_is_remembered(sampling: Sampling) -> None:
    asker = Asked("never")
    await sampling("git", params(), asker)
    assert refusal(await sampling("git", params(), asker)).code == REJECTED
    assert len(asker.questions) == 1


async def test_always_is_remembered_for_this_plugin(sampling: Sampling) -> None:
    asker = Asked("always_tool", "no")
    await sampling("git", params(), asker)
    assert words(await sampling("git", params(), asker)) == "Nothing much."
    assert refusal(await sampling("evil", params(), asker)).code == REJECTED


async def test_a_permission_for_all_tools_of_a_plugin_does_not_cover_it(sampling: Sampling) -> None:
    approvals().allow("git")
    assert refusal(await sampling("git", params(), Asked("no"))).code == REJECTED


async def test_where_nobody_can_be_asked_it_is_refused(sampling: Sampling) -> None:
    assert "could not be asked" in refusal(await sampling("git", params(), nobody)).message


async def test_a_limit_without_room_refuses_without_telling_the_server_what_the_user_spends(
    answering: Answering, sampling: Sampling
) -> None:
    answering.money.limits = Limits.model_validate({"daily": "0.0000001"})
    refused = refusal(await sampling("git", params(), Asked("once")))
    assert refused.message == "The user's limits leave no room for this request."
    assert answering.providers["demo"].requests == []


async def test_a_server_may_ask_only_so_often_a_minute_whatever_the_user_answers(
    answering: Answering, sampling: Sampling
) -> None:
    answering.settings = Settings(plugins=PluginSettings(sampling_per_minute=3))
    asker = Asked("no")
    for _ in range(5):
        refused = refusal(await sampling("git", params(), asker))
    assert "At most 3 requests a minute" in refused.message
    assert len(asker.questions) == 3
    assert words(await sampling("time", params(), Asked("once"))) == "Nothing much."


async def test_a_remembered_permission_still_asks_about_a_dear_request(
    answering: Answering, sampling: Sampling
) -> None:
    answering.money.limits = Limits.model_validate({"confirm_above": "0.0000001"})
    approvals().allow("git", SAMPLING)
    asker = Asked(confirms=False)
    assert refusal(await sampling("git", params(), asker)).code == REJECTED
    assert len(asker.confirmations) == 1
    assert words(await sampling("git", params(), Asked(confirms=True))) == "Nothing much."


async def test_who_agreed_to_the_cost_in_the_question_is_not_asked_twice(
    answering: Answering, sampling: Sampling
) -> None:
    answering.money.limits = Limits.model_validate({"confirm_above": "0.0000001"})
    asker = Asked("once")
    assert words(await sampling("git", params(), asker)) == "Nothing much."
    assert asker.confirmations == []


async def test_the_model_hinted_at_is_asked_where_it_can_be() -> None:
    first, spare, broken = (ScriptedProvider(answer(name), name=name) for name in ("demo", "spare", "broken"))
    answering = Answering(first, broken, spare)
    sampling = Sampling(answering, approvals())
    hints = {"hints": [{"name": "broken"}, {"name": "SPARE"}]}
    assert words(await sampling("git", params(model_preferences=hints), Asked("once"))) == "spare"
    assert words(await sampling("git", params(model_preferences={"hints": [{"name": "x"}]}), Asked("once"))) == "demo"
    answering.money.ledger.close()


async def test_the_request_says_what_the_server_said(answering: Answering, sampling: Sampling) -> None:
    answering.money.limits = Limits()
    picture = types.ImageContent(data=base64.b64encode(PNG).decode(), mime_type="image/x-odd")
    said = types.SamplingMessage(role="user", content=[types.TextContent(text="Look"), picture])
    await sampling("git", params(said, system_prompt="Be brief.", temperature=0.5, max_tokens=10**9), Asked("once"))
    (request,) = answering.providers["demo"].requests
    assert request.messages == [Message("user", (TextPart("Look"), ImagePart(PNG, "image/png")))]
    assert (request.system, request.options.temperature) == ("Be brief.", 0.5)
    assert request.options.max_tokens is not None
    assert request.options.max_tokens <= 16_384


async def test_an_answer_ends_at_a_stop_sequence() -> None:
    answering = Answering(ScriptedProvider(answer("One. Two. Three.")))
    given = await Sampling(answering, approvals())("git", params(stop_sequences=["Three", "Two"]), Asked("once"))
    assert words(given) == "One. "
    assert isinstance(given, types.CreateMessageResult)
    assert given.stop_reason == "stopSequence"
    answering.money.ledger.close()


async def test_a_model_may_call_the_servers_own_tools() -> None:
    call = PartChunk(ToolCallPart("t1", "look", '{"at": 1}'))
    provider = ScriptedProvider([TextChunk("Let me see."), call, StopChunk("tool_calls", "x")], answer("Done"))
    answering = Answering(provider)
    sampling = Sampling(answering, approvals())
    tool = types.Tool(name="look", description="Looks.", input_schema={"type": "object"})
    given = await sampling("git", params(tools=[tool]), Asked("once"))
    assert isinstance(given, types.CreateMessageResultWithTools)
    assert given.stop_reason == "toolUse"
    assert given.content_as_list == [
        types.TextContent(text="Let me see."),
        types.ToolUseContent(id="t1", name="look", input={"at": 1}),
    ]
    used = types.SamplingMessage(role="assistant", content=given.content)
    seen = types.ToolResultContent(tool_use_id="t1", content=[types.TextContent(text="A cat")])
    again = params(text("Go"), used, types.SamplingMessage(role="user", content=seen), tools=[tool])
    await sampling("git", again, Asked("once"))
    assert provider.requests[1].messages[-1] == Message("tool", (ToolResultPart("t1", "look", "A cat"),))
    assert provider.requests[1].tools[0].name == "look"
    answering.money.ledger.close()


async def test_arguments_that_a_model_wrote_wrong_are_left_for_the_server_to_refuse() -> None:
    call = PartChunk(ToolCallPart("t1", "look", '{"at": '))
    answering = Answering(ScriptedProvider([call, StopChunk("tool_calls", "x")]))
    tool = types.Tool(name="look", description="Looks.", input_schema={"type": "object"})
    given = await Sampling(answering, approvals())("git", params(tools=[tool]), Asked("once"))
    assert isinstance(given, types.CreateMessageResultWithTools)
    assert given.content_as_list == [types.ToolUseContent(id="t1", name="look", input={"invalid_arguments": '{"at": '})]
    answering.money.ledger.close()


@pytest.mark.parametrize(
    "content",
    [
        types.AudioContent(data="", mime_type="audio/wav"),
        types.ImageContent(data=base64.b64encode(b"<svg/>").decode(), mime_type="image/png"),
    ],
)
async def test_what_no_model_can_be_sent_is_an_error_of_the_servers_parameters(
    sampling: Sampling, content: Any
) -> None:
    asked = params(types.SamplingMessage(role="user", content=content))
    assert refusal(await sampling("git", asked, Asked("once"))).code == types.INVALID_PARAMS


async def test_a_failing_model_is_said_to_the_server_without_details_and_recorded() -> None:
    answering = Answering(ScriptedProvider([ServerFailed("Down at 10.0.0.7.", provider="demo", status=500)]))
    failed = refusal(await Sampling(answering, approvals())("git", params(), Asked("once")))
    assert failed.message == "No model answered: ServerFailed."
    assert [(row.status, row.plugin) for row in answering.rows()] == [("failed", "git")]
    answering.money.ledger.close()


async def test_a_missing_key_is_not_told_to_the_server(answering: Answering, sampling: Sampling) -> None:
    answering.keyless = True
    assert "Ada" not in refusal(await sampling("git", params(), Asked("once"))).message


async def test_a_request_that_is_cancelled_is_settled(answering: Answering) -> None:
    slow = ScriptedProvider([TextChunk("Half an "), 60.0])
    answering.providers["demo"] = slow
    task = asyncio.ensure_future(Sampling(answering, approvals())("git", params(), Asked("once")))
    await asyncio.wait_for(slow.waiting.wait(), 30)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert [(row.status, row.cost_source) for row in answering.rows()] == [("cancelled", "estimated")]
    answering.money.ledger.close()


async def test_a_question_is_withdrawn_when_the_request_is_cancelled(answering: Answering, sampling: Sampling) -> None:
    asker: Asker = Asked(never_mind=True)
    assert isinstance(asker, Asked)
    task = asyncio.ensure_future(sampling("git", params(), asker))
    await asyncio.wait_for(asker.asked.wait(), 30)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert (asker.withdrawn, answering.rows()) == (1, [])


@pytest.fixture
async def server(answering: Answering, sampling: Sampling) -> AsyncIterator[Managed]:
    """A manager whose one plugin, `s`, is a server that asks for models' answers."""
    async with managed(sample=sampling) as found:
        program, *arguments = command()
        entry = {"id": "s", "command": program, "args": arguments, "env": {MARKER: found.marker}}
        assert (await found.manager.add(entry)).state == "running"
        yield found


async def test_a_real_server_is_answered_in_the_middle_of_a_call(answering: Answering, server: Managed) -> None:
    asker = Asked("once")
    told = await server.manager.call_tool("s", "ask", {"text": "What is up?"}, asker=asker)
    assert told.text == "echo said: Nothing much."
    (question,) = asker.questions
    assert isinstance(question, SamplingApproval)
    assert (question.plugin, question.text) == ("s", "What is up?")
    assert [(row.kind, row.plugin) for row in answering.rows()] == [("sampling", "s")]


async def test_a_real_server_goes_on_when_the_user_says_no(server: Managed) -> None:
    told = await server.manager.call_tool("s", "ask", {"text": "Hi"}, asker=Asked("no"))
    assert told.text == "refused: The user rejected this request."


async def test_a_call_does_not_time_out_while_the_user_thinks(server: Managed) -> None:
    class Thoughtful(Asked):
        async def approve(self, question: Any) -> Any:
            await asyncio.sleep(2.2)
            return await super().approve(question)

    await server.manager.change("s", call_timeout=2)
    told = await server.manager.call_tool("s", "ask", {"text": "Hi"}, asker=Thoughtful("once"))
    assert told.text == "echo said: Nothing much."


async def test_a_server_that_asks_round_and_round_is_stopped(answering: Answering, server: Managed) -> None:
    answering.settings = Settings(plugins=PluginSettings(sampling_per_minute=3))
    told = await server.manager.call_tool("s", "ask", {"text": "Again", "times": 6}, asker=Asked("always_tool"))
    assert [line.split(":")[0] for line in told.text.splitlines()] == ["echo said"] * 3 + ["refused"] * 3
    assert len(answering.rows()) == 3
