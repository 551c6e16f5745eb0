"""A panel's list of conversations, what is done with them, and what others write in the one it shows."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import valechat
from tests.chatwire import DONE, said
from tests.notebook.panels import PanelUnderTest
from tests.providers.faults import EVENT_STREAM, Connection, FaultServer, chunked, head, stream
from valechat.engine import engine
from valechat.ledger.base import Conversation, Ledger, StoredMessage
from valechat.messages import Message, Role, TextPart
from valechat.services import services

OTHER_KERNEL = """
import sys, valechat
print(valechat.Chat("lab/one", conversation=sys.argv[1]).ask_sync(sys.argv[2]).text)
"""


@pytest.fixture(autouse=True)
def closed_engine() -> Iterator[None]:
    yield
    engine().close()


def configure(home: Path, server: FaultServer) -> None:
    (home / "config.toml").write_text(
        f'[providers.lab]\nkind = "openai-compatible"\nbase_url = "{server.url}/v1"\nmodels = ["one", "two"]\n',
        encoding="utf-8",
    )


class Held:
    """A server's answer that begins, and ends when it is told to."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def __call__(self, connection: Connection) -> None:
        await connection.send(head(200, EVENT_STREAM), *map(chunked, said("One, ")))
        await self.go_on.wait()
        await connection.send(*map(chunked, [*said("two."), DONE]), b"0\r\n\r\n")


class Desk(PanelUnderTest):
    """A panel whose user works with its conversations."""

    number = 0

    def request(self, type_: str, **values: Any) -> int:
        self.number += 1
        self.send({"type": type_, "number": self.number, **values})
        return self.number

    async def done(self, type_: str, **values: Any) -> dict[str, Any]:
        """Ask for something and wait for what came of it."""
        number = self.request(type_, **values)
        while True:
            answer = await self.until("conversation_done", "conversations", "exported")
            if answer["number"] == number:
                return answer

    async def listed(self, search: str = "", tag: str = "", skip: int = 0) -> dict[str, Any]:
        return await self.done("list_conversations", search=search, tag=tag, skip=skip)

    async def shown(self) -> dict[str, Any]:
        self.send({"type": "hello"})
        return await self.until("state")


def keep(id_: str, *texts: str, title: str = "", tags: tuple[str, ...] = (), model: str = "demo/echo") -> None:
    now = datetime.now(UTC)
    messages: list[StoredMessage] = []
    for number, text in enumerate(texts):
        role: Role = "user" if number % 2 == 0 else "assistant"
        parent = messages[-1].id if messages else None
        said_by = model if role == "assistant" else None
        message = Message(role, (TextPart(text),))
        messages.append(StoredMessage(f"{id_}-{number}", id_, parent, message, now, said_by))
    ledger().add_conversation(Conversation(id_, title or id_, now, now, model, tags=tags), messages)


def ledger() -> Ledger:
    return services().ledger


async def test_the_list_comes_in_pages_with_titles_tags_and_what_was_found() -> None:
    for number in range(61):
        keep(f"c{number}", f"hello {number}")
    keep("fruit", "Where do quinces grow?", "In the <b>west</b>.", title="Fruit", tags=("garden",))
    panel = Desk(valechat.Chat("demo/echo"))
    first = await panel.listed()
    assert (len(first["conversations"]), first["more"], first["tags"]) == (60, True, [{"name": "garden", "count": 1}])
    rest = await panel.listed(skip=60)
    assert (len(rest["conversations"]), rest["more"]) == (2, False)
    (found,) = (await panel.listed(search="west"))["conversations"]
    assert (found["title"], found["message_count"], found["model"]) == ("Fruit", 2, "demo/echo")
    assert found["snippet"] == "In the <b>west</b>."
    assert [one["id"] for one in (await panel.listed(tag="garden"))["conversations"]] == ["fruit"]


async def test_opening_a_conversation_shows_it_and_turns_to_its_model(home: Path) -> None:
    async with FaultServer(stream(*said("Yes."), DONE)) as server:
        configure(home, server)
        keep("old", "Hello", "Hi", model="lab/two")
        panel = Desk(valechat.Chat("demo/echo"))
        await panel.shown()
        await panel.until("models")
        await panel.done("open_conversation", conversation="old")
        state = next(message for message in reversed(panel.got) if message["type"] == "state")
    assert [message["text"] for message in state["messages"]] == ["Hello", "Hi"]
    assert (state["conversation_id"], state["title"], state["model"]) == ("old", "old", "lab/two")
    assert [message.id for message in panel.transcripts[-1]] == ["old-0", "old-1"]


