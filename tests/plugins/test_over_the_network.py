"""Services reached by the network, managed as local servers are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.plugins import capable
from tests.plugins.httpserver import Thread, WebServer, free_port, serving
from tests.plugins.managing import Managed, managed
from tests.plugins.test_connection import Person
from valechat.asking import Filled
from valechat.errors import PluginError

pytestmark = pytest.mark.slow


@pytest.fixture
def web() -> Iterator[WebServer]:
    with serving() as found:
        yield found


@pytest.fixture
async def plugins() -> AsyncIterator[Managed]:
    async with managed(times=10) as found:
        yield found


@pytest.mark.parametrize("transport", ["http", "sse", "websocket"])
async def test_a_service_is_started_called_and_stopped(plugins: Managed, web: WebServer, transport: str) -> None:
    url = {"http": web.url, "sse": web.sse, "websocket": web.websocket}[transport]
    info = await plugins.manager.add({"id": "w", "url": url, "transport": transport})
    assert (info.state, info.transport, info.pid) == ("running", transport, None)
    assert (await plugins.manager.call_tool("w", "echo", {"text": "hello"})).text == "hello"
    assert (await plugins.manager.disable("w")).state == "stopped"


async def test_by_http_the_newest_protocol_is_spoken_where_the_server_knows_it(
    plugins: Managed, web: WebServer
) -> None:
    assert (await plugins.manager.add({"id": "w", "url": web.url})).protocol == "2026-07-28"
    assert (await plugins.manager.add({"id": "x", "url": web.url, "protocol": "legacy"})).protocol == "2025-11-25"


async def test_a_service_that_is_not_there_is_tried_again_and_says_so(plugins: Managed) -> None:
    info = await plugins.manager.add({"id": "w", "url": f"http://127.0.0.1:{free_port()}/mcp"})
    assert info.state == "error"
    assert info.problem is not None
    assert "Nothing answers at 127.0.0.1" in info.problem.message
    assert "Is the server running?" in info.problem.fix
    assert "attempt 1 of 5" in info.problem.fix
    assert info.problem.retry_at is not None


@pytest.mark.parametrize("protocol", ["legacy", "auto"])
async def test_a_service_that_goes_and_comes_back_is_connected_again(
    plugins: Managed, web: WebServer, protocol: str
) -> None:
    await plugins.manager.add({"id": "w", "url": web.url, "protocol": protocol})
    await asyncio.to_thread(web.stop)
    with pytest.raises(PluginError):
        await plugins.manager.call_tool("w", "echo", {"text": "a"}, timeout=5)
    await asyncio.to_thread(web.start)
    assert (await plugins.manager.call_tool("w", "echo", {"text": "b"}, timeout=20)).text == "b"


async def test_a_session_that_the_service_forgot_is_begun_anew(plugins: Managed, web: WebServer) -> None:
    await plugins.manager.add({"id": "w", "url": web.url, "protocol": "legacy"})
    await asyncio.to_thread(web.restart)
    for _ in range(2):
        try:
            answer = await plugins.manager.call_tool("w", "echo", {"text": "b"}, timeout=10)
        except PluginError:
            continue
        assert answer.text == "b"
        break
    else:
        pytest.fail("the session was not begun anew")


async def test_calls_at_once_by_http_have_their_own_askers() -> None:
    thread = Thread(capable.server.streamable_http_app(), free_port())
    await asyncio.to_thread(thread.start)
    try:
        async with managed() as plugins:
            url = f"http://127.0.0.1:{thread.port}/mcp"
            info = await plugins.manager.add({"id": "c", "url": url, "protocol": "legacy"})
            assert info.state == "running", info
            people = [Person(Filled("accept", {"name": name}), after=0.2) for name in ("Ada", "Grace", "Joan")]
            answers = await asyncio.gather(
                *(plugins.manager.call_tool("c", "ask_name", asker=person) for person in people)
            )
            assert [answer.text for answer in answers] == ["accept: Ada", "accept: Grace", "accept: Joan"]
    finally:
        await asyncio.to_thread(thread.stop)
