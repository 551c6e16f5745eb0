from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import Any

import pytest

from tests.patience import within
from tests.providers.contract import collect
from tests.providers.faults import FaultServer, Script, cut_stream, hanging, stream, whole
from valechat.errors import (
    AuthenticationFailed,
    CircuitOpen,
    ProviderError,
    RateLimited,
    ServerFailed,
    StreamBroken,
    TimedOut,
    Unreachable,
)
from valechat.messages import Message
from valechat.providers import resilience
from valechat.providers._setup import Setup
from valechat.providers.base import Chunk, NoteChunk, Request, TextChunk, UsageChunk
from valechat.providers.breaker import Breaker
from valechat.providers.openai_chat import create
from valechat.providers.resilience import Resilient, resilient, retry_wait

TEXT = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'
STOP = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":0,"total_tokens":5}}\n\n'
ERROR = b'data: {"error":{"message":"the server is overloaded","type":"server_error"}}\n\n'
DONE = b"data: [DONE]\n\n"
WHOLE = stream(TEXT, STOP, DONE)

QUESTION = Request("m", [Message.user("Hello")])


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resilience, "FIRST_WAIT", 0.001)


def lab(server: FaultServer, *, timeout: float = 5, **settings: Any) -> Resilient:
    return resilient(create(Setup("lab", server.url, timeout=timeout)), **settings)


def refusal(status: int, **headers: str) -> Script:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return whole(b'{"error":{"message":"not now"}}', status=status, headers=named)


def texts(chunks: list[Chunk]) -> list[str]:
    return [chunk.text for chunk in chunks if isinstance(chunk, TextChunk)]


def notes(chunks: list[Chunk]) -> list[str]:
    return [chunk.text for chunk in chunks if isinstance(chunk, NoteChunk)]


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
async def test_a_refusal_that_may_pass_is_tried_again_and_said(status: int) -> None:
    async with FaultServer(refusal(status), WHOLE) as server:
        chunks = await collect(lab(server), QUESTION)
    assert texts(chunks) == ["Hi"]
    assert len(server.requests) == 2
    (note,) = notes(chunks)
    assert note.startswith("Retrying in ")
    assert "not now" in note


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 307])
async def test_a_refusal_that_stays_is_not_tried_again(status: int) -> None:
    async with FaultServer(refusal(status), WHOLE) as server:
        with pytest.raises(ProviderError):
            await collect(lab(server), QUESTION)
        assert len(server.requests) == 1


async def test_the_server_may_ask_not_to_be_tried_again() -> None:
    async with FaultServer(refusal(503, x_should_retry="false"), WHOLE) as server:
        with pytest.raises(ServerFailed):
            await collect(lab(server), QUESTION)
        assert len(server.requests) == 1


async def test_the_server_may_ask_to_be_tried_again() -> None:
    async with FaultServer(refusal(400, x_should_retry="true"), WHOLE) as server:
        assert texts(await collect(lab(server), QUESTION)) == ["Hi"]


async def test_it_gives_up_after_its_attempts_with_the_last_error() -> None:
    async with FaultServer(refusal(500), refusal(502), refusal(503)) as server:
        with pytest.raises(ServerFailed) as caught:
            await collect(lab(server, attempts=3), QUESTION)
        assert caught.value.status == 503
        assert len(server.requests) == 3


async def test_an_error_inside_the_stream_before_any_text_is_tried_again() -> None:
    async with FaultServer(stream(ERROR), WHOLE) as server:
        assert texts(await collect(lab(server), QUESTION)) == ["Hi"]


async def test_after_the_first_text_nothing_is_tried_again() -> None:
    async with FaultServer(stream(TEXT, ERROR), WHOLE) as server:
        seen: list[Chunk] = []
        with pytest.raises(ServerFailed):
            await _into(seen, lab(server))
        assert texts(seen) == ["Hi"]
        assert len(server.requests) == 1


async def _into(seen: list[Chunk], provider: Resilient) -> None:
    async with aclosing(provider.stream(QUESTION)) as chunks:
        async for chunk in chunks:
            seen += [chunk]


async def test_a_request_that_timed_out_may_be_billed_and_is_not_sent_again() -> None:
    async with FaultServer(hanging(begun=False), WHOLE) as server:
        with pytest.raises(TimedOut):
            await collect(lab(server, timeout=0.6), QUESTION)
        assert len(server.requests) == 1


async def test_a_request_whose_usage_has_arrived_is_not_sent_again_and_the_usage_is_kept() -> None:
    async with FaultServer(cut_stream(USAGE), WHOLE) as server:
        seen: list[Chunk] = []
        with pytest.raises(StreamBroken):
            await _into(seen, lab(server))
        assert [type(chunk) for chunk in seen] == [UsageChunk]
        assert len(server.requests) == 1


async def test_a_server_that_comes_up_meanwhile_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resilience, "FIRST_WAIT", 0.2)
    async with FaultServer(WHOLE) as server:
        port = server.port
    async with aclosing(lab(server).stream(QUESTION)) as chunks:
        note = await anext(chunks)
        assert isinstance(note, NoteChunk)
        assert "nothing answers" in note.text
        async with FaultServer(WHOLE, port=port):
            assert texts([chunk async for chunk in chunks]) == ["Hi"]


