"""Servers that list without end, describe wrongly, or refuse in unusual ways."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.patience import Stopwatch
from tests.plugins.managing import Managed, managed
from tests.plugins.support import MARKER
from tests.plugins.test_connection import Person
from valechat.errors import PluginError
from valechat.plugins.base import PluginInfo

SERVER = str(Path(__file__).with_name("odd.py"))


@pytest.fixture
async def plugins() -> AsyncIterator[Managed]:
    async with managed() as found:
        yield found


async def added(plugins: Managed, *options: str, **fields: object) -> PluginInfo:
    return await plugins.manager.add(
        {
            "id": "odd",
            "command": sys.executable,
            "args": ["-I", SERVER, *options],
            "env": {MARKER: plugins.marker},
            **fields,
        }
    )


async def test_all_pages_of_a_list_are_taken(plugins: Managed) -> None:
    info = await added(plugins, "--pages", "5")
    assert [tool.name for tool in info.tools] == ["t0", "t1", "t2", "t3", "t4"]


async def test_a_list_without_end_is_left_and_the_log_says_so(plugins: Managed) -> None:
    info = await added(plugins, "--pages", "1000000")
    assert info.state == "running"
    assert len(info.tools) == 200
    assert any("lists without end" in line.text for line in plugins.manager.logs("odd"))


async def test_a_list_that_goes_round_in_circles_is_taken_once(plugins: Managed) -> None:
    info = await added(plugins, "--round-and-round")
    assert [tool.name for tool in info.tools] == ["t0", "t1", "t2"]
    assert any("round in circles" in line.text for line in plugins.manager.logs("odd"))


async def test_entries_that_are_described_wrongly_lose_none_of_the_others(plugins: Managed) -> None:
    info = await added(plugins, "--bad-entries")
    tools = {tool.name: tool for tool in info.tools}
    assert [name for name, tool in tools.items() if tool.offered] == ["good", "last"]
    assert tools["no_schema"].problem == "Its input schema is not a JSON object."
    assert tools["odd_hints"].problem.startswith("The server describes it wrongly: ")
    assert "readOnlyHint" in tools["odd_hints"].problem
    assert [found.uri for found in await plugins.manager.resources("odd")] == ["note://a", "note://b"]
    assert [found.name for found in await plugins.manager.prompts("odd")] == ["p"]


async def test_what_has_to_be_visited_first_is_and_the_call_made_again(plugins: Managed) -> None:
    await added(plugins, "--visit-first")
    person = Person(comes_back="")
    answer = await plugins.manager.call_tool("odd", "t0", asker=person)
    assert answer.text == "t0, call 2"
    assert [page.url for page in person.pages] == ["https://example.com/in"]


async def test_a_call_whose_visit_is_declined_fails_and_says_so(plugins: Managed) -> None:
    await added(plugins, "--visit-first")
    with pytest.raises(PluginError, match="needs a page to be visited, which was declined"):
        await plugins.manager.call_tool("odd", "t0", asker=Person())


async def test_a_servers_own_error_is_not_taken_for_the_end_of_the_connection(plugins: Managed) -> None:
    await added(plugins, "--own-code")
    watch = Stopwatch()
    with pytest.raises(PluginError, match=r"odd refused the call of t0: My own affair\."):
        await plugins.manager.call_tool("odd", "t0")
    assert watch.seconds < 2.5
    assert plugins.manager.status("odd").state == "running"


async def test_what_a_server_does_not_offer_is_empty(plugins: Managed) -> None:
    await plugins.add("u")
    assert await plugins.manager.resources("u") == []
    assert await plugins.manager.prompts("u") == []
    assert await plugins.manager.complete("u", ("prompt", "p"), "a", "b") == []


@pytest.mark.parametrize("protocol", ["legacy", "auto"])
@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"])
async def test_a_server_that_knows_one_version_is_spoken_to_in_it(
    plugins: Managed, version: str, protocol: str
) -> None:
    info = await added(plugins, "--speaks", version, protocol=protocol)
    assert (info.state, info.protocol) == ("running", version)
    assert [tool.name for tool in info.tools] == ["t0"]


async def test_a_server_that_names_the_newest_version_is_spoken_to_in_it(plugins: Managed) -> None:
    info = await added(plugins, "--speaks", "2026-07-28", "--names-versions")
    assert (info.state, info.protocol) == ("running", "2026-07-28")


@pytest.mark.parametrize("options", [["--names-versions"], []])
@pytest.mark.parametrize("protocol", ["legacy", "auto", "2025-06-18"])
async def test_a_server_of_another_age_is_not_tried_again(plugins: Managed, options: list[str], protocol: str) -> None:
    info = await added(plugins, "--speaks", "2031-01-01", *options, protocol=protocol)
    assert info.state == "error"
    assert info.problem is not None
    assert info.problem.retry_at is None
    if options and protocol != "2025-06-18":
        assert "The server speaks MCP 2031-01-01; known here are 2024-11-05" in info.problem.message
        assert info.problem.fix == "Update the server, or ValeChat."


async def test_a_version_that_there_is_none_of_is_refused_before_the_server_is_asked(plugins: Managed) -> None:
    info = await added(plugins, protocol="2019-01-01")
    assert info.problem is not None
    assert "MCP has no version '2019-01-01'" in info.problem.message
    assert info.problem.retry_at is None
