"""A server that may reach some hosts reaches those alone, whatever it tries."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.sandbox.confinement import Allowed, program, said
from valechat.sandbox import bubblewrap
from valechat.sandbox.base import Command
from valechat.sandbox.confine import confine
from valechat.sandbox.hostproxy import allows, host_proxy

NO_BUBBLEWRAP = pytest.mark.skipif(bool(bubblewrap.unavailable()), reason=bubblewrap.unavailable())


@pytest.mark.parametrize(
    ("listed", "host", "port", "allowed"),
    [
        ("example.com", "example.com", 443, True),
        ("example.com", "EXAMPLE.com.", 443, True),
        ("example.com", "www.example.com", 443, False),
        ("example.com", "evilexample.com", 443, False),
        ("*.example.com", "www.example.com", 443, True),
        ("*.example.com", "example.com", 443, False),
        ("*.example.com", "evilexample.com", 443, False),
        ("example.com:443", "example.com", 443, True),
        ("example.com:443", "example.com", 80, False),
        ("127.0.0.1", "127.0.0.1", 80, True),
        ("::1", "::1", 80, True),
        ("[::1]:80", "::1", 443, False),
        ("10.0.0.1", "10.0.0.11", 80, False),
    ],
)
def test_a_list_names_hosts(listed: str, host: str, port: int, allowed: bool) -> None:
    assert allows([listed], host, port) is allowed


class Service:
    """An HTTP server on loopback that answers every request with what it was asked."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(request)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
            await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def service() -> AsyncIterator[tuple[Service, int]]:
    one = Service()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    try:
        yield one, server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path, as the name of a socket file must be."""
    with tempfile.TemporaryDirectory(prefix="vc-") as name:
        yield Path(name)


@asynccontextmanager
async def proxied(folder: Path, hosts: Sequence[str]) -> AsyncIterator[tuple[Path, list[str]]]:
    refused: list[str] = []
    async with host_proxy(folder / "proxy", hosts, refused.append):
        yield folder / "proxy", refused


async def exchanged(proxy: Path, request: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(proxy)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    return answer


async def test_a_listed_host_is_reached_through_a_tunnel(folder: Path) -> None:
    async with service() as (one, port), proxied(folder, [f"127.0.0.1:{port}"]) as (proxy, refused):
        inner = b"GET /inner HTTP/1.1\r\nHost: x\r\n\r\n"
        answer = await exchanged(proxy, f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode() + inner)
        assert answer.startswith(b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK")
        assert one.requests == [inner]
        assert refused == []


async def test_a_plain_request_is_passed_on_without_what_was_for_the_proxy(folder: Path) -> None:
    async with service() as (one, port), proxied(folder, ["127.0.0.1"]) as (proxy, _):
        asked = f"GET http://127.0.0.1:{port}/a?b=c HTTP/1.1\r\nHost: x\r\nProxy-Authorization: secret\r\n\r\n"
        assert (await exchanged(proxy, asked.encode())).endswith(b"hello")
        assert one.requests == [b"GET /a?b=c HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n"]


async def test_another_host_is_refused_and_told_once(folder: Path) -> None:
    async with proxied(folder, ["example.com"]) as (proxy, refused):
        for _ in range(3):
            answer = await exchanged(proxy, b"CONNECT other.example:443 HTTP/1.1\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 403 Forbidden")
        assert refused == ["other.example:443"]


async def test_a_listed_name_that_leads_into_this_machine_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def rebound(*args: object, **options: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]

    async with proxied(folder, ["example.com"]) as (proxy, _):
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", rebound)
        answer = await exchanged(proxy, b"CONNECT example.com:80 HTTP/1.1\r\n\r\n")
        assert b"leads into the local network" in answer


@pytest.mark.parametrize("request_line", [b"nonsense", b"GET /relative HTTP/1.1", b"CONNECT example.com HTTP/1.1"])
async def test_what_is_no_request_to_a_proxy_is_refused(folder: Path, request_line: bytes) -> None:
    async with proxied(folder, ["example.com"]) as (proxy, _):
        assert (await exchanged(proxy, request_line + b"\r\n\r\n")).startswith(b"HTTP/1.1 400")


async def test_only_the_user_may_connect(folder: Path) -> None:
    async with proxied(folder, []) as (proxy, _):
        assert proxy.stat().st_mode & 0o777 == 0o600


async def confined_says(code: str, folder: Path, proxy: Path, hosts: list[str]) -> str:
    allowed = Allowed(file_read=[], file_write=[], network_access=hosts)
    command = Command(program(code), {}, "/")
    prepared = confine(command, allowed, temporary=folder, proxy=proxy)
    assert prepared.report["network"] == "enforced"
    return await asyncio.to_thread(said, prepared)


FETCH = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:{port}/', timeout=10).read().decode())"


@NO_BUBBLEWRAP
async def test_a_confined_server_reaches_a_listed_host(folder: Path) -> None:
    async with service() as (_, port), proxied(folder, ["127.0.0.1"]) as (proxy, _):
        assert await confined_says(FETCH.format(port=port), folder, proxy, ["127.0.0.1"]) == "hello"


@NO_BUBBLEWRAP
async def test_a_confined_server_reaches_no_other_host(folder: Path) -> None:
    async with service() as (one, port), proxied(folder, ["example.com"]) as (proxy, refused):
        assert "403: Forbidden" in await confined_says(FETCH.format(port=port), folder, proxy, ["example.com"])
        assert refused == [f"127.0.0.1:{port}"]
        assert one.requests == []


@NO_BUBBLEWRAP
async def test_a_confined_server_cannot_pass_by_the_proxy(folder: Path) -> None:
    async with service() as (one, port), proxied(folder, ["127.0.0.1"]) as (proxy, _):
        code = f"socket.create_connection(('127.0.0.1', {port}), 5)"
        assert "refused" in await confined_says(code, folder, proxy, ["127.0.0.1"])
        assert one.requests == []


@NO_BUBBLEWRAP
@pytest.mark.parametrize(("code", "status"), [("sys.exit(3)", "exit 3"), ("os.kill(os.getpid(), 9)", "exit 137")])
async def test_the_end_of_the_server_is_passed_on(folder: Path, code: str, status: str) -> None:
    async with proxied(folder, []) as (proxy, _):
        assert await confined_says(code, folder, proxy, ["example.com"]) == status
