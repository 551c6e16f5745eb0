"""A panel gets a long conversation's newest messages, and older ones a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import valechat
from tests.notebook.panels import PanelUnderTest
from valechat.engine import engine
from valechat.ledger.base import Conversation, StoredMessage
from valechat.messages import ImagePart, Message, TextPart, ToolCallPart, ToolResultPart
from valechat.notebook.paging import FIRST, ROOM
from valechat.services import services

AT = datetime(2026, 1, 1, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100_000


@pytest.fixture(autouse=True)
def closed_engine() -> Iterator[None]:
    yield
    engine().close()


def kept(messages: list[Message]) -> str:
    """A conversation of these in the ledger; they are `m0`, `m1` and so on."""
    ledger = services().ledger
    ledger.start_conversation(Conversation("long", "Long", AT, AT, "demo/echo"))
    ledger.add_messages(
        [
            StoredMessage(
                f"m{number}",
                "long",
                f"m{number - 1}" if number else None,
                message,
                AT + timedelta(seconds=number),
                "demo/echo" if message.role == "assistant" else None,
            )
            for number, message in enumerate(messages)
        ]
    )
    return "long"


def talk(count: int, text: str = "So.") -> list[Message]:
    return [Message("assistant" if number % 2 else "user", (TextPart(text),)) for number in range(count)]


async def opened(messages: list[Message]) -> tuple[PanelUnderTest, dict[str, Any]]:
    panel = PanelUnderTest(valechat.Chat("demo/echo", conversation=kept(messages)))
    return panel, await said_hello(panel)


async def said_hello(panel: PanelUnderTest) -> dict[str, Any]:
    panel.send({"type": "hello"})
    state = await panel.until("state")
    # Whoever looks for models must not be left looking when the engine is closed.
    await panel.until("models")
    return state


def ids(message: dict[str, Any]) -> list[str]:
    return [one["id"] for one in message["messages"]]


async def test_a_long_conversation_is_opened_with_the_newest_and_reached_to_the_first(home: Path) -> None:
    panel, state = await opened(talk(2_500))
    assert ids(state) == [f"m{number}" for number in range(2_500 - FIRST, 2_500)]
    assert state["earlier"] == 2_500 - FIRST
    seen = ids(state)
    while True:
        panel.send({"type": "show_earlier", "before": seen[0], "most": 1_000_000})
        page = await panel.until("earlier")
        assert page["before"] == seen[0]
        seen = ids(page) + seen
        if page["left"] == 0:
            break
    assert seen == [f"m{number}" for number in range(2_500)]
    assert panel.largest < 2_000_000


async def test_a_page_ends_where_its_text_would_be_too_long_to_wait_for(home: Path) -> None:
    _, state = await opened(talk(20, "x" * 90_000))
    assert len(state["messages"]) == ROOM // 90_000
    assert state["earlier"] == 20 - len(state["messages"])


async def test_one_message_is_sent_however_large_it_is(home: Path) -> None:
    pictures = [ImagePart(PNG, "image/png", f"{number}.png") for number in range(6)]
    _, state = await opened([*talk(2), Message.user("Look", *pictures)])
    assert ids(state) == ["m2"]
    assert state["earlier"] == 2


async def test_an_answer_with_its_tool_calls_is_never_divided_between_pages(home: Path) -> None:
    called = Message("assistant", (ToolCallPart("c", "look", "{}"),))
    found = Message("tool", (ToolResultPart("c", "look", "found"),))
    turn = [Message.user("?"), called, found, Message("assistant", (TextPart("There."),))]
    panel, state = await opened(turn * 30)
    assert state["earlier"] == 60 - FIRST
    panel.send({"type": "show_earlier", "before": state["messages"][0]["id"], "most": 3})
    page = await panel.until("earlier")
    assert [(one["role"], len(one["tools"])) for one in page["messages"]] == [
        ("assistant", 1),
        ("user", 0),
        ("assistant", 1),
    ]


async def test_a_message_that_is_not_there_has_nothing_before_it(home: Path) -> None:
    panel, _ = await opened(talk(4))
    panel.send({"type": "show_earlier", "before": "elsewhere", "most": 10})
    page = await panel.until("earlier")
    assert (page["messages"], page["left"]) == ([], 0)


async def test_an_answer_on_an_earlier_page_has_its_cost(home: Path) -> None:
    chat = valechat.Chat("demo/echo")
    await chat.ask("First")
    panel = PanelUnderTest(chat)
    state = await said_hello(panel)
    first = state["messages"][1]
    await chat.ask("Second")
    stored = await chat.stored()
    panel.send({"type": "show_earlier", "before": stored[2].id, "most": 10})
    page = await panel.until("earlier")
    assert page["messages"][1] == first
    assert Decimal(first["cost"] or 0) >= 0
    assert first["output_tokens"] is not None
