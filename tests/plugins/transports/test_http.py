"""Streamable HTTP against a real server that fails in each way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest
from mcp.shared.exceptions import MCPError

from tests.patience import within
from tests.plugins.httpserver import WebServer, free_port, serving
from tests.plugins.support import eventually
from tests.plugins.transports.connected import connected, service
from valechat.errors import InvalidUrl, PluginError
from valechat.plugins.transports.http import http

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving() as running:
        yield running


async def test_a_tool_answers(server: WebServer) -> None:
    async with connected(http, service(server.url)) as here:
        assert await here.text("echo", {"text": "grüß dich"}) == "grüß dich"


async def test_a_bearer_token_and_own_headers_go_with_every_request(server: WebServer) -> None:
    auth = {"type": "bearer", "token": "s3cret-token"}
    async with connected(http, service(server.url, auth=auth, headers={"X-Team": "blue"})) as here:
        await here.text("echo", {"text": "x"})
    sent = [(headers.get("authorization"), headers.get("x-team")) for _, _, headers in server.requests]
    assert len(sent) >= 3
    assert set(sent) == {("Bearer s3cret-token", "blue")}


async def test_a_result_of_twenty_megabytes_arrives_as_a_stream(server: WebServer) -> None:
    async with connected(http, service(server.url)) as here:
        assert len(await here.text("big", {"megabytes": 20})) == 20 * 2**20


async def test_a_result_of_twenty_megabytes_arrives_as_json() -> None:
    with serving(json=True) as server:
        async with connected(http, service(server.url)) as here:
            assert len(await here.text("big", {"megabytes": 20})) == 20 * 2**20


async def test_a_result_over_the_limit_fails_alone_and_says_so() -> None:
    with serving(json=True) as server:
        async with connected(http, service(server.url)) as here:
            with pytest.raises(MCPError, match="larger than 64 MB"):
                await here.text("big", {"megabytes": 65})
            assert await here.text("echo", {"text": "still here"}) == "still here"


async def test_progress_is_told_while_the_tool_works(server: WebServer) -> None:
    async with connected(http, service(server.url)) as here:
        told: list[str | None] = []

        async def on_progress(done: float, total: float | None, message: str | None) -> None:
            told.append(message)

        assert await here.text("steps", {"count": 3}, progress_callback=on_progress) == "done"
        assert told == ["step 1", "step 2", "step 3"]


async def test_a_stream_cut_in_the_middle_of_an_answer_is_taken_up_where_it_stopped() -> None:
    with serving(resumable=True) as server:
        async with connected(http, service(server.url)) as here:
            server.cut = 2
            waiting = asyncio.create_task(here.text("wait", progress_callback=ignored))
            while not any("last-event-id" in headers for _, _, headers in server.requests):
                await asyncio.sleep(0.01)
            server.released.set()
            assert await waiting == "at last"


async def test_a_cut_stream_that_cannot_be_taken_up_fails_its_call_only(server: WebServer) -> None:
    async with connected(http, service(server.url)) as here:
        server.cut = 1
        with pytest.raises(MCPError, match="ended without a response"):
            await here.text("wait", progress_callback=ignored)
        assert await here.text("echo", {"text": "still here"}) == "still here"


async def test_a_session_the_server_has_forgotten_ends_the_connection_with_a_sentence(server: WebServer) -> None:
    async with connected(http, service(server.url)) as here:
        await here.text("echo", {"text": "x"})
        session = next(headers["mcp-session-id"] for _, _, headers in server.requests if "mcp-session-id" in headers)
        httpx2.delete(server.url, headers={"mcp-session-id": session})
        with pytest.raises(MCPError, match="does not know the session any more") as raised:
            await here.text("echo", {"text": "x"})
        assert raised.value.data == {"undone": True}
        assert "does not know the session any more" in await within(5, here.ended())


async def test_a_restart_of_the_server_is_noticed_without_a_call(server: WebServer) -> None:
    async with connected(http, service(server.url)) as here:
        await asyncio.to_thread(_until_streaming, server)
        await asyncio.to_thread(server.restart)
        assert "does not know the session any more" in await within(10, here.ended())


async def test_the_death_of_the_server_is_noticed_without_a_call(server: WebServer) -> None:
    async with connected(http, service(server.url)) as here:
        await asyncio.to_thread(_until_streaming, server)
        await asyncio.to_thread(server.stop)
        assert "Nothing answers at 127.0.0.1" in await within(10, here.ended())


async def test_after_the_end_requests_fail_at_once_with_the_reason() -> None:
    with serving(push=False) as server:
        async with connected(http, service(server.url)) as here:
            await asyncio.to_thread(server.stop)
            for _ in range(2):
                with pytest.raises(MCPError, match="Nothing answers"):
                    await here.text("echo", {"text": "x"})
            assert "Nothing answers" in await within(5, here.ended())


async def test_a_stream_that_the_server_ends_at_once_is_not_opened_without_end() -> None:
    opened: list[float] = []
    with brief_streams(opened) as port:
        async with connected(http, service(f"http://127.0.0.1:{port}/mcp")):
            await asyncio.sleep(4)  # as often as it is opened in this time
            await eventually(lambda: len(opened) >= 3)
    assert 3 <= len(opened) <= 8


async def test_a_server_without_a_stream_of_its_own_is_no_trouble() -> None:
    with serving(push=False) as server:
        async with connected(http, service(server.url)) as here:
            assert await here.text("echo", {"text": "x"}) == "x"
            assert here.link.problem is not None
            assert here.link.problem() is None


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "does not let this in (401). Check the token"),
        (403, "refuses this (403)"),
        (404, "There is no MCP server at"),
        (405, '"transport": "sse"'),
        (429, "wants fewer requests"),
        (500, "failed (500)"),
    ],
)
async def test_a_refused_greeting_says_what_the_status_means(server: WebServer, status: int, words: str) -> None:
    server.status = status
    auth = {"type": "bearer", "token": "s3cret-token"}
    with pytest.raises(MCPError) as raised:
        async with connected(http, service(server.url, auth=auth)):
            pass
    assert words in str(raised.value)
    assert "s3cret" not in repr(raised.value)


async def test_one_refused_call_leaves_the_connection_open(server: WebServer) -> None:
    async with connected(http, service(server.url)) as here:
        server.status = 500
        with pytest.raises(MCPError, match=r"failed \(500\)"):
            await here.text("echo", {"text": "x"})
        assert "failed (500)" in here.problem()
        server.status = None
        assert await here.text("echo", {"text": "x"}) == "x"


async def test_a_call_the_server_does_not_answer_ends_with_its_timeout_and_the_connection_stays(
    server: WebServer,
) -> None:
    async with connected(http, service(server.url)) as here:
        await here.text("echo", {"text": "x"})
        server.hang = True
        with pytest.raises(MCPError, match="timed out"):
            await here.text("echo", {"text": "x"}, read_timeout_seconds=0.3)
        server.hang = False
        assert await here.text("echo", {"text": "x"}) == "x"


async def test_leaving_does_not_wait_for_a_server_that_hangs(server: WebServer) -> None:
    async with contextlib.AsyncExitStack() as stack:
        here = await stack.enter_async_context(connected(http, service(server.url)))
        server.hang = True
        waiting = asyncio.create_task(here.text("wait"))
        await asyncio.sleep(0)
        start = asyncio.get_running_loop().time()
        await stack.aclose()
        assert asyncio.get_running_loop().time() - start < 5
        with pytest.raises(MCPError):
            await waiting


async def test_leaving_ends_the_session_at_the_server(server: WebServer) -> None:
    async with connected(http, service(server.url)):
        pass
    assert server.methods()[-1] == "DELETE"


async def test_nothing_that_answers_is_said_so() -> None:
    with pytest.raises(MCPError, match=r"Nothing answers at 127\.0\.0\.1.*Is the server running"):
        async with connected(http, service(f"http://127.0.0.1:{free_port()}/mcp")):
            pass


async def test_an_unknown_name_is_said_so() -> None:
    with pytest.raises(MCPError, match=r"No address is known for nowhere\.invalid"):
        async with connected(http, service("https://nowhere.invalid/mcp")):
            pass


async def test_a_certificate_nobody_vouches_for_is_said_so(tmp_path: Path) -> None:
    with (
        tls_server(tmp_path) as port,
        pytest.raises(MCPError, match=r"certificate of localhost:.* could not be verified"),
    ):
        async with connected(http, service(f"https://localhost:{port}/mcp")):
            pass


async def test_a_server_that_speaks_no_tls_is_said_so(server: WebServer) -> None:
    with pytest.raises(MCPError, match="does not speak TLS"):
        async with connected(http, service(server.url.replace("http:", "https:"))):
            pass


async def test_something_else_than_http_is_said_so() -> None:
    with gibberish() as port, pytest.raises(MCPError, match="closed the connection before it had answered"):
        async with connected(http, service(f"http://127.0.0.1:{port}/mcp")):
            pass


def test_a_plain_address_of_another_machine_is_refused() -> None:
    with pytest.raises(InvalidUrl):
        service("http://example.com/mcp")


async def test_a_redirect_to_another_server_is_not_followed() -> None:
    arrived: list[str] = []
    with elsewhere(arrived) as far, redirecting(f"http://127.0.0.1:{far}/mcp?code=1") as near:
        auth = {"type": "bearer", "token": "s3cret-token"}
        with pytest.raises(MCPError, match=rf"127\.0\.0\.1:{far}/mcp not followed"):
            async with connected(http, service(f"http://127.0.0.1:{near}/mcp", auth=auth)):
                pass
    assert arrived == []


async def test_a_header_of_the_protocol_cannot_be_configured(server: WebServer) -> None:
    with pytest.raises(PluginError, match="Mcp-Session-Id cannot be sent"):
        async with connected(http, service(server.url, headers={"Mcp-Session-Id": "mine"})):
            pass


async def test_what_the_owner_raises_comes_out_as_it_is(server: WebServer) -> None:
    with pytest.raises(PluginError, match="mine"):
        async with connected(http, service(server.url)):
            raise PluginError("mine")


async def test_many_calls_at_once_get_their_own_answers(server: WebServer) -> None:
    async with connected(http, service(server.url)) as here:
        answers = await asyncio.gather(*(here.text("echo", {"text": str(number)}) for number in range(40)))
        assert answers == [str(number) for number in range(40)]


async def ignored(done: float, total: float | None, message: str | None) -> None:
    """Progress is only sent to who wants to know."""


def _until_streaming(server: WebServer) -> None:
    """The server has begun its stream; what its client does about it comes before any restart."""
    assert server.streaming.wait(30)


@contextlib.contextmanager
def tls_server(folder: Path) -> Iterator[int]:
    """TLS with a certificate that signed itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own_certificate(folder))
    with _simple(BaseHTTPRequestHandler, context) as port:
        yield port


