"""The plugin manager's side in the kernel: what a view asks and hears, over real servers."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.plugins.authserver import authorising
from valechat.asking import nobody, use_asker
from valechat.notebook.cellasker import CellAsker
from valechat.notebook.plugins.board import PluginBoard
from valechat.services import services

UNRULY = Path(__file__).parents[1] / "plugins" / "unruly.py"

Message = Mapping[str, Any]


class View:
    """A view of the board: what it hears, in order."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.times: list[float] = []
        self._news = asyncio.Event()
        self.board = PluginBoard(services(), self._take)

    def _take(self, message: Message) -> None:
        self.heard.append(json.loads(json.dumps(message)))
        self.times.append(time.monotonic())
        self._news.set()

    def ask(self, **message: Any) -> None:
        self.board.receive(message)

    async def until(self, true: Callable[[Message], bool], *, after: int = 0) -> Message:
        """The first message of which this is true."""
        async with asyncio.timeout(30):
            while True:
                for message in self.heard[after:]:
                    if true(message):
                        return message
                self._news.clear()
                await self._news.wait()

    async def done(self, request: str) -> Message:
        return await self.until(lambda one: one["type"] == "done" and one["request"] == request)

    def of(self, kind: str) -> list[Message]:
        return [one for one in self.heard if one["type"] == kind]


def is_of(kind: str, message: Message) -> bool:
    return bool(message["type"] == kind)


def write(home: Path, *servers: dict[str, Any]) -> Path:
    file = home / "mcp_plugins.json"
    file.write_text(json.dumps({"mcp_plugins": {"local_servers": servers}}))
    return file


def unruly(plugin: str, *options: str, **fields: Any) -> dict[str, Any]:
    return {"id": plugin, "command": sys.executable, "args": ["-I", "-S", str(UNRULY), *options], **fields}


@pytest_asyncio.fixture
async def view() -> AsyncIterator[View]:
    use_asker(CellAsker())
    found = View()
    yield found
    use_asker(nobody)
    found.board.close()
    await services().plugins.shutdown()


async def test_a_view_that_opens_gets_all_there_is_and_what_is_enabled_runs(home: Path, view: View) -> None:
    write(home, unruly("on"), unruly("off", enabled=False))
    await view.board.open()
    board = view.of("board")[-1]
    assert [(card["id"], card["state"], card["tools"]) for card in board["plugins"]] == [
        ("on", "running", 13),
        ("off", "stopped", 0),
    ]
    assert board["plugins"][0]["tokens"] > 100


async def test_tools_schemas_and_logs_are_sent_only_when_asked_for(home: Path, view: View) -> None:
    write(home, unruly("large", "--tools", "1000"))
    await view.board.open()
    assert {one["type"] for one in view.heard} <= {"board", "changed"}
    assert sum(len(json.dumps(one)) for one in view.heard) < 20_000
    view.ask(type="unfold", id="large", part="tools", open=True)
    assert len((await view.until(lambda one: one["type"] == "tools"))["tools"]) == 1013
    assert "inputSchema" not in json.dumps(view.of("tools"))
    view.ask(type="ask_schema", id="large", tool="echo")
    assert json.loads((await view.until(lambda one: one["type"] == "schema"))["schema"])["type"] == "object"


async def test_a_storm_of_changes_is_told_five_times_a_second(home: Path, view: View) -> None:
    write(home, unruly("one"))
    await view.board.open()
    view.ask(type="unfold", id="one", part="log", open=True)
    begun, first = time.monotonic(), len(view.heard)
    calls = [services().plugins.call_tool("one", "say", {"text": f"line {number}"}) for number in range(100)]
    await asyncio.gather(*calls)
    await view.until(lambda one: one["type"] == "log" and "line 99" in json.dumps(one), after=first)
    seconds = time.monotonic() - begun
    assert len(view.heard) - first <= 2 * (5 * seconds + 2)
    assert max(len(one["lines"]) for one in view.of("log")) <= 200


async def test_what_a_log_says_cannot_move_a_cursor_and_is_cut(home: Path, view: View) -> None:
    write(home, unruly("one"))
    await view.board.open()
    view.ask(type="unfold", id="one", part="log", open=True)
    await services().plugins.call_tool("one", "say", {"text": "\x1b[31mred\x1b[0m " + "x" * 5000})
    log = await view.until(lambda one: one["type"] == "log" and "red" in json.dumps(one))
    text = next(line["text"] for line in log["lines"] if "red" in line["text"])
    assert "\x1b" not in text
    assert text.startswith("red x")
    assert "more characters" in text


