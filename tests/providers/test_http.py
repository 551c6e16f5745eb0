from __future__ import annotations

import asyncio
import ssl
from typing import Any

import httpx
import pytest

from tests.patience import within
from tests.providers.faults import FaultServer, dripping, hanging, head, stream, whole
from valechat.errors import (
    ConfigError,
    ProviderError,
    RequestRejected,
    ServerFailed,
    StreamBroken,
    TimedOut,
    Unreachable,
)
from valechat.providers import _service, _tls
from valechat.providers._http import FOREIGN, close_clients, foreign_error
from valechat.providers._service import HttpService
from valechat.providers._sse import ServerEvent


def service(server: FaultServer, key: str | None = None, **settings: Any) -> HttpService:
    async def source() -> str | None:
        return key

    return HttpService("lab", server.url, key=source, **{"timeout": 5.0, **settings})


async def events_of(http: HttpService, **options: Any) -> list[ServerEvent]:
    async with http.stream_events("/events", {}, **options) as events:
        return [event async for event in events]


def exceptions_of_httpx() -> list[type[Exception]]:
    found = [value for value in vars(httpx).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert len(found) > 20
    return found


@pytest.mark.parametrize("kind", exceptions_of_httpx(), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("answering", [False, True])
async def test_no_exception_of_httpx_escapes(
    kind: type[Exception], answering: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert issubclass(kind, FOREIGN)
    error = _made(kind)
    assert isinstance(foreign_error("lab", "https://lab.example/v1", error, answering=answering), ProviderError)

    async def raising(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(_service, "open_response", raising)
    with pytest.raises(ProviderError):
        await HttpService("lab", "https://lab.example/v1").get_json("/models")


def _made(kind: type[Exception]) -> Exception:
    request = httpx.Request("GET", "https://lab.example")
    if kind is httpx.HTTPStatusError:
        return httpx.HTTPStatusError("x", request=request, response=httpx.Response(500, request=request))
    try:
        return kind("x")
    except TypeError:
        return kind()


async def test_json_is_got() -> None:
    async with FaultServer(whole(b'{"a": [1, 2.5, "\xc3\xa9"]}')) as server:
        assert await service(server).get_json("/x") == {"a": [1, 2.5, "é"]}
        assert server.requests[0].target == "/x"


async def test_a_body_that_is_not_json_is_broken() -> None:
    async with FaultServer(whole(b"<html><title>Wi-Fi</title>", content_type="text/html")) as server:
        with pytest.raises(StreamBroken, match="Wi-Fi"):
            await service(server).get_json("/x")


async def test_a_body_that_never_ends_is_timed_out() -> None:
    async with FaultServer(dripping(b" ", every=0.02)) as server:
        with pytest.raises(TimedOut):
            await service(server).get_json("/x", timeout=0.2)


async def test_a_body_cut_short_is_broken() -> None:
    async def script(connection: Any) -> None:
        await connection.send(head(200, {"Content-Length": "100"}) + b'{"a"')
        connection.writer.close()

    async with FaultServer(script) as server:
        with pytest.raises(StreamBroken, match="cut"):
            await service(server).get_json("/x")


async def test_lines_are_streamed() -> None:
    async with FaultServer(stream(b'{"a":1}\n{"b"', b":2}\n")) as server:
        assert await events_of(service(server), lines=True) == [ServerEvent(b'{"a":1}'), ServerEvent(b'{"b":2}')]


async def test_a_json_value_in_place_of_a_stream_is_one_event() -> None:
    async with FaultServer(stream(b'\n{"error":\n', b'"no"}', headers={"Content-Type": "text/event-stream"})) as server:
        assert await events_of(service(server)) == [ServerEvent(b'\n{"error":\n"no"}')]


async def test_an_event_over_the_limit_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FaultServer(stream(*[b"data: " + b"x" * 4_000_000] * 9)) as server:
        with pytest.raises(StreamBroken, match="larger"):
            await events_of(service(server))


async def test_comments_alone_do_not_keep_a_stream_alive() -> None:
    async with FaultServer(dripping(b": still here\n\n", every=0.02)) as server:
        with pytest.raises(TimedOut, match="nothing complete"):
            await events_of(service(server), timeout=0.6)


async def test_events_keep_a_stream_alive_beyond_its_timeout() -> None:
    async def script(connection: Any) -> None:
        await connection.send(head(200, {"Content-Type": "text/event-stream"}, version="1.0"))
        for _ in range(24):
            await connection.send(b"data: 1\n\n")
            await asyncio.sleep(0.05)
        connection.writer.close()

    async with FaultServer(script) as server:
        assert len(await events_of(service(server), timeout=1)) == 24


async def test_a_slow_reader_is_not_the_servers_silence() -> None:
    async with (
        FaultServer(stream(b"data: 1\n\n", b"data: 2\n\n")) as server,
        service(server).stream_events("/", {}, timeout=0.7) as events,
    ):
        read = []
        async for event in events:
            read.append(event.data)
            await asyncio.sleep(0.8)
    assert read == [b"1", b"2"]


async def test_a_whole_answer_has_a_limit_of_its_own() -> None:
    async with FaultServer(dripping(b"data: 1\n\n", every=0.02)) as server:
        with pytest.raises(TimedOut, match="in all"):
            await events_of(service(server, most_seconds=0.8))


async def test_header_bytes_now_and_then_do_not_keep_a_request_alive() -> None:
    async def script(connection: Any) -> None:
        leaving = asyncio.ensure_future(connection.left())
        while not leaving.done():
            await connection.send(b"H")
            await asyncio.wait({leaving}, timeout=0.02)

    async with FaultServer(script) as server:
        with pytest.raises(TimedOut):
            await events_of(service(server), timeout=0.2)


async def test_a_refusal_whose_body_hangs_is_still_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_service, "ERROR_BODY_SECONDS", 0.1)

    async def script(connection: Any) -> None:
        await connection.send(head(503, {"Content-Length": "1000"}) + b"half")
        await connection.left()

    async with FaultServer(script) as server:
        with pytest.raises(ServerFailed, match="503"):
            await events_of(service(server))


async def test_a_huge_refusal_is_not_read_to_its_end() -> None:
    async def script(connection: Any) -> None:
        await connection.send(head(500, {"Content-Length": str(10**9)}))
        leaving = asyncio.ensure_future(connection.left())
        while not leaving.done():
            await connection.send(b"sorry " * 10_000)
            await asyncio.wait({leaving}, timeout=0)

    async with FaultServer(script) as server:
        with pytest.raises(ServerFailed, match="sorry"):
            await events_of(service(server))
        await within(2, server.client_left.wait())


async def test_what_is_left_is_read_so_that_the_connection_serves_again() -> None:
    async with FaultServer(stream(b"data: last\n\n", b": more\n\n")) as server:
        http = service(server)
        for _ in range(3):
            async with http.stream_events("/", {}) as events:
                await anext(events)
        assert (len(server.requests), server.connections) == (3, 1)


async def test_a_stream_that_never_ends_is_left_after_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_service, "DRAIN_SECONDS", 0.1)
    async with FaultServer(hanging(b"data: last\n\n")) as server:
        async with service(server).stream_events("/", {}) as events:
            await anext(events)
        await within(1, server.client_left.wait())


@pytest.mark.parametrize("key", ["sk-line\nbreak", "sk-é", "sk-\x00"])
async def test_a_key_that_cannot_be_sent_is_not_shown(key: str) -> None:
    async with FaultServer(whole(b"{}")) as server:
        with pytest.raises(ConfigError) as caught:
            await service(server, key).get_json("/x")
    assert key not in str(caught.value)


async def test_blanks_around_a_key_are_not_sent() -> None:
    async with FaultServer(whole(b"{}")) as server:
        await service(server, " sk-1\n").get_json("/x")
    assert server.requests[0].headers["authorization"] == "Bearer sk-1"


async def test_no_local_name_of_a_traceback_shows_the_key() -> None:
    key = "sk-very-secret"
    async with FaultServer(whole(b"{}", status=500)) as server:
        with pytest.raises(ServerFailed) as caught:
            await events_of(service(server, key))
    frame = caught.value.__traceback__
    seen: list[str] = []
    while frame is not None:
        if "providers" in frame.tb_frame.f_code.co_filename and "test_http" not in frame.tb_frame.f_code.co_filename:
            seen.extend(map(repr, frame.tb_frame.f_locals.values()))
        frame = frame.tb_next
    assert seen
    assert not [text for text in seen if key in text]


async def test_half_a_surrogate_pair_in_a_body_is_sent() -> None:
    async with FaultServer(whole(b"{}")) as server:
        await service(server).post_json("/x", {"text": "\ud83d", "large": 2**70})
    assert server.requests[0].body == b'{"text": "\\ud83d", "large": 1180591620717411303424}'


async def test_an_option_that_is_not_json_is_a_mistake_of_the_caller() -> None:
    async with FaultServer(whole(b"{}")) as server:
        with pytest.raises(ConfigError, match="JSON"):
            await service(server).post_json("/x", {"option": object()})


async def test_a_header_that_cannot_be_sent_is_a_mistake_of_the_settings() -> None:
    async with FaultServer(whole(b"{}")) as server:
        with pytest.raises(RequestRejected, match="could not be written") as caught:
            await service(server, headers={"X-Team": "a\nb-secret"}).get_json("/x")
    assert "b-secret" not in str(caught.value)


async def test_an_unknown_name_is_said() -> None:
    with pytest.raises(Unreachable, match=r"no address is known for nowhere\.invalid"):
        await HttpService("lab", "https://nowhere.invalid/v1").get_json("/models")


async def test_plain_http_at_an_https_address_is_said() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable, match="does not speak TLS"):
            await HttpService("lab", f"https://127.0.0.1:{port}/v1").get_json("/models")


async def test_something_else_than_http_is_said() -> None:
    async def script(connection: Any) -> None:
        await connection.send(b"220 mail.example ESMTP\r\n")
        connection.writer.close()

    async with FaultServer(script) as server:
        with pytest.raises(Unreachable, match="something else than HTTP"):
            await service(server).get_json("/x")


async def test_a_server_that_closes_without_a_word_is_said() -> None:
    async def script(connection: Any) -> None:
        connection.writer.close()

    async with FaultServer(script) as server:
        with pytest.raises(Unreachable, match="without an answer"):
            await service(server).get_json("/x")


async def test_a_proxy_is_never_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with FaultServer(whole(b"{}")) as server:
        assert await service(server).get_json("/x") == {}


async def test_rate_limits_are_kept_from_refusals_too() -> None:
    async with FaultServer(whole(b"{}", status=429, headers={"x-ratelimit-remaining-requests": "0"})) as server:
        http = service(server)
        with pytest.raises(ProviderError):
            await http.get_json("/x")
    assert http.rate_limits is not None
    assert http.rate_limits.requests_remaining == 0


async def test_warming_up_opens_the_connection_that_the_request_uses() -> None:
    async with FaultServer(whole(b"")) as server:
        http = service(server, "sk-1")
        await http.warm_up()
        assert server.connections == 1
        assert "authorization" not in server.requests[0].headers


async def test_warming_up_at_a_server_that_is_down_says_nothing() -> None:
    async with FaultServer(whole(b"")) as server:
        http = service(server)
    await http.warm_up()


def test_each_event_loop_has_connections_of_its_own() -> None:
    async def twice() -> int:
        async with FaultServer(whole(b"{}")) as server:
            await service(server).get_json("/x")
            await service(server).get_json("/x")
            await close_clients()
            return server.connections

    assert [asyncio.run(twice()), asyncio.run(twice())] == [1, 1]


async def test_connections_can_be_closed_and_opened_again() -> None:
    async with FaultServer(whole(b"{}")) as server:
        http = service(server)
        await http.get_json("/x")
        await close_clients()
        assert await http.get_json("/x") == {}
        assert server.connections == 2


def test_the_certificates_of_servers_are_verified() -> None:
    context = _tls.shared_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