def own_certificate(folder: Path) -> Path:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "own.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


@contextlib.contextmanager
def elsewhere(arrived: list[str]) -> Iterator[int]:
    class Noting(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrived.append(json.dumps(dict(self.headers)))
            self.send_error(500)

        def log_message(self, *about: object) -> None:
            pass

    with _simple(Noting) as port:
        yield port


@contextlib.contextmanager
def redirecting(target: str) -> Iterator[int]:
    class Redirecting(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(307)
            self.send_header("Location", target)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *about: object) -> None:
            pass

    with _simple(Redirecting) as port:
        yield port


@contextlib.contextmanager
def brief_streams(opened: list[float]) -> Iterator[int]:
    """Its stream ends at once, and it says that no time is to be lost before the next."""

    class Brief(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            opened.append(0)
            self.answer(200, "text/event-stream", b"retry: 0\n\n")

        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            about = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "b", "version": "1"}}
            body = {"jsonrpc": "2.0", "id": message.get("id"), "result": about}
            self.answer(200 if "id" in message else 202, "application/json", json.dumps(body).encode())

        def do_DELETE(self) -> None:
            self.answer(200, "text/plain", b"")

        def answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Mcp-Session-Id", "one")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *about: object) -> None:
            pass

    with _simple(Brief) as port:
        yield port


@contextlib.contextmanager
def _simple(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[int]:
    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *about: object) -> None:
            pass

    with Quiet(("127.0.0.1", 0), handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def gibberish() -> Iterator[int]:
    """Says something to everyone that is no HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(65536)
                        connection.sendall(b"220 mail.example.com ESMTP\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()
