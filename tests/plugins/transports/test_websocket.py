"""WebSocket, against a real server that fails in each way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from mcp.shared.exceptions import MCPError

from tests.patience import within
from tests.plugins.httpserver import WebServer, free_port, serving
from tests.plugins.transports.connected import connected, context_of, service
from valechat.errors import InvalidUrl, PluginError
from valechat.plugins.config import CloudService
from valechat.plugins.transports import websocket as module
from valechat.plugins.transports.websocket import websocket

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving() as running:
        yield running


def at(url: str, **options: object) -> CloudService:
    return service(url, transport="websocket", **options)


async def test_a_tool_answers(server: WebServer) -> None:
    async with connected(websocket, at(server.websocket)) as here:
        assert await here.text("echo", {"text": "grüß dich"}) == "grüß dich"


async def test_the_token_and_own_headers_open_the_connection(server: WebServer) -> None:
    auth = {"type": "bearer", "token": "s3cret-token"}
    async with connected(websocket, at(server.websocket, auth=auth, headers={"X-Team": "blue"})):
        pass
    headers = server.requests[0][2]
    assert (headers["authorization"], headers["x-team"]) == ("Bearer s3cret-token", "blue")
    assert headers["sec-websocket-protocol"] == "mcp"


async def test_a_result_of_twenty_megabytes_arrives(server: WebServer) -> None:
    async with connected(websocket, at(server.websocket)) as here:
        assert len(await here.text("big", {"megabytes": 20})) == 20 * 2**20


async def test_a_result_over_the_limit_ends_the_connection_and_says_so(server: WebServer) -> None:
    async with connected(websocket, at(server.websocket)) as here:
        with pytest.raises(MCPError):
            await here.text("big", {"megabytes": 65})
        assert "larger than 64 MB" in await within(5, here.ended())


async def test_progress_is_told_while_the_tool_works(server: WebServer) -> None:
    told: list[str | None] = []

    async def on_progress(done: float, total: float | None, message: str | None) -> None:
        told.append(message)

    async with connected(websocket, at(server.websocket)) as here:
        assert await here.text("steps", {"count": 3}, progress_callback=on_progress) == "done"
    assert told == ["step 1", "step 2", "step 3"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1000, "ended the connection (1000): told to"),
        (1008, "refused to go on (1008)"),
        (1011, "failed (1011)"),
        (1012, "is being restarted (1012)"),
        (4321, "ended the connection (4321): told to"),
    ],
)
async def test_a_close_code_becomes_a_sentence(server: WebServer, code: int, words: str) -> None:
    async with connected(websocket, at(server.websocket)) as here:
        server.close_code = code
        with pytest.raises(MCPError):
            await here.text("echo", {"text": "x"})
        assert words in await within(5, here.ended())


async def test_the_death_of_the_server_is_noticed_without_a_call(server: WebServer) -> None:
    async with connected(websocket, at(server.websocket)) as here:
        await asyncio.to_thread(server.stop)
        assert "127.0.0.1" in await within(10, here.ended())


async def test_a_server_that_answers_no_ping_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PING_SECONDS", 0.2)
    listener = await asyncio.start_server(deaf, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        async with websocket(at(f"ws://127.0.0.1:{port}/"), context_of()) as link:
            assert link.ended is not None
            assert "did not answer a ping for 0.2 s" in await within(5, link.ended())


@pytest.mark.parametrize(
    ("status", "words"), [(401, "does not let this in (401)"), (403, "refuses this (403)"), (500, "failed (500)")]
)
async def test_a_refused_opening_says_what_the_status_means(server: WebServer, status: int, words: str) -> None:
    server.status = status
    with pytest.raises(PluginError) as raised:
        async with connected(websocket, at(server.websocket, auth={"type": "bearer", "token": "s3cret-token"})):
            pass
    assert words in str(raised.value)
    assert "s3cret" not in repr(raised.value)


async def test_an_address_without_a_websocket_is_said_so(server: WebServer) -> None:
    with pytest.raises(PluginError, match=r"127\.0\.0\.1"):
        async with connected(websocket, at(server.websocket.replace("/ws", "/mcp"))):
            pass


async def test_nothing_that_answers_is_said_so() -> None:
    with pytest.raises(PluginError, match="Nothing answers at"):
        async with connected(websocket, at(f"ws://127.0.0.1:{free_port()}/ws")):
            pass


def test_a_plain_address_of_another_machine_is_refused() -> None:
    with pytest.raises(InvalidUrl):
        at("ws://example.com/ws")


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Opens a WebSocket and never says another word."""
    from websockets.http11 import Request
    from websockets.server import ServerProtocol

    protocol = ServerProtocol()
    while not (events := protocol.events_received()):
        protocol.receive_data(await reader.read(4096))
    assert isinstance(events[0], Request)
    protocol.send_response(protocol.accept(events[0]))
    for data in protocol.data_to_send():
        writer.write(data)
    try:
        await reader.read(-1)
    finally:
        writer.transport.abort()
