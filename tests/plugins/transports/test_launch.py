"""Servers started confined to their permissions: what holds through the transport, and what is cleaned up."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession
from mcp.types import TextContent

from tests.plugins.transports.servers import Log, folder, unruly
from valechat.errors import InvalidPlugin
from valechat.plugins.config import LocalServer, parse
from valechat.plugins.transports.base import Link
from valechat.plugins.transports.stdio import stdio
from valechat.sandbox import bubblewrap, landlock

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tried with what Linux has")

CLOSED: dict[str, Any] = {"file_read": [], "file_write": [], "network_access": False}


HOGS = """
import os, time
for _ in range(3):
    if os.fork() == 0:
        {leave}
        hog = bytearray(range(256)) * 240_000
        time.sleep(30)
        os._exit(0)
while True: input()
"""
"""Three children of 60 MB each."""


@pytest.fixture(params=["bubblewrap", "Landlock"])
def walls(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the system has."""
    name: str = request.param
    if name == "Landlock":
        monkeypatch.setattr(bubblewrap, "unavailable", lambda: "bubblewrap is not installed")
    if why_not := (bubblewrap if name == "bubblewrap" else landlock).unavailable():
        pytest.skip(why_not)
    return name


async def call(link: Link, tool: str, **arguments: Any) -> str:
    async with ClientSession(link.read, link.write) as session:
        await session.initialize()
        [content] = (await session.call_tool(tool, arguments)).content
        assert isinstance(content, TextContent)
        return content.text


async def ending(link: Link) -> str:
    assert link.ended is not None
    return await link.ended()


def program(code: str, **permissions: Any) -> LocalServer:
    """A server of a few lines, which speaks no MCP."""
    found = parse({"id": "hungry", "command": sys.executable, "args": ["-c", code], "permissions": permissions})
    assert isinstance(found, LocalServer)
    return found


async def test_a_server_that_may_do_nothing_still_answers_and_its_card_says_what_holds(walls: str) -> None:
    definition = unruly(permissions={**CLOSED, "file_read": [str(folder().parent)], "memory_mb": 500})
    async with stdio(definition, Log().context) as link:
        assert await call(link, "echo", text="hello") == "hello"
        assert dict(link.sandbox) == {
            "files": "enforced",
            "network": "enforced",
            "memory": "watched",
            "cpu": "none",
            "processes": "none",
        }


async def test_nothing_made_for_a_server_is_left_when_it_ends(walls: str) -> None:
    before = set(Path(tempfile.gettempdir()).glob("vc-*"))
    definition = unruly(permissions={**CLOSED, "file_read": [str(folder().parent)]})
    async with stdio(definition, Log().context) as link:
        mine = json.loads(await call(link, "environment"))["environment"]["TMPDIR"]
    assert mine not in ("/tmp", tempfile.gettempdir())
    assert set(Path(tempfile.gettempdir()).glob("vc-*")) <= before


async def test_processes_that_together_take_too_much_memory_are_ended_and_the_reason_is_told() -> None:
    async with stdio(program(HOGS.format(leave=""), memory_mb=100), Log().context) as link:
        assert (await ending(link)).endswith("MB of memory; it may use 100.")


async def test_children_that_left_their_parent_are_counted() -> None:
    leave = "os.setsid(); os.fork() and os._exit(0)"
    async with stdio(program(HOGS.format(leave=leave), memory_mb=100), Log().context) as link:
        assert (await ending(link)).endswith("MB of memory; it may use 100.")


async def test_a_host_that_is_not_listed_is_logged_with_what_to_change() -> None:
    if why_not := bubblewrap.unavailable():
        pytest.skip(why_not)
    code = """
import urllib.request
try:
    urllib.request.urlopen("http://other.example/", timeout=10)
except Exception as error:
    print(error, flush=True)
"""
    log = Log()
    async with stdio(program(code, network_access=["example.com"]), log.context) as link:
        await ending(link)
    assert (
        "The server asked for other.example:80, which is not among the hosts it may reach (`network_access`)."
        in log.of("valechat")
    )


async def test_what_cannot_be_enforced_keeps_the_server_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "unavailable", lambda: "bubblewrap is not installed")
    monkeypatch.setattr(landlock, "unavailable", lambda: "Landlock is switched off")
    with pytest.raises(InvalidPlugin, match="unruly: This system cannot hold the server to its permissions") as refused:
        async with stdio(unruly(permissions=CLOSED), Log().context):
            pass
    assert (refused.value.plugin, "allow_degraded" in refused.value.fix) == ("unruly", True)


async def test_a_path_that_does_not_exist_names_the_plugin() -> None:
    with pytest.raises(InvalidPlugin, match="unruly: `/nowhere` in `file_read` does not exist"):
        async with stdio(unruly(permissions={"file_read": ["/nowhere"]}), Log().context):
            pass