async def test_a_model_that_cannot_be_asked_here_is_not_turned_to() -> None:
    keep("imported", "Hello", "Hi", model="elsewhere/model")
    panel = Desk(valechat.Chat("demo/echo"))
    await panel.shown()
    await panel.until("models")
    panel.request("open_conversation", conversation="imported")
    assert (await panel.until("state"))["model"] == "demo/echo"


async def test_an_answer_goes_on_in_its_own_conversation_while_another_is_open(home: Path) -> None:
    held = Held()
    async with FaultServer(held, stream(*said("Quickly."), DONE)) as server:
        configure(home, server)
        keep("other", "Hello", "Hi")
        panel = Desk(valechat.Chat("lab/one"))
        first = (await panel.shown())["conversation_id"]
        panel.ask("Count")
        started = await panel.until("turn_started")
        await panel.until("deltas")
        panel.request("open_conversation", conversation="other")
        assert len((await panel.until("state"))["messages"]) == 2
        answering = {one["id"]: one["answering"] for one in (await panel.listed())["conversations"]}
        panel.ask("And now?", model="lab/one")
        meanwhile = await panel.until("turn_ended")
        panel.request("open_conversation", conversation=first)
        back = await panel.until("state")
        held.go_on.set()
        ended = await panel.until("turn_ended")
        after = await panel.shown()
    assert started["conversation"] == first
    assert answering == {first: True, "other": False}
    assert meanwhile["answer"]["text"] == "Quickly."
    assert [message["status"] for message in back["messages"]] == ["complete", "streaming"]
    assert back["messages"][1]["text"] == "One, "
    assert ended["answer"]["text"] == "One, two."
    assert [message["text"] for message in after["messages"]] == ["Count", "One, two."]
    assert [message.message.text for message in ledger().messages("other")] == ["Hello", "Hi", "And now?", "Quickly."]


async def test_a_new_conversation_does_not_end_the_answer_of_the_one_before(home: Path) -> None:
    held = Held()
    async with FaultServer(held) as server:
        configure(home, server)
        panel = Desk(valechat.Chat("lab/one"))
        first = (await panel.shown())["conversation_id"]
        panel.ask("Count")
        await panel.until("deltas")
        panel.send({"type": "new_conversation"})
        assert (await panel.until("state"))["messages"] == []
        held.go_on.set()
        ended = {(await panel.until("turn_ended", "state"))["type"] for _ in range(2)}
    assert ended == {"turn_ended", "state"}  # the new one is shown again, as it was
    assert [one.message.text for one in ledger().messages(first)] == ["Count", "One, two."]
    await asyncio.sleep(0.2)  # what would save the transcript runs after the state
    assert panel.transcripts == []


async def test_a_conversation_is_renamed_and_tagged() -> None:
    keep("a", "Hello")
    panel = Desk(valechat.Chat("demo/echo"))
    (renamed,) = (await panel.done("change_conversation", conversation="a", title=" New\nname "))["conversations"]
    assert (renamed["title"], renamed["tags"]) == ("New name", [])
    (tagged,) = (await panel.done("change_conversation", conversation="a", tags=["x", "x ", "y"]))["conversations"]
    assert (tagged["title"], tagged["tags"]) == ("New name", ["x", "y"])
    refused = await panel.done("change_conversation", conversation="a", title="  ")
    assert "cannot be empty" in refused["error"]["message"]
    gone = await panel.done("change_conversation", conversation="gone", title="x")
    assert "no conversation gone" in gone["error"]["message"]


async def test_a_deleted_conversation_is_gone_and_its_cost_is_not() -> None:
    panel = Desk(valechat.Chat("demo/echo"))
    first = (await panel.shown())["conversation_id"]
    panel.ask("Count to 3")
    await panel.until("turn_ended")
    await panel.done("delete_conversation", conversation=first)
    state = await panel.until("state")
    assert state["messages"] == []
    assert state["conversation_id"] != first
    assert ledger().conversation(first) is None
    assert len(ledger().conversation_usage(first)) == 1