async def test_each_request_is_answered_and_an_error_says_what_to_do(home: Path, view: View) -> None:
    file = write(home, unruly("one"))
    await view.board.open()
    view.ask(type="act", request="r1", id="one", verb="disable")
    assert (await view.done("r1"))["error"] is None
    assert json.loads(file.read_text())["mcp_plugins"]["local_servers"][0]["enabled"] is False
    view.ask(type="act", request="r2", id="nosuch", verb="enable")
    error = (await view.done("r2"))["error"]
    assert "nosuch" in error["message"]
    assert error["fix"]
    view.ask(type="change", request="r3", id="one", fields='{"timeout": -1}')
    assert "timeout" in (await view.done("r3"))["error"]["message"]


async def test_only_timeouts_and_permissions_can_be_changed_from_a_view(home: Path, view: View) -> None:
    file = write(home, unruly("one", enabled=False))
    await view.board.open()
    view.ask(type="change", request="r", id="one", fields='{"call_timeout": 5, "command": "evil", "args": []}')
    assert (await view.done("r"))["error"] is None
    (entry,) = json.loads(file.read_text())["mcp_plugins"]["local_servers"]
    assert entry["call_timeout"] == 5
    assert entry["command"] == sys.executable


async def test_a_call_brings_progress_its_answer_or_why_there_is_none(home: Path, view: View) -> None:
    write(home, unruly("one"))
    await view.board.open()
    view.ask(type="call", call="a", id="one", tool="progress", arguments='{"steps": 2}')
    called = await view.until(lambda one: one["type"] == "called" and one["call"] == "a")
    assert called["content"][0]["text"] == "2 steps done."
    assert view.of("progressed")
    view.ask(type="call", call="b", id="one", tool="fail", arguments="{}")
    assert (await view.until(lambda one: one["type"] == "called" and one["call"] == "b"))["is_error"]
    view.ask(type="call", call="c", id="one", tool="never", arguments="{}")
    view.ask(type="stop_call", call="c")
    stopped = await view.until(lambda one: one["type"] == "called" and one["call"] == "c")
    assert stopped["error"]["message"] == "Stopped."


async def test_a_huge_answer_is_cut_for_the_view(home: Path, view: View) -> None:
    write(home, unruly("one"))
    await view.board.open()
    view.ask(type="call", call="a", id="one", tool="big", arguments='{"bytes": 3000000}')
    called = await view.until(lambda one: one["type"] == "called")
    assert len(json.dumps(called)) < 200_000
    assert "more characters" in called["content"][0]["text"]


async def test_no_message_holds_a_secret_of_an_entry(home: Path, view: View) -> None:
    write(home, unruly("one", env={"API_TOKEN": "canary-secret-12345", "B": "${HOME}"}))
    await view.board.open()
    for part in ("configuration", "tools", "log"):
        view.ask(type="unfold", id="one", part=part, open=True)
    for at in ("settings", "catalogue", "foreign"):
        view.ask(type="look", at=at)
        await view.until(partial(is_of, at))
    assert "canary-secret" not in json.dumps(view.heard)
    assert "${HOME}" in view.of("configuration")[-1]["text"]


async def test_a_service_is_signed_in_to_in_the_manager_and_out_again(home: Path, view: View) -> None:
    def card(one: Message) -> Message | None:
        return next((card for card in one.get("plugins", ()) if card["id"] == "guarded"), None)

    with authorising() as server:
        service = {"id": "guarded", "url": server.url, "auth": {"type": "oauth"}, "enabled": False}
        (home / "mcp_plugins.json").write_text(json.dumps({"mcp_plugins": {"cloud_services": [service]}}))
        await view.board.open()
        found = card(view.of("board")[-1])
        assert found is not None
        assert (found["signs_in"], found["signed_in"]) == (True, False)
        view.ask(type="hello")
        view.ask(type="act", request="in", id="guarded", verb="sign_in")
        visit = (await view.until(partial(is_of, "asked")))["ask"]["visit"]
        await asyncio.to_thread(lambda: urllib.request.urlopen(visit["url"]).read())
        assert (await view.done("in"))["error"] is None
        await view.until(partial(is_of, "ask_ended"))
        await view.until(lambda one: (card(one) or {}).get("signed_in") is True)
        view.ask(type="act", request="out", id="guarded", verb="sign_out")
        assert (await view.done("out"))["error"] is None
        await view.until(lambda one: (card(one) or {}).get("signed_in") is False, after=len(view.heard) - 1)
        assert "refresh-" not in json.dumps(view.heard)
        assert "access-" not in json.dumps(view.heard)


async def test_what_no_view_of_ours_says_is_dropped(home: Path, view: View) -> None:
    write(home)
    await view.board.open()
    before = len(view.heard)
    for nonsense in (None, 7, {}, {"type": 3}, {"type": "call"}, {"type": "unfold", "id": 1}, {"type": "hello2"}):
        view.board.receive(nonsense)
    view.ask(type="frob", request="r")
    assert "unreadable" in (await view.done("r"))["error"]["message"]
    assert len(view.heard) <= before + 3
