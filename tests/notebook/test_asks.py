"""Questions reach the panel, its answers reach those who asked, and nothing is left of a question that is moot."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import Future
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest

import valechat
from tests.notebook.panels import PanelUnderTest
from valechat.asking import (
    Approval,
    Confirmation,
    Filled,
    Form,
    Grant,
    GrantAsker,
    PassphraseAsker,
    SamplingApproval,
    Visit,
    asker,
)
from valechat.engine import engine

T = TypeVar("T")

DELETE = Approval(
    plugin="files",
    tool="delete",
    arguments='{"path": "/home/ada/thesis.tex"}',
    call_id="call-1",
    title="Delete a file",
    description="Deletes for ever.",
    destructive=True,
    changed=True,
)
FORM = Form(
    "files",
    "Who are you?",
    {
        "type": "object",
        "properties": {
            "name": {"type": "string", "title": "Name", "default": "Ada"},
            "age": {"type": "integer", "minimum": 18},
            "news": {"type": "boolean", "default": True},
            "colours": {"type": "array", "items": {"enum": ["red", "green"]}, "default": ["red"]},
        },
        "required": ["age"],
    },
)


@pytest.fixture(autouse=True)
def closed_engine() -> Iterator[None]:
    yield
    engine().close()


@pytest.fixture
async def panel(home: Path) -> PanelUnderTest:
    del home
    panel = PanelUnderTest(valechat.Chat("demo/echo"))
    panel.send({"type": "hello"})
    # The menu comes last: what it asks of other programs has then ended.
    await panel.until("models")
    return panel


def put(question: Coroutine[Any, Any, T]) -> Future[T]:
    """Ask on the engine's loop, as a turn or a plugin does."""
    return asyncio.run_coroutine_threadsafe(question, engine().loop)


async def got(asked: Future[T]) -> T:
    return await asyncio.wait_for(asyncio.wrap_future(asked), 30)


async def asked(panel: PanelUnderTest) -> Mapping[str, Any]:
    ask: Mapping[str, Any] = (await panel.until("asked"))["ask"]
    return ask


def answer(panel: PanelUnderTest, ask: Mapping[str, Any], choice: str, text: str | None = None) -> None:
    message = {"type": "ask_answer", "ask": ask["id"], "choice": choice}
    panel.send(message if text is None else {**message, "text": text})


async def state(panel: PanelUnderTest) -> Mapping[str, Any]:
    panel.send({"type": "hello"})
    return await panel.until("state")


async def test_a_panel_that_is_open_is_the_one_who_asks(panel: PanelUnderTest) -> None:
    waiting = put(asker().approve(DELETE))
    answer(panel, await asked(panel), "once")
    assert await got(waiting) == "once"


async def test_an_approval_shows_the_call_whole_and_what_is_known_of_the_tool(panel: PanelUnderTest) -> None:
    waiting = put(asker().approve(DELETE))
    ask = await asked(panel)
    assert ask["kind"] == "approval"
    assert ask["approval"] == {
        "plugin": "files",
        "tool": "delete",
        "title": "Delete a file",
        "description": "Deletes for ever.",
        "arguments": '{"path": "/home/ada/thesis.tex"}',
        "call_id": "call-1",
        "read_only": False,
        "destructive": True,
        "changed": True,
    }
    answer(panel, ask, "no")
    assert await got(waiting) == "no"


@pytest.mark.parametrize("choice", ["once", "always_tool", "always_plugin", "no", "never"])
async def test_each_decision_arrives_as_it_was_made(panel: PanelUnderTest, choice: str) -> None:
    waiting = put(asker().approve(DELETE))
    answer(panel, await asked(panel), choice)
    assert await got(waiting) == choice
    assert (await panel.until("ask_ended"))["ask"]


@pytest.mark.parametrize(("choice", "allowed"), [("accept", True), ("decline", False)])
async def test_a_permission_is_shown_exactly_as_it_is_granted(
    panel: PanelUnderTest, choice: str, *, allowed: bool
) -> None:
    front_end: object = asker()
    assert isinstance(front_end, GrantAsker)
    waiting = put(front_end.grant(Grant("files", "file_read", "/data/x", proven=False)))
    ask = await asked(panel)
    assert ask["grant"] == {"plugin": "files", "permit": "file_read", "value": "/data/x", "proven": False}
    answer(panel, ask, choice)
    assert await got(waiting) is allowed


async def test_a_passphrase_reaches_who_asked_and_stays_in_no_message(panel: PanelUnderTest) -> None:
    front_end: object = asker()
    assert isinstance(front_end, PassphraseAsker)
    waiting = put(front_end.passphrase(new=False))
    answer(panel, await asked(panel), "accept", "correct horse")
    assert await got(waiting) == "correct horse"
    assert "correct horse" not in f"{await state(panel)}"


async def test_sampling_shows_the_model_the_words_and_the_most_it_costs(panel: PanelUnderTest) -> None:
    waiting = put(
        asker().approve(SamplingApproval("files", "lab/one", "Be brief", "x" * 200_000, 500, Decimal("0.10")))
    )
    sampling = (ask := await asked(panel))["sampling"]
    assert (sampling["model"], sampling["system"], sampling["most_cost"]) == ("lab/one", "Be brief", "0.1")
    assert sampling["text"].endswith("… 100,000 more characters")
    answer(panel, ask, "always_plugin")
    assert await got(waiting) == "always_plugin"


