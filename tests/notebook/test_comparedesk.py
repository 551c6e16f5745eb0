"""One question to several models in a panel: answers beside each other, and the one to go on with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import valechat
from tests.notebook.chatserver import ChatServer
from tests.notebook.panels import PanelUnderTest
from valechat.chat import Chat


@pytest.fixture
def server(home: Path) -> Iterator[ChatServer]:
    server = ChatServer()
    server.configure(home)
    yield server
    server.close()


@pytest.fixture
def chat(server: ChatServer) -> Chat:
    del server
    return valechat.Chat("lab/one")


def asked(panel: PanelUnderTest, *models: str, text: str = "Who are you?") -> None:
    panel.send({"type": "compare", "turn": "t", "text": text, "models": [*models]})


async def ended(panel: PanelUnderTest, count: int) -> list[dict[str, Any]]:
    """The answers, in the order of the models."""
    found = [(await panel.until("column_ended")) for _ in range(count)]
    return [one["answer"] for one in sorted(found, key=lambda one: str(one["turn"]))]


def texts(messages: list[Any]) -> list[str]:
    return [message.message.text for message in messages]


async def test_all_models_are_asked_the_same_and_each_answer_has_its_own_figures(chat: Chat) -> None:
    panel = PanelUnderTest(chat)
    asked(panel, "lab/one", "lab/two")
    started = (await panel.until("compare_started"))["comparison"]
    assert [answer["model"] for answer in started["answers"]] == ["lab/one", "lab/two"]
    assert started["question"]["text"] == "Who are you?"
    one, two = await ended(panel, 2)
    assert (one["text"], two["text"]) == ("I am one.", "I am two.")
    assert all(answer["status"] == "complete" and answer["output_tokens"] == 10 for answer in (one, two))


async def test_each_answer_is_a_request_of_kind_compare_in_the_conversation(chat: Chat) -> None:
    panel = PanelUnderTest(chat)
    asked(panel, "lab/one", "lab/two")
    await ended(panel, 2)
    rows = valechat.sql("SELECT model, kind, conversation_id FROM usage ORDER BY model").fetchall()
    assert rows == [("one", "compare", chat.conversation_id), ("two", "compare", chat.conversation_id)]


async def test_a_kept_answer_is_gone_on_with_and_the_others_stay_as_branches(chat: Chat) -> None:
    panel = PanelUnderTest(chat)
    asked(panel, "lab/one", "lab/two")
    _, two = await ended(panel, 2)
    panel.send({"type": "keep_answer", "answer": two["id"]})
    await panel.until("compare_ended")
    state = await panel.until("state")
    assert [message["text"] for message in state["messages"]] == ["Who are you?", "I am two."]
    assert (chat.model, state["comparison"]) == ("lab/two", None)
    assert texts(await chat.stored()) == ["Who are you?", "I am two."]


async def test_without_a_choice_the_conversation_goes_on_from_the_first_answer(chat: Chat) -> None:
    panel = PanelUnderTest(chat)
    asked(panel, "lab/one", "lab/two")
    await ended(panel, 2)
    panel.ask("And now?", model="lab/one")
    await panel.until("turn_ended")
    assert texts(await chat.stored()) == ["Who are you?", "I am one.", "And now?", "I am one."]


async def test_a_page_that_opens_meanwhile_sees_the_comparison_as_it_stands(chat: Chat) -> None:
    panel = PanelUnderTest(chat)
    asked(panel, "lab/one", "lab/talker")
    await panel.until("column_ended")
    while not any("I begin" in str(one) for one in panel.got if one["type"] == "deltas"):
        await panel.until("deltas")
    panel.send({"type": "hello"})
    answers = (await panel.until("state"))["comparison"]["answers"]
    assert [(answer["text"], answer["status"]) for answer in answers] == [
        ("I am one.", "complete"),
        ("I begin to talk", "streaming"),
    ]
    panel.send({"type": "stop", "turn": "t"})
    await panel.until("column_ended")


async def test_one_that_fails_leaves_the_others_and_says_why(chat: Chat) -> None:
    panel = PanelUnderTest(chat)
    asked(panel, "lab/one", "lab/refused")
    one, refused = await ended(panel, 2)
    assert one["text"] == "I am one."
    assert refused["error"]["kind"] == "AuthenticationFailed"


async def test_when_all_fail_the_question_goes_back_and_is_no_part_of_the_conversation(chat: Chat) -> None:
    panel = PanelUnderTest(chat)
    asked(panel, "lab/refused", "openai/gpt-5-mini")
    refused = await panel.until("refused")
    assert refused["text"] == "Who are you?"
    assert await chat.stored() == []


async def test_a_stop_ends_all_and_keeps_what_has_arrived(chat: Chat, server: ChatServer) -> None:
    panel = PanelUnderTest(chat)
    asked(panel, "lab/talker", "lab/one")
    await panel.until("column_ended")
    panel.send({"type": "stop", "turn": "t"})
    await panel.until("column_ended")
    assert server.left.wait(30)
    answers = {one["answer"]["model"]: one["answer"] for one in panel.got if one["type"] == "column_ended"}
    assert (answers["lab/talker"]["text"], answers["lab/talker"]["status"]) == ("I begin to talk", "cancelled")


@pytest.mark.parametrize("models", [["lab/one"], ["lab/one", "lab:one"], [f"lab/m{n}" for n in range(7)]])
async def test_a_comparison_takes_two_models_or_a_few(chat: Chat, models: list[str]) -> None:
    panel = PanelUnderTest(chat)
    asked(panel, *models)
    refused = await panel.until("refused")
    assert "2 to 6 models" in refused["error"]["message"]
    assert refused["text"] == "Who are you?"