async def test_deleting_a_conversation_stops_its_answer(home: Path) -> None:
    held = Held()
    async with FaultServer(held) as server:
        configure(home, server)
        panel = Desk(valechat.Chat("lab/one"))
        first = (await panel.shown())["conversation_id"]
        panel.ask("Count")
        await panel.until("deltas")
        panel.request("delete_conversation", conversation=first)
        await panel.until("turn_ended")
        await panel.until("state")
        held.go_on.set()
    assert ledger().conversation(first) is None
    assert ledger().messages(first) == []


async def test_a_copy_an_export_and_an_import_hold_the_same_messages() -> None:
    keep("a", "Hello", "Hi there", title="Greeting", tags=("x",))
    panel = Desk(valechat.Chat("demo/echo"))
    (copy,) = (await panel.done("duplicate_conversation", conversation="a"))["conversations"]
    assert (copy["title"], copy["message_count"], copy["tags"]) == ("Greeting (copy)", 2, ["x"])
    exported = await panel.done("export_conversation", conversation="a", format="json")
    assert (exported["name"], exported["media_type"]) == ("greeting.json", "application/json")
    (imported,) = (await panel.done("import_conversations", text=exported["text"]))["conversations"]
    assert [one.message.text for one in ledger().messages(imported["id"])] == ["Hello", "Hi there"]
    notebook = await panel.done("export_conversation", conversation="a", format="notebook")
    assert json.loads(notebook["text"])["cells"][1]["source"] == "**You**:\n\nHello"
    refused = await panel.done("import_conversations", text="no export")
    assert "no JSON" in refused["error"]["message"]


async def test_a_turn_of_another_kernel_shows_up_while_the_panel_is_looked_at(home: Path) -> None:
    keep("shared", "Hello", "Hi")
    panel = Desk(valechat.Chat("demo/echo", conversation="shared"))
    await panel.shown()
    count = len(panel.got)
    other = valechat.Chat("demo/echo", conversation="shared")
    await other.ask("Count to 2")
    while len((await panel.until("state"))["messages"]) < 4:
        pass
    assert {message["type"] for message in panel.got[count:]} <= {"state", "models"}


async def test_a_panel_that_wrote_itself_is_not_shown_it_again(home: Path) -> None:
    panel = Desk(valechat.Chat("demo/echo"))
    conversation = (await panel.shown())["conversation_id"]
    panel.ask("Count to 2")
    await panel.until("turn_ended")
    before = len([message for message in panel.got if message["type"] == "state"])
    following = panel._conversation._following
    head = ledger().conversation(conversation)
    assert following._seen == (conversation, head)
    panel.send({"type": "look"})
    await panel.listed()
    assert len([message for message in panel.got if message["type"] == "state"]) == before


async def test_two_kernels_that_ask_in_one_conversation_at_once_lose_no_message(home: Path) -> None:
    both = asyncio.Barrier(2)

    async def together(connection: Connection) -> None:
        await both.wait()
        await connection.send(head(200, EVENT_STREAM), *map(chunked, [*said("Yes."), DONE]), b"0\r\n\r\n")

    async with FaultServer(together) as server:
        configure(home, server)
        keep("shared", "Hello", "Hi")
        panel = Desk(valechat.Chat("lab/one", conversation="shared"))
        await panel.shown()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", OTHER_KERNEL, "shared", "From there", stdout=-1, env={**os.environ}
        )
        panel.ask("From here", model="lab/one")
        await panel.until("turn_ended", within=60)
        out, _ = await process.communicate()
        panel.send({"type": "look"})
        while len((await panel.until("state"))["messages"]) < 4:
            pass
    stored = ledger().messages("shared")
    texts = {message.message.text: message for message in stored}
    assert out.decode().strip() == "Yes."
    assert {"From here", "From there"} <= texts.keys()
    assert len(stored) == 6
    answers = [message for message in stored if message.message.text == "Yes."]
    assert {answer.parent_id for answer in answers} == {texts["From here"].id, texts["From there"].id}
    known = {message.id for message in stored}
    assert all(message.parent_id in known for message in stored[1:])