async def test_a_question_survives_a_reload_and_is_answered_there(panel: PanelUnderTest) -> None:
    waiting = put(asker().approve(DELETE))
    ask = await asked(panel)
    assert (await state(panel))["asks"] == [ask]
    answer(panel, ask, "once")
    await got(waiting)
    assert (await state(panel))["asks"] == []


async def test_a_question_that_is_moot_is_taken_back(panel: PanelUnderTest) -> None:
    waiting = put(asker().approve(DELETE))
    ask = await asked(panel)
    waiting.cancel()
    assert (await panel.until("ask_ended"))["ask"] == ask["id"]
    answer(panel, ask, "once")
    assert (await state(panel))["asks"] == []


async def test_several_questions_wait_side_by_side(panel: PanelUnderTest) -> None:
    first, second = put(asker().approve(DELETE)), put(asker().confirm(Confirmation("Dear.", Decimal(1), "lab/one")))
    asks = [await asked(panel), await asked(panel)]
    answer(panel, asks[1], "send")
    assert await got(second)
    assert not first.done()
    answer(panel, asks[0], "never")
    assert await got(first) == "never"


@pytest.mark.parametrize("choice", ["send", "accept"])
async def test_what_is_no_decision_allows_nothing(panel: PanelUnderTest, choice: str) -> None:
    waiting = put(asker().approve(DELETE))
    ask = await asked(panel)
    answer(panel, ask, choice)
    assert (await state(panel))["asks"] == [ask]
    assert not waiting.done()
    waiting.cancel()


async def test_a_malformed_answer_allows_nothing(panel: PanelUnderTest) -> None:
    waiting = put(asker().approve(DELETE))
    ask = await asked(panel)
    answer(panel, ask, "yes please")
    assert (await panel.until("notice"))["error"] is not None
    assert not waiting.done()
    waiting.cancel()


async def test_a_form_shows_its_fields_and_gives_values_of_their_types(panel: PanelUnderTest) -> None:
    waiting = put(asker().fill(FORM))
    form = (ask := await asked(panel))["form"]
    assert form["message"] == "Who are you?"
    assert [(one["name"], one["kind"], one["required"], one["default"]) for one in form["fields"]] == [
        ("name", "text", False, "Ada"),
        ("age", "integer", True, None),
        ("news", "boolean", False, "true"),
        ("colours", "choices", False, '["red"]'),
    ]
    answer(panel, ask, "accept", '{"name": "Bo", "age": "42", "news": false, "colours": ["green"]}')
    assert await got(waiting) == Filled("accept", {"name": "Bo", "age": 42, "news": False, "colours": ["green"]})


@pytest.mark.parametrize("text", ['{"age": "17"}', "{}", "no json", "[1]", '{"age": 17}'])
async def test_a_form_filled_in_wrongly_stays_with_the_problem_at_its_field(panel: PanelUnderTest, text: str) -> None:
    waiting = put(asker().fill(FORM))
    ask = await asked(panel)
    answer(panel, ask, "accept", text)
    again = await asked(panel)
    assert again["id"] == ask["id"]
    assert [one["name"] for one in again["form"]["fields"] if "problem" in one] == ["age"]
    assert "ask_ended" not in [message["type"] for message in panel.got]
    answer(panel, again, "accept", '{"age": "18"}')
    assert (await got(waiting)).values["age"] == 18
    await panel.until("ask_ended")


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_form_can_be_left(panel: PanelUnderTest, action: str) -> None:
    waiting = put(asker().fill(FORM))
    answer(panel, await asked(panel), action, '{"age": "18"}')
    filled = await got(waiting)
    assert filled.action == action
    assert filled.values == {}
    await panel.until("ask_ended")


async def test_a_page_gives_the_address_pasted_back(panel: PanelUnderTest) -> None:
    waiting = put(asker().visit(Visit("mail", "Sign in", "https://login.example/?x=1", paste=True)))
    ask = await asked(panel)
    assert ask["visit"] == {"plugin": "mail", "message": "Sign in", "url": "https://login.example/?x=1", "paste": True}
    answer(panel, ask, "accept", " http://127.0.0.1:9/callback?code=1 ")
    assert await got(waiting) == "http://127.0.0.1:9/callback?code=1"


async def test_a_page_is_shown_until_its_visit_ended_elsewhere(panel: PanelUnderTest) -> None:
    waiting = put(asker().visit(Visit("mail", "Sign in", "https://login.example", paste=True)))
    ask = await asked(panel)
    answer(panel, ask, "accept", "")
    assert (await state(panel))["asks"] == [ask]
    waiting.cancel()
    await panel.until("ask_ended")


async def test_a_page_that_gives_nothing_back_is_said_to_be_opened(panel: PanelUnderTest) -> None:
    waiting = put(asker().visit(Visit("mail", "Confirm there", "https://mail.example")))
    answer(panel, await asked(panel), "accept", "")
    assert await got(waiting) == ""


async def test_a_visit_can_be_declined(panel: PanelUnderTest) -> None:
    waiting = put(asker().visit(Visit("mail", "Sign in", "https://login.example")))
    answer(panel, await asked(panel), "decline")
    assert await got(waiting) is None


@pytest.mark.parametrize(("choice", "sent"), [("send", True), ("no", False)])
async def test_a_cost_is_agreed_to_or_not(panel: PanelUnderTest, choice: str, sent: bool) -> None:
    waiting = put(asker().confirm(Confirmation("It may cost up to $0.70.", Decimal("0.70"), "lab/one")))
    ask = await asked(panel)
    assert ask["confirmation"] == {"message": "It may cost up to $0.70.", "most_cost": "0.7", "model": "lab/one"}
    answer(panel, ask, choice)
    assert await got(waiting) is sent
