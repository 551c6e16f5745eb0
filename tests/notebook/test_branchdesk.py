"""Branches in a panel, over a real server: what a click does and what the panel is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.notebook.chatserver import ChatServer
from tests.notebook.panels import PanelUnderTest
from valechat.chat import Chat
from valechat.services import services


@pytest.fixture
def server(home: Path) -> Iterator[ChatServer]:
    server = ChatServer()
    server.configure(home)
    yield server
    server.close()


async def opened(*questions: str) -> PanelUnderTest:
    panel = PanelUnderTest(Chat("lab/one"))
    panel.send({"type": "hello"})
    await panel.until("state")
    for question in questions:
        panel.ask(question)
        await panel.until("turn_ended")
    return panel


async def state(panel: PanelUnderTest) -> dict[str, Any]:
    panel.send({"type": "hello"})
    return await panel.until("state")


def texts(message: dict[str, Any]) -> list[str]:
    return [one["text"] for one in message["messages"]]


def forks(message: dict[str, Any]) -> list[str]:
    """Where each message stands among its siblings; empty where it has none."""
    return [f"{one['sibling'] + 1}/{len(one['siblings'])}" if "siblings" in one else "" for one in message["messages"]]


async def instead(panel: PanelUnderTest, question: str, text: str, model: str = "lab/one") -> None:
    panel.send({"type": "send", "turn": f"instead {text}", "text": text, "model": model, "replaces": question})


async def test_a_question_asked_instead_of_another_is_a_branch_beside_it(server: ChatServer) -> None:
    panel = await opened("First?", "Second?")
    second = (await state(panel))["messages"][2]["id"]
    await instead(panel, second, "Instead?")
    begun = await panel.until("state")
    assert texts(begun)[:3] == ["First?", "I am one.", "Instead?"]
    assert forks(begun)[2] == "2/2"
    assert begun["messages"][3]["status"] == "streaming"
    ended = await panel.until("turn_ended")
    assert ended["answer"]["text"] == "I am one."
    now = await state(panel)
    assert texts(now) == ["First?", "I am one.", "Instead?", "I am one."]
    assert forks(now) == ["", "", "2/2", ""]
    assert [one.message.text for one in panel.transcripts[-1]] == texts(now)
    panel.send({"type": "show_branch", "message": now["messages"][2]["siblings"][0]})
    assert texts(await panel.until("state"))[2:] == ["Second?", "I am one."]


async def test_an_answer_is_given_again_by_another_model_and_the_panels_model_stays(server: ChatServer) -> None:
    panel = await opened("First?", "Second?")
    answer = (await state(panel))["messages"][1]["id"]
    panel.send({"type": "regenerate", "turn": "again", "message": answer, "model": "lab/two"})
    begun = await panel.until("state")
    assert [(one["role"], one["status"]) for one in begun["messages"]] == [
        ("user", "complete"),
        ("assistant", "streaming"),
    ]
    assert forks(begun) == ["", "2/2"]
    ended = await panel.until("turn_ended")
    assert (ended["answer"]["text"], ended["answer"]["model"]) == ("I am two.", "lab/two")
    assert (ended["answer"]["sibling"], len(ended["answer"]["siblings"])) == (1, 2)
    panel.send({"type": "show_branch", "message": ended["answer"]["siblings"][0]})
    shown = await panel.until("state")
    assert texts(shown) == ["First?", "I am one.", "Second?", "I am one."]
    assert shown["model"] == "lab/one"


async def test_an_answer_that_came_just_now_is_known_by_the_id_it_came_under(server: ChatServer) -> None:
    panel = await opened()
    panel.ask("First?")
    ended = await panel.until("turn_ended")
    panel.send({"type": "regenerate", "turn": "again", "message": ended["answer"]["id"], "model": "lab/two"})
    again = await panel.until("turn_ended")
    assert again["answer"]["text"] == "I am two."


async def test_an_answer_that_cannot_be_given_again_is_said_and_the_old_one_stays(server: ChatServer) -> None:
    panel = await opened("First?")
    before = await state(panel)
    panel.send({"type": "regenerate", "turn": "x", "message": before["messages"][1]["id"], "model": "lab/refused"})
    notice = await panel.until("notice")
    assert notice["error"]["kind"] == "AuthenticationFailed"
    after = await panel.until("state")
    assert after["messages"] == before["messages"]


async def test_a_question_instead_of_another_that_is_refused_goes_back_and_the_old_one_is_shown_again(
    server: ChatServer,
) -> None:
    panel = await opened("First?")
    before = await state(panel)
    await instead(panel, before["messages"][0]["id"], "Instead?", "lab/refused")
    assert (await panel.until("refused"))["text"] == "Instead?"
    assert (await panel.until("state"))["messages"] == before["messages"]


async def test_a_turn_is_deleted_with_all_its_answers_and_its_cost_stays(server: ChatServer) -> None:
    panel = await opened("First?", "Second?")
    panel.send({"type": "select_model", "model": "lab/two"})
    panel.ask("Third?", model="lab/two")
    await panel.until("turn_ended")
    before = await state(panel)
    panel.send({"type": "delete_turn", "message": before["messages"][3]["id"]})
    after = await panel.until("state")
    assert texts(after) == ["First?", "I am one.", "Third?", "I am two."]
    assert (after["total_cost"], after["unpriced"]) == (before["total_cost"], before["unpriced"])


async def test_nothing_is_deleted_switched_or_asked_instead_while_an_answer_is_written(server: ChatServer) -> None:
    panel = await opened("First?")
    first, answer = (await state(panel))["messages"]
    turn = panel.ask("Talk", model="lab/talker")
    await panel.until("deltas")
    for message in (
        {"type": "delete_turn", "message": first["id"]},
        {"type": "show_branch", "message": first["id"]},
        {"type": "regenerate", "turn": "x", "message": answer["id"], "model": "lab/one"},
    ):
        panel.send(message)
        assert "being written" in (await panel.until("notice"))["error"]["message"]
    await instead(panel, first["id"], "Instead?")
    assert "being written" in (await panel.until("refused"))["error"]["message"]
    panel.send({"type": "stop", "turn": turn})
    await panel.until("turn_ended")
    assert texts(await state(panel)) == ["First?", "I am one.", "Talk", "I begin to talk"]


async def test_a_branch_stopped_before_its_first_word_leaves_a_whole_conversation(server: ChatServer) -> None:
    panel = await opened("First?")
    answer = (await state(panel))["messages"][1]["id"]
    panel.send({"type": "regenerate", "turn": "again", "message": answer, "model": "lab/silent"})
    await panel.until("state")
    panel.send({"type": "stop", "turn": "again"})
    ended = await panel.until("turn_ended")
    assert ended["answer"]["status"] in ("cancelled", "complete")
    panel.ask("Second?")
    await panel.until("turn_ended")
    sent = [one["content"] for one in server.requests[-1]["messages"] if one["role"] == "user"]
    assert [text for text in sent if text] == ["First?", "Second?"]


async def test_a_pinned_message_is_listed_wherever_it_is(server: ChatServer) -> None:
    panel = await opened("First?", "Second?")
    second = (await state(panel))["messages"][2]["id"]
    panel.send({"type": "pin_message", "message": second, "pinned": True})
    pinned = await panel.until("pinned")
    assert pinned["pins"] == [{"message": second, "role": "user", "text": "Second?", "shown": True}]
    assert (await state(panel))["messages"][2]["pinned"] is True
    await instead(panel, second, "Instead?")
    await panel.until("turn_ended")
    assert (await state(panel))["pins"][0]["shown"] is False
    panel.send({"type": "pin_message", "message": second, "pinned": False})
    assert (await panel.until("pinned"))["pins"] == []


async def test_a_branch_chosen_from_python_is_shown_in_the_panel(server: ChatServer) -> None:
    chat = Chat("lab/one")
    panel = PanelUnderTest(chat)
    panel.send({"type": "hello"})
    await panel.until("state")
    await chat.ask("First?")
    await panel.until("state")
    first = (await chat.stored())[0]
    await chat.ask("Anew?", after="")
    await panel.until("state")
    await chat.branch(first.id)
    assert texts(await panel.until("state")) == ["First?", "I am one."]
    head = services().ledger.conversation(chat.conversation_id)
    assert head is not None
    assert head.message_count == 4
