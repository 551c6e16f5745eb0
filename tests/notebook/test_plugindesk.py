"""Plugins in the panel: which its chat uses, prompts and resources of a real server, tools with the user's consent."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import valechat
from tests.notebook.chatserver import ChatServer
from tests.notebook.panels import PanelUnderTest
from valechat.chat import Chat
from valechat.engine import engine
from valechat.paths import user_paths
from valechat.plugins.file import PluginsFile
from valechat.services import services

PLUGINS = Path(__file__).parents[1] / "plugins"


@pytest.fixture(autouse=True)
def closed_engine() -> Iterator[None]:
    yield
    engine().close()


@pytest.fixture
def server(home: Path) -> Iterator[ChatServer]:
    server = ChatServer()
    server.configure(home)
    PluginsFile(user_paths().plugins_file).add(
        {"id": "capable", "name": "Capable", "command": sys.executable, "args": [str(PLUGINS / "capable.py")]}
    )
    yield server
    server.close()


def used(chat: Chat) -> object:
    return chat.plugins


async def opened(chat: Chat) -> PanelUnderTest:
    panel = PanelUnderTest(chat)
    panel.send({"type": "hello"})
    # The menu comes last: what it asks of other programs has then ended.
    await panel.until("models")
    return panel


async def switched_on(panel: PanelUnderTest, plugin: str = "capable") -> Mapping[str, Any]:
    """The plugin as the panel shows it when it runs."""
    panel.send({"type": "use_plugin", "plugin": plugin, "on": True})
    while True:
        for one in (await panel.until("plugins"))["plugins"]:
            if one["id"] == plugin and one["state"] == "running" and one["used"]:
                found: Mapping[str, Any] = one
                return found


async def fetched(panel: PanelUnderTest, message: Mapping[str, Any]) -> Mapping[str, Any]:
    panel.send({"number": 3, **message})
    answer = await panel.until("fetched", "completed")
    assert answer["number"] == 3
    return answer


async def test_opening_a_panel_shows_the_plugins_and_starts_none(server: ChatServer) -> None:
    del server
    panel = await opened(valechat.Chat("lab/one"))
    notebook, plugin = panel.got[0]["plugins"]
    assert notebook["id"] == "notebook"
    assert plugin == {
        "id": "capable",
        "name": "Capable",
        "state": "stopped",
        "used": False,
        "tools": 0,
        "tokens": 0,
        "problem": "",
        "prompts": False,
        "resources": False,
    }


async def test_one_that_is_switched_on_starts_and_tells_what_it_costs(server: ChatServer) -> None:
    del server
    chat = valechat.Chat("lab/one", plugins=[])
    panel = await opened(chat)
    plugin = await switched_on(panel)
    assert plugin["tools"] > 5
    assert plugin["tokens"] > 100
    assert plugin["prompts"]
    assert plugin["resources"]
    panel.send({"type": "use_plugin", "plugin": "capable", "on": False})
    _, plugin = (await panel.until("plugins"))["plugins"]
    assert (plugin["used"], plugin["state"]) == (False, "running"), "others may use it"
    assert used(chat) == ()


async def test_all_that_are_enabled_switched_on_is_enabled_again(server: ChatServer) -> None:
    del server
    chat = valechat.Chat("lab/one", plugins="enabled")
    panel = await opened(chat)
    panel.send({"type": "use_plugin", "plugin": "capable", "on": False})
    await panel.until("plugins")
    assert used(chat) == ()
    await switched_on(panel)
    assert used(chat) == "enabled"


async def test_a_plugin_that_fails_says_why_in_the_panel(server: ChatServer) -> None:
    del server
    PluginsFile(user_paths().plugins_file).add(
        {"id": "broken", "command": sys.executable, "args": ["-c", "raise SystemExit(3)"], "enabled": False}
    )
    panel = await opened(valechat.Chat("lab/one"))
    panel.send({"type": "use_plugin", "plugin": "broken", "on": True})
    while True:
        plugins = {one["id"]: one for one in (await panel.until("plugins"))["plugins"]}
        if plugins["broken"]["problem"]:
            break
    assert plugins["capable"]["problem"] == ""


async def test_a_broken_file_is_told_with_its_line(home: Path) -> None:
    del home
    user_paths().plugins_file.write_text('{"plugins": [\n  {"id": "a" "command": "x"}\n]}')
    panel = await opened(valechat.Chat("demo/echo"))
    assert "line 2" in panel.got[0]["plugins_problem"].lower()
    assert [one["id"] for one in panel.got[0]["plugins"]] == ["notebook"]


async def test_prompts_are_listed_completed_and_put_into_words(server: ChatServer) -> None:
    del server
    panel = await opened(valechat.Chat("lab/one"))
    await switched_on(panel)
    panel.send({"type": "list_offers", "what": "prompts"})
    (prompt,) = (await panel.until("offers"))["prompts"]
    assert (prompt["name"], prompt["title"]) == ("greet", "Greet someone")
    assert [(one["name"], one["required"]) for one in prompt["arguments"]] == [("name", True), ("tone", False)]
    completing = {"type": "complete", "plugin": "capable", "kind": "prompt", "ref": "greet"}
    completed = await fetched(panel, {**completing, "argument": "name", "value": "A", "filled": "{}"})
    assert completed["values"] == ["Ada", "Alan"]
    using = {"type": "use_prompt", "plugin": "capable", "name": "greet", "arguments": '{"name": "Ada"}'}
    assert (await fetched(panel, using))["text"] == "Greet Ada in a kind tone."


async def test_a_prompt_that_cannot_be_had_says_why(server: ChatServer) -> None:
    del server
    panel = await opened(valechat.Chat("lab/one"))
    await switched_on(panel)
    using = {"type": "use_prompt", "plugin": "capable", "name": "nothing", "arguments": "{}"}
    answer = await fetched(panel, using)
    assert answer["error"] is not None
    assert answer["text"] == ""


async def test_resources_are_listed_read_and_sent_with_a_question(server: ChatServer) -> None:
    panel = await opened(valechat.Chat("lab/one", plugins=[]))
    await switched_on(panel)
    panel.send({"type": "list_offers", "what": "resources"})
    found = {one["uri"]: one for one in (await panel.until("offers"))["resources"]}
    assert [one["name"] for one in found["note://{name}/{page}"]["variables"]] == ["name", "page"]
    attaching = {"type": "attach_resource", "plugin": "capable", "name": "first"}
    (note,) = (await fetched(panel, {**attaching, "uri": "note://first"}))["attachments"]
    (pixel,) = (await fetched(panel, {**attaching, "uri": "file:///pixel.png"}))["attachments"]
    assert pixel["media_type"] == "image/png"
    assert pixel["preview"] is not None
    panel.send({"type": "use_plugin", "plugin": "capable", "on": False})
    panel.ask("What?", {"name": note["name"], "id": note["id"]}, {"name": pixel["name"], "id": pixel["id"]})
    ended = await panel.until("turn_ended", "refused")
    assert ended["type"] == "turn_ended"
    content = server.requests[0]["messages"][-1]["content"]
    assert "hello" in str(content)
    assert any(part["type"] == "image_url" for part in content)


async def test_a_template_is_filled_in_with_the_servers_help(server: ChatServer) -> None:
    del server
    panel = await opened(valechat.Chat("lab/one"))
    await switched_on(panel)
    template = {"plugin": "capable", "kind": "template", "ref": "note://{name}/{page}"}
    completing = {"type": "complete", **template, "argument": "name", "value": "B", "filled": "{}"}
    assert (await fetched(panel, completing))["values"] == ["Barbara"]
    attaching = {"type": "attach_resource", "plugin": "capable", "uri": template["ref"], "name": "note"}
    answer = await fetched(panel, {**attaching, "variables": '{"name": "Ada", "page": "3"}'})
    (attached,) = answer["attachments"]
    assert attached["size"] == len("Ada, page 3")


async def test_a_resource_over_the_limit_is_refused(server: ChatServer, home: Path) -> None:
    del server
    with home.joinpath("config.toml").open("a") as file:
        file.write("[sizes]\nupload = 3\n")
    panel = await opened(valechat.Chat("lab/one"))
    await switched_on(panel)
    answer = await fetched(
        panel, {"type": "attach_resource", "plugin": "capable", "uri": "note://first", "name": "first"}
    )
    assert answer["error"]["kind"] == "TooLarge"
    assert answer["attachments"] == []


async def test_a_tool_is_asked_about_on_its_call_and_its_card_tells_the_plugin(server: ChatServer) -> None:
    del server
    panel = await opened(valechat.Chat("lab/caller", plugins=["capable"]))
    panel.ask('capable_add {"a": 2, "b": 3}')
    ask = (await panel.until("asked"))["ask"]
    assert ask["approval"]["plugin"] == "capable"
    assert ask["approval"]["call_id"] == "call-1"
    panel.send({"type": "ask_answer", "ask": ask["id"], "choice": "once"})
    answer = (await panel.until("turn_ended"))["answer"]
    (card,) = answer["tools"]
    assert (card["plugin"], card["tool"]) == ("capable", "add")
    assert "5" in card["result"]
    assert answer["text"].startswith("The tool said:")


async def test_a_tool_that_is_not_allowed_is_not_called(server: ChatServer) -> None:
    del server
    panel = await opened(valechat.Chat("lab/caller", plugins=["capable"]))
    panel.ask('capable_add {"a": 2, "b": 3}')
    panel.send({"type": "ask_answer", "ask": (await panel.until("asked"))["ask"]["id"], "choice": "no"})
    (card,) = (await panel.until("turn_ended"))["answer"]["tools"]
    assert card["is_error"]
    assert "5" not in card["result"]


async def test_a_server_that_asks_in_the_middle_of_a_call_asks_in_the_panel(server: ChatServer) -> None:
    del server
    panel = await opened(valechat.Chat("lab/caller", plugins=["capable"]))
    panel.ask("capable_ask_name")
    approval = (await panel.until("asked"))["ask"]
    panel.send({"type": "ask_answer", "ask": approval["id"], "choice": "once"})
    form = (await panel.until("asked"))["ask"]
    assert [one["name"] for one in form["form"]["fields"]] == ["name", "age"]
    panel.send({"type": "ask_answer", "ask": form["id"], "choice": "accept", "text": '{"name": "Ada"}'})
    assert "accept: Ada" in (await panel.until("turn_ended"))["answer"]["tools"][0]["result"]


async def test_a_server_has_a_model_answer_when_the_user_agrees_to_pay(server: ChatServer) -> None:
    panel = await opened(valechat.Chat("lab/caller", plugins=["capable"]))
    panel.ask('capable_ask_model {"question": "Who are you?"}')
    panel.send({"type": "ask_answer", "ask": (await panel.until("asked"))["ask"]["id"], "choice": "once"})
    ask = (await panel.until("asked"))["ask"]
    assert ask["kind"] == "sampling"
    assert "Who are you?" in ask["sampling"]["text"]
    assert ask["sampling"]["most_cost"] is not None
    assert len(server.requests) == 1, "nothing is sent before the user agrees"
    panel.send({"type": "ask_answer", "ask": ask["id"], "choice": "once"})
    (card,) = (await panel.until("turn_ended"))["answer"]["tools"]
    assert not card["is_error"], card["result"]


async def test_many_changes_are_told_in_few_messages(server: ChatServer) -> None:
    del server
    panel = await opened(valechat.Chat("lab/one", plugins=["capable"]))
    await switched_on(panel)

    async def to_and_fro() -> None:
        for on in [False, True] * 10:
            await services().plugins.switch_tool("capable", "add", on)

    await engine().wait(to_and_fro())
    panel.send({"type": "hello"})
    await panel.until("state")
    told = [message for message in panel.got if message["type"] == "plugins"]
    assert len(told) < 12


async def test_the_notebooks_own_tools_are_off_until_they_are_switched_on_for_a_chat(server: ChatServer) -> None:
    del server

    def mine() -> None: ...

    chat = valechat.Chat("lab/one", tools=[mine])
    panel = await opened(chat)
    assert not panel.got[0]["plugins"][0]["used"]
    panel.send({"type": "use_plugin", "plugin": "notebook", "on": True})
    shown = (await panel.until("plugins"))["plugins"][0]
    assert (shown["used"], shown["tools"]) == (True, 6)
    assert shown["tokens"] > 100
    assert list(chat.tools) == [mine, "notebook"]
    panel.send({"type": "use_plugin", "plugin": "notebook", "on": False})
    await panel.until("plugins")
    assert list(chat.tools) == [mine]
