"""The older transport with server-sent events, against a real server that fails in each way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from mcp.shared.exceptions import MCPError

from tests.patience import within
from tests.plugins.httpserver import Thread, WebServer, free_port, serving
from tests.plugins.transports.connected import connected, service
from valechat.errors import PluginError
from valechat.plugins.config import CloudService
from valechat.plugins.transports.sse import sse

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject"),  # the SDK's server leaves some when it is stopped
]


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving() as running:
        yield running


def at(url: str, **options: object) -> CloudService:
    return service(url, transport="sse", **options)


async def test_a_tool_answers(server: WebServer) -> None:
    async with connected(sse, at(server.sse)) as here:
        assert await here.text("echo", {"text": "grüß dich"}) == "grüß dich"


async def test_the_token_goes_with_the_stream_and_with_every_post(server: WebServer) -> None:
    async with connected(sse, at(server.sse, auth={"type": "bearer", "token": "s3cret-token"})) as here:
        await here.text("echo", {"text": "x"})
    assert {headers.get("authorization") for _, _, headers in server.requests} == {"Bearer s3cret-token"}


async def test_a_result_of_twenty_megabytes_arrives(server: WebServer) -> None:
    async with connected(sse, at(server.sse)) as here:
        assert len(await here.text("big", {"megabytes": 20})) == 20 * 2**20


async def test_a_call_whose_post_fails_fails_at_once_and_alone(server: WebServer) -> None:
    async with connected(sse, at(server.sse)) as here:
        server.status = 500
        with pytest.raises(MCPError, match=r"failed \(500\)"):
            await here.text("echo", {"text": "x"})
        server.status = None
        assert await here.text("echo", {"text": "x"}) == "x"


async def test_the_death_of_the_server_is_noticed_without_a_call(server: WebServer) -> None:
    async with connected(sse, at(server.sse)) as here:
        await here.text("echo", {"text": "x"})
        await asyncio.to_thread(server.stop)
        assert "closed the connection" in await within(10, here.ended())


async def test_a_call_under_way_fails_when_the_server_dies(server: WebServer) -> None:
    async with connected(sse, at(server.sse)) as here:
        waiting = asyncio.create_task(here.text("wait"))
        while "POST" not in server.methods():
            await asyncio.sleep(0.01)
        await asyncio.to_thread(server.stop)
        with pytest.raises(MCPError):
            await within(10, waiting)


async def test_a_refused_sign_in_says_so(server: WebServer) -> None:
    with pytest.raises(PluginError, match=r"There is no MCP server at .*/nothing \(404\)"):
        async with connected(sse, at(server.sse.replace("/sse", "/nothing"))):
            pass


async def test_nothing_that_answers_is_said_so() -> None:
    with pytest.raises(PluginError, match="Nothing answers at"):
        async with connected(sse, at(f"http://127.0.0.1:{free_port()}/sse")):
            pass


def answering(body: bytes, content_type: str, *, stay: bool = False) -> Thread:
    """A server that answers every GET so, and keeps the stream open if it is told to."""

    async def app(scope: dict[str, object], receive: object, send: object) -> None:
        if scope["type"] != "http":
            return
        assert callable(send)
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", content_type.encode())]}
        )
        await send({"type": "http.response.body", "body": body, "more_body": stay})
        while stay:
            await asyncio.sleep(0.05)

    thread = Thread(app, free_port())  # type: ignore[arg-type] # as little ASGI as it needs
    thread.start()
    return thread


async def refusal(body: bytes, content_type: str, *, stay: bool = False, **options: object) -> str:
    server = answering(body, content_type, stay=stay)
    try:
        with pytest.raises(PluginError) as raised:
            async with connected(sse, at(f"http://127.0.0.1:{server.port}/sse", **options)):
                pass
    finally:
        server.stop()
    return str(raised.value)


async def test_a_server_that_sends_requests_elsewhere_is_refused() -> None:
    said = await refusal(
        b"event: endpoint\ndata: https://evil.example/take?token=1\n\n", "text/event-stream", stay=True
    )
    assert "wants requests to be sent to another server, https://evil.example/take." in said


async def test_a_page_that_is_no_stream_is_said_so() -> None:
    assert "not with a stream of events" in await refusal(b"<html>", "text/html")


async def test_a_stream_that_ends_at_once_is_said_so() -> None:
    assert "ended its stream at once" in await refusal(b": hello\n\n", "text/event-stream")


async def test_a_stream_that_never_begins_is_given_up_after_the_plugins_timeout() -> None:
    said = await refusal(b": hello\n\n", "text/event-stream", stay=True, timeout=1)
    assert "did not begin within 1 s" in said
