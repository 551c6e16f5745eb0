"""The plugin manager with servers on the network: sign-ins, restarts of the server, calls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx2
import pytest

from tests.plugins.authserver import AuthServer
from tests.plugins.httpserver import serving
from tests.plugins.managing import managed
from tests.plugins.oauth.people import Person, declines, ignores, opens, redirect_of
from valechat import asking
from valechat.asking import Visit, nobody, use_asker
from valechat.errors import PluginError

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(autouse=True)
def nobody_left() -> Iterator[None]:
    yield
    use_asker(nobody)
    assert asking.asker() is nobody


def entry(server: AuthServer, **fields: object) -> dict[str, object]:
    return {"id": "web", "url": server.url, "auth": {"type": "oauth"}, **fields}


async def test_enabling_signs_in_and_the_next_start_does_not_ask(server: AuthServer) -> None:
    person = opens()
    use_asker(person)
    async with managed() as here:
        assert (await here.manager.add(entry(server))).state == "running"
        assert (await here.manager.restart("web")).state == "running"
        assert (await here.manager.call_tool("web", "echo", {"text": "hello"})).text == "hello"
    assert len(person.visits) == 1


async def test_a_declined_sign_in_is_the_users_turn_and_not_tried_again(server: AuthServer) -> None:
    person = declines()
    use_asker(person)
    async with managed() as here:
        info = await here.manager.add(entry(server))
        assert info.state == "error"
        assert info.problem is not None
        assert (info.problem.message, info.problem.retry_at) == ("The sign-in to web was declined.", None)
    assert len(person.visits) == 1


async def test_a_sign_in_may_take_longer_than_the_server(server: AuthServer) -> None:
    seen = opens()

    async def slowly(person: Person, page: Visit) -> str | None:
        await asyncio.sleep(3.2)
        return await seen.visit(page)

    use_asker(Person(slowly))
    async with managed() as here:
        assert (await here.manager.add(entry(server, timeout=3))).state == "running"


async def test_a_server_one_can_sign_in_to_says_how_to_configure_that(server: AuthServer) -> None:
    async with managed() as here:
        info = await here.manager.add({"id": "web", "url": server.url})
        assert info.problem is not None
        assert "does not let this in (401)" in info.problem.message
        assert '"auth": {"type": "oauth"}' in info.problem.fix


async def test_disabling_takes_the_question_away(server: AuthServer) -> None:
    person = ignores()
    use_asker(person)
    async with managed() as here:
        adding = asyncio.create_task(here.manager.add(entry(server)))
        while not person.visits:
            await asyncio.sleep(0.01)
        await here.manager.disable("web")
        await adding
        assert person.cancelled == 1
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(redirect_of(person.visits[0].url))


async def test_a_server_that_lost_its_sessions_is_connected_anew_by_itself() -> None:
    with serving() as server:
        async with managed(times=5) as here:
            assert (await here.manager.add({"id": "web", "url": server.url, "protocol": "legacy"})).state == "running"
            await asyncio.to_thread(server.restart)
            await here.until(lambda: here.failures("web"))
            await here.until_state("web", "running")
            assert "does not know the session any more" in here.failures("web")[0]
            assert (await here.manager.call_tool("web", "echo", {"text": "hello"})).text == "hello"


async def test_a_server_without_sessions_may_restart_unnoticed() -> None:
    with serving() as server:
        async with managed() as here:
            info = await here.manager.add({"id": "web", "url": server.url, "protocol": "2026-07-28"})
            assert info.state == "running"
            await asyncio.to_thread(server.restart)
            assert (await here.manager.call_tool("web", "echo", {"text": "hello"})).text == "hello"


async def test_an_address_without_a_server_says_what_to_check() -> None:
    with serving() as server:
        async with managed() as here:
            info = await here.manager.add({"id": "web", "url": server.url.replace("/mcp", "/wrong")})
            assert info.problem is not None
            assert "There is no MCP server at" in info.problem.message
            assert "Check the address" in info.problem.fix


async def test_a_call_that_cannot_reach_the_server_says_so() -> None:
    with serving(push=False) as server:
        async with managed() as here:
            await here.manager.add({"id": "web", "url": server.url})
            await asyncio.to_thread(server.stop)
            with pytest.raises(PluginError, match="Nothing answers at"):
                await here.manager.call_tool("web", "echo", {"text": "hello"})
