"""Branches of a `Chat` over a real Chat Completions server: what is sent, stored and shown."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import valechat
from tests.notebook.chatserver import ChatServer
from valechat.errors import ConfigError, ProviderError
from valechat.exports import as_json, as_markdown
from valechat.ledger.base import Conversation
from valechat.services import services


@pytest.fixture
def server(home: Path) -> Iterator[ChatServer]:
    server = ChatServer()
    server.configure(home)
    yield server
    server.close()


async def path(chat: valechat.Chat) -> list[str]:
    return [stored.message.text for stored in await chat.stored()]


def head(chat: valechat.Chat) -> Conversation:
    found = services().ledger.conversation(chat.conversation_id)
    assert found is not None
    return found


def sent(server: ChatServer) -> list[str]:
    """What the last request held."""
    return [message["content"] for message in server.requests[-1]["messages"]]


async def talked(model: str = "lab/one") -> valechat.Chat:
    chat = valechat.Chat(model)
    await chat.ask("First?")
    await chat.ask("Second?")
    return chat


async def test_a_question_asked_behind_an_earlier_message_is_a_branch_without_what_came_later(
    server: ChatServer,
) -> None:
    chat = await talked()
    answer = (await chat.stored())[1]
    await chat.ask("Instead?", after=answer.id)
    assert sent(server) == ["First?", "I am one.", "Instead?"]
    assert await path(chat) == ["First?", "I am one.", "Instead?", "I am one."]
    await chat.ask("And then?")
    assert sent(server) == ["First?", "I am one.", "Instead?", "I am one.", "And then?"]


async def test_a_question_can_begin_the_conversation_anew(server: ChatServer) -> None:
    chat = await talked()
    await chat.ask("Anew?", after="")
    assert sent(server) == ["Anew?"]
    assert await path(chat) == ["Anew?", "I am one."]
    assert head(chat).message_count == 6


async def test_a_branch_that_was_left_is_gone_back_to_and_gone_on_with(server: ChatServer) -> None:
    chat = await talked()
    first, _, second, _ = await chat.stored()
    await chat.ask("Anew?", after="")
    await chat.branch(second.id)
    assert [stored.id for stored in await chat.stored()][:3] == [first.id, (await chat.stored())[1].id, second.id]
    await chat.ask("Third?")
    assert sent(server)[-1] == "Third?"
    assert len(sent(server)) == 5
    again = valechat.Chat("lab/one", conversation=chat.conversation_id)
    assert await path(again) == await path(chat)


async def test_the_last_question_is_answered_again_by_another_model(server: ChatServer) -> None:
    chat = await talked()
    reply = await chat.regenerate(model="lab/two")
    assert (reply.text, reply.model) == ("I am two.", "lab/two")
    assert sent(server) == ["First?", "I am one.", "Second?"]
    assert await path(chat) == ["First?", "I am one.", "Second?", "I am two."]
    assert chat.model == "lab/one"


async def test_an_earlier_question_is_answered_again_and_the_rest_stays_a_branch(server: ChatServer) -> None:
    chat = await talked()
    answer = (await chat.stored())[1]
    await chat.regenerate(answer.id, model="lab/two")
    assert await path(chat) == ["First?", "I am two."]
    await chat.branch(answer.id)
    assert await path(chat) == ["First?", "I am one.", "Second?", "I am one."]


async def test_a_branch_that_finds_no_answer_leaves_what_was_shown(server: ChatServer) -> None:
    chat = await talked()
    before = await chat.stored()
    await chat.ask("Anew?", after="")
    await chat.branch(before[-1].id)
    with pytest.raises(ProviderError):
        await chat.ask("Instead?", after=before[1].id, model="lab/refused")
    assert await chat.stored() == before
    with pytest.raises(ProviderError):
        await chat.regenerate(before[0].id, model="lab/refused")
    assert await chat.stored() == before
    await chat.ask("Third?")
    assert sent(server) == ["First?", "I am one.", "Second?", "I am one.", "Third?"]


async def test_an_answer_that_is_stopped_is_a_branch_like_any_other(server: ChatServer) -> None:
    chat = await talked()
    before = await chat.stored()
    events = chat.stream("Instead?", after=before[1].id, model="lab/talker")
    async with contextlib.aclosing(events):
        async for event in events:
            if event.kind == "text":
                break
    stored = await chat.stored()
    assert [(one.message.text, one.status) for one in stored[2:]] == [
        ("Instead?", "complete"),
        ("I begin to talk", "cancelled"),
    ]
    await chat.branch(before[-1].id)
    assert await chat.stored() == before


async def test_a_deleted_turn_is_gone_from_what_is_sent_but_not_from_what_was_spent(server: ChatServer) -> None:
    chat = await talked("lab/two")
    cost = head(chat).total_cost
    first = (await chat.stored())[0]
    await chat.regenerate(first.id)
    await chat.branch((await chat.stored())[1].id)
    spent = head(chat).total_cost
    assert spent is not None
    assert cost is not None
    assert spent > cost
    await chat.delete(first.id)
    assert head(chat).total_cost == spent
    await chat.ask("Third?")
    assert sent(server) == ["Second?", "I am two.", "Third?"]


async def test_the_last_turn_deleted_leaves_the_branch_that_was_shown(server: ChatServer) -> None:
    chat = await talked()
    before = await chat.stored()
    await chat.ask("Anew?", after="")
    await chat.branch(before[-1].id)
    await chat.delete(before[-1].id)
    assert await chat.stored() == before[:2]


async def test_a_message_that_is_not_there_is_said(server: ChatServer) -> None:
    chat = await talked()
    for ask in (chat.branch("gone"), chat.delete("gone"), chat.regenerate("gone"), chat.ask("x", after="gone")):
        with pytest.raises(ConfigError, match="no message gone"):
            await ask
    with pytest.raises(ConfigError, match="empty"):
        await valechat.Chat("lab/one").regenerate()
    assert len(server.requests) == 2


async def test_what_is_exported_to_read_is_the_path_and_json_has_every_branch(server: ChatServer) -> None:
    chat = await talked()
    await chat.ask("Instead?", after=(await chat.stored())[1].id)
    ledger = services().ledger
    read = as_markdown(ledger, [chat.conversation_id])
    assert "Instead?" in read
    assert "Second?" not in read
    assert "Second?" in as_json(ledger, [chat.conversation_id])