async def test_a_server_that_stays_down_is_unreachable() -> None:
    async with FaultServer(WHOLE) as server:
        pass
    with pytest.raises(Unreachable):
        await collect(lab(server, attempts=2), QUESTION)


async def test_cancelling_while_it_connects_stops_it_at_once() -> None:
    async with FaultServer(hanging(begun=False), WHOLE) as server:
        asking = asyncio.ensure_future(collect(lab(server), QUESTION))
        await server.arrived.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await within(1, server.client_left.wait())
        assert len(server.requests) == 1


async def test_cancelling_while_it_waits_stops_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resilience, "FIRST_WAIT", 8)
    async with FaultServer(refusal(503), WHOLE) as server:
        seen: list[Chunk] = []
        asking = asyncio.ensure_future(_into(seen, lab(server)))
        while not seen:
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await within(1, asking)
        assert len(server.requests) == 1


async def test_closing_in_the_middle_closes_the_connection_at_once() -> None:
    async with FaultServer(hanging(TEXT)) as server:
        chunks = lab(server).stream(QUESTION)
        assert await anext(chunks) == TextChunk("Hi")
        await chunks.aclose()
        await within(1, server.client_left.wait())


async def test_retries_are_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    handlers = logging.getLogger().handlers[:]
    logging.getLogger().handlers.clear()
    try:
        async with FaultServer(refusal(503), WHOLE) as server:
            await collect(lab(server), QUESTION)
    finally:
        logging.getLogger().handlers[:] = handlers
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("failures", "longest"), [(1, 0.5), (2, 1.0), (3, 2.0), (5, 8.0), (9, 8.0)])
def test_waits_double_up_to_eight_seconds_less_a_quarter_by_chance(
    failures: int, longest: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resilience, "FIRST_WAIT", 0.5)
    waits = {retry_wait(ServerFailed("x", provider="lab", status=500), failures) or 0 for _ in range(200)}
    assert longest * 0.75 <= min(waits) < max(waits) <= longest


def test_the_wait_a_server_asks_for_is_kept() -> None:
    assert retry_wait(RateLimited("x", provider="lab", status=429, retry_after=12.5), 1) == 12.5


def test_a_wait_of_more_than_a_minute_is_the_users_to_decide() -> None:
    assert retry_wait(RateLimited("x", provider="lab", status=429, retry_after=3600), 1) is None


async def test_a_failing_server_is_left_alone_after_a_while() -> None:
    async with FaultServer(refusal(500)) as server:
        provider = lab(server, attempts=1, breaker=Breaker("lab", threshold=2))
        for _ in range(2):
            with pytest.raises(ServerFailed):
                await collect(provider, QUESTION)
        assert provider.breaker.state == "open"
        with pytest.raises(CircuitOpen, match="not now"):
            await collect(provider, QUESTION)
        assert len(server.requests) == 2


async def test_refusals_of_the_request_itself_do_not_open_the_breaker() -> None:
    async with FaultServer(refusal(401)) as server:
        provider = lab(server, breaker=Breaker("lab", threshold=1))
        with pytest.raises(AuthenticationFailed):
            await collect(provider, QUESTION)
    assert provider.breaker.state == "closed"


async def test_rate_limits_do_not_open_the_breaker() -> None:
    async with FaultServer(refusal(429)) as server:
        provider = lab(server, attempts=1, breaker=Breaker("lab", threshold=1))
        with pytest.raises(RateLimited):
            await collect(provider, QUESTION)
    assert provider.breaker.state == "closed"


async def test_a_server_that_works_again_closes_the_breaker() -> None:
    now = 0.0
    async with FaultServer(refusal(500), WHOLE) as server:
        provider = lab(server, attempts=1, breaker=Breaker("lab", threshold=1, cooldown=10, clock=lambda: now))
        with pytest.raises(ServerFailed):
            await collect(provider, QUESTION)
        now = 10.0
        assert texts(await collect(provider, QUESTION)) == ["Hi"]
    assert provider.breaker.state == "closed"


async def test_an_answer_the_user_stopped_counts_for_the_server() -> None:
    async with FaultServer(hanging(TEXT)) as server:
        provider = lab(server, breaker=Breaker("lab", threshold=2))
        provider.breaker.failed("once")
        chunks = provider.stream(QUESTION)
        await anext(chunks)
        await chunks.aclose()
    assert provider.breaker.failures == 0


async def test_it_is_the_provider_it_holds() -> None:
    async with FaultServer(whole(b'{"data":[{"id":"m"}]}')) as server:
        provider = lab(server)
        assert (provider.name, provider.wire, provider.local) == ("lab", "openai.chat", False)
        assert [model.name for model in await provider.models()] == ["m"]
        assert (await provider.check()).ok
        assert provider.capabilities("m").images is None
        assert provider.rate_limits() is None
        assert provider.config_schema()["type"] == "object"
