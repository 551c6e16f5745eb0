"""What every adapter must do, whatever its wire.

A wire brings a `WireSamples` and subclasses `ProviderContract`:

    class TestOpenAIChat(ProviderContract):
        samples = SAMPLES

        def adapter(self, base_url, key=..., **settings): ...
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from tests.patience import within
from tests.providers.faults import (
    FaultServer,
    cut_stream,
    dripping,
    hanging,
    old_stream,
    stream,
    whole,
    zipped,
)
from valechat.accumulate import Answer
from valechat.errors import (
    AuthenticationFailed,
    MissingKey,
    ModelNotFound,
    ProviderError,
    RateLimited,
    RequestRejected,
    ServerFailed,
    StreamBroken,
    TimedOut,
    Unreachable,
)
from valechat.messages import Message
from valechat.providers.base import Chunk, Options, Provider, Request, StopChunk, TextChunk
from valechat.usage import Usage

KEY = "sk-test-0123456789abcdef"


@dataclass(frozen=True)
class WireSamples:
    """One wire, as bytes.

    Attributes:
        events: A whole answer, an event each, framed as the wire frames them.
        needed: How many of the events make the answer whole; later ones may be missing.
        text: The text the answer has.
        calls: The tool calls it has: name and arguments.
        usage: What `Usage.from_wire` reads from it: input and output tokens.
        error_event: An error inside the stream that says `the server is overloaded`.
        unknown_event: One that this version knows nothing of.
        comment: A line that keeps a connection alive and says nothing; empty where the wire has none.
        models: The body of the model list, with at least the model `model`.
        model: A model's name.
        error_body: A refusal's body that says `because we say so`.
    """

    events: Sequence[bytes]
    needed: int
    text: str
    calls: Sequence[tuple[str, str]]
    usage: tuple[int, int]
    error_event: bytes
    unknown_event: bytes
    models: bytes
    model: str
    error_body: bytes
    comment: bytes = b""


async def ask(provider: Provider, model: str, *, timeout: float | None = None, into: Answer | None = None) -> Answer:
    """One answer; what arrives is in `into` also when it breaks off."""
    answer = into or Answer()
    request = Request(model, [Message.user("Hello")], options=Options(timeout=timeout))
    async with aclosing(provider.stream(request)) as chunks:
        async for chunk in chunks:
            answer.add(chunk)
    return answer


async def collect(provider: Provider, request: Request) -> list[Chunk]:
    async with aclosing(provider.stream(request)) as chunks:
        return [chunk async for chunk in chunks]


class ProviderContract:
    """Subclasses give `samples` and `adapter`."""

    samples: WireSamples

    def adapter(self, base_url: str, *, key: str | None = KEY, timeout: float = 5.0) -> Provider:
        """An adapter to that server, which needs a key."""
        raise NotImplementedError

    def complete(self, answer: Answer, wire: str) -> None:
        """Everything the sample says is in the answer."""
        assert answer.message.text == self.samples.text
        assert [(call.name, call.arguments) for call in answer.message.tool_calls] == list(self.samples.calls)
        assert all(call.id for call in answer.message.tool_calls)
        assert answer.stop is not None
        usage = Usage.from_wire(wire, answer.usage_raw)
        assert (usage.input_tokens, usage.output_tokens) == self.samples.usage

    async def answered(self, *pieces: bytes) -> None:
        async with FaultServer(stream(*pieces)) as server:
            provider = self.adapter(server.url)
            self.complete(await ask(provider, self.samples.model), provider.wire)

    async def refused(self, status: int, headers: dict[str, str] | None = None) -> ProviderError:
        script = whole(self.samples.error_body, status=status, headers=headers)
        async with FaultServer(script) as server:
            with pytest.raises(ProviderError) as caught:
                await ask(self.adapter(server.url), self.samples.model)
        return caught.value

    async def test_an_answer_arrives_whole_with_its_stop_and_usage(self) -> None:
        await self.answered(*self.samples.events)

    async def test_an_answer_in_one_segment_arrives_whole(self) -> None:
        await self.answered(b"".join(self.samples.events))

    async def test_an_answer_split_after_every_byte_arrives_whole(self) -> None:
        await self.answered(*(bytes([byte]) for event in self.samples.events for byte in event))

    async def test_an_answer_with_crlf_arrives_whole(self) -> None:
        await self.answered(*(event.replace(b"\n", b"\r\n") for event in self.samples.events))

    async def test_an_event_it_does_not_know_is_passed_over(self) -> None:
        for place in range(len(self.samples.events)):
            events = list(self.samples.events)
            events.insert(place, self.samples.unknown_event)
            await self.answered(*events)

    async def test_comment_lines_are_passed_over(self) -> None:
        await self.answered(*(self.samples.comment + event for event in self.samples.events))

    async def test_a_compressed_answer_arrives_whole(self) -> None:
        async with FaultServer(zipped(*self.samples.events)) as server:
            provider = self.adapter(server.url)
            self.complete(await ask(provider, self.samples.model), provider.wire)

    async def test_an_answer_over_http_1_0_arrives_whole(self) -> None:
        async with FaultServer(old_stream(*self.samples.events)) as server:
            provider = self.adapter(server.url)
            self.complete(await ask(provider, self.samples.model), provider.wire)

    async def test_text_arrives_before_the_answer_is_complete(self) -> None:
        async with FaultServer(hanging(*self.samples.events[: self.samples.needed - 1])) as server:
            provider = self.adapter(server.url)
            request = Request(self.samples.model, [Message.user("Hello")])
            async with aclosing(provider.stream(request)) as chunks:
                async for chunk in chunks:
                    if isinstance(chunk, TextChunk) and chunk.text:
                        break
                else:
                    pytest.fail("no text arrived")

    @pytest.mark.parametrize("reset", [False, True])
    async def test_an_answer_cut_at_any_event_is_never_taken_for_a_whole_one(self, reset: bool) -> None:
        for kept in range(self.samples.needed):
            async with FaultServer(cut_stream(*self.samples.events[:kept], reset=reset)) as server:
                with pytest.raises((StreamBroken, Unreachable)):
                    await ask(self.adapter(server.url), self.samples.model)

    async def test_what_came_before_the_cut_is_kept(self) -> None:
        async with FaultServer(cut_stream(*self.samples.events[: self.samples.needed - 1])) as server:
            provider = self.adapter(server.url)
            answer = Answer()
            with pytest.raises(StreamBroken):
                await ask(provider, self.samples.model, into=answer)
        assert answer.message.text == self.samples.text
        assert answer.stop is None

    async def test_an_answer_that_ends_early_but_cleanly_is_broken(self) -> None:
        for kept in range(self.samples.needed):
            async with FaultServer(stream(*self.samples.events[:kept])) as server:
                with pytest.raises(StreamBroken):
                    await ask(self.adapter(server.url), self.samples.model)

    async def test_half_a_line_at_the_end_is_said_to_be_cut(self) -> None:
        first, second = self.samples.events[:2]
        async with FaultServer(old_stream(first, second[: len(second) // 2])) as server:
            with pytest.raises(StreamBroken, match="middle of a line"):
                await ask(self.adapter(server.url), self.samples.model)

    async def test_what_may_be_missing_at_the_end_may_be_missing(self) -> None:
        async with FaultServer(stream(*self.samples.events[: self.samples.needed])) as server:
            answer = await ask(self.adapter(server.url), self.samples.model)
        assert answer.message.text == self.samples.text
        assert answer.stop is not None

    async def test_exactly_one_stop_comes_after_all_content(self) -> None:
        async with FaultServer(stream(*self.samples.events)) as server:
            chunks = await collect(self.adapter(server.url), Request(self.samples.model, [Message.user("Hello")]))
        stops = [i for i, chunk in enumerate(chunks) if isinstance(chunk, StopChunk)]
        assert len(stops) == 1
        assert not any(isinstance(chunk, TextChunk) for chunk in chunks[stops[0] :])

    async def test_an_error_inside_the_stream_is_raised_with_its_words(self) -> None:
        first = self.samples.events[0]
        async with FaultServer(stream(first, self.samples.error_event)) as server:
            with pytest.raises(ServerFailed, match="the server is overloaded"):
                await ask(self.adapter(server.url), self.samples.model)

    async def test_an_error_as_the_body_of_a_200_is_raised(self) -> None:
        async with FaultServer(whole(self.samples.error_body)) as server:
            with pytest.raises(ProviderError, match="because we say so"):
                await ask(self.adapter(server.url), self.samples.model)

    async def test_a_web_page_in_place_of_an_answer_is_raised(self) -> None:
        page = b"<!DOCTYPE html><html><head><title>Please log in</title></head></html>"
        async with FaultServer(whole(page, content_type="text/html")) as server:
            with pytest.raises(StreamBroken, match="Please log in"):
                await ask(self.adapter(server.url), self.samples.model)

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, RequestRejected),
            (401, AuthenticationFailed),
            (403, AuthenticationFailed),
            (404, ModelNotFound),
            (413, RequestRejected),
            (422, RequestRejected),
            (429, RateLimited),
            (500, ServerFailed),
            (503, ServerFailed),
            (529, ServerFailed),
        ],
    )
    async def test_a_refusal_is_raised_by_its_kind_with_what_the_server_said(
        self, status: int, kind: type[ProviderError]
    ) -> None:
        error = await self.refused(status)
        assert type(error) is kind
        assert error.status == status
        assert "because we say so" in error.message

    async def test_the_wait_a_server_asks_for_is_kept(self) -> None:
        error = await self.refused(429, {"Retry-After": "7", "x-should-retry": "true"})
        assert (error.retry_after, error.should_retry) == (7.0, True)

    async def test_a_redirect_is_not_followed(self) -> None:
        async with FaultServer(stream(b"")) as other:
            moved = whole(status=307, headers={"Location": f"{other.url}/elsewhere"})
            async with FaultServer(moved) as server:
                with pytest.raises(RequestRejected, match="redirect"):
                    await ask(self.adapter(server.url), self.samples.model)
            # By its path: another program may look at a port that it had before.
            assert [request.target for request in other.requests if "elsewhere" in request.target] == []

    async def test_a_server_that_is_down_is_unreachable(self) -> None:
        async with FaultServer(stream(b"")) as server:
            url = server.url
        with pytest.raises(Unreachable) as caught:
            await ask(self.adapter(url), self.samples.model)
        assert caught.value.fix

    async def test_a_server_that_hangs_before_its_answer_ends_at_the_timeout(self) -> None:
        async with FaultServer(hanging(begun=False)) as server:
            with pytest.raises(TimedOut):
                await within(3, ask(self.adapter(server.url, timeout=0.2), self.samples.model))

    async def test_a_server_that_hangs_in_its_answer_ends_at_the_timeout(self) -> None:
        async with FaultServer(hanging(self.samples.events[0])) as server:
            with pytest.raises(TimedOut):
                await within(3, ask(self.adapter(server.url, timeout=0.2), self.samples.model))

    async def test_a_server_that_sends_a_byte_now_and_then_ends_at_the_timeout(self) -> None:
        async with FaultServer(dripping(b" ", every=0.05)) as server:
            with pytest.raises(TimedOut):
                await within(3, ask(self.adapter(server.url, timeout=0.3), self.samples.model))

    async def test_the_requests_own_timeout_wins(self) -> None:
        async with FaultServer(hanging(self.samples.events[0])) as server:
            with pytest.raises(TimedOut, match=r"0\.2 s"):
                await within(3, ask(self.adapter(server.url, timeout=60), self.samples.model, timeout=0.2))

    async def test_closing_the_stream_closes_the_connection_at_once(self) -> None:
        async with FaultServer(hanging(*self.samples.events[: self.samples.needed - 1])) as server:
            chunks = self.adapter(server.url).stream(Request(self.samples.model, [Message.user("Hello")]))
            await anext(chunks)
            await chunks.aclose()
            await within(1, server.client_left.wait())

    async def test_cancelling_the_task_closes_the_connection_at_once(self) -> None:
        async with FaultServer(hanging(begun=False)) as server:
            asking = asyncio.ensure_future(ask(self.adapter(server.url), self.samples.model))
            await server.arrived.wait()
            asking.cancel()
            await within(1, server.client_left.wait())
            with pytest.raises(asyncio.CancelledError):
                await asking

    async def test_the_connection_of_a_whole_answer_is_used_again(self) -> None:
        async with FaultServer(stream(*self.samples.events)) as server:
            provider = self.adapter(server.url)
            for _ in range(3):
                await ask(provider, self.samples.model)
            assert len(server.requests) == 3
            assert server.connections == 1

    async def test_the_key_travels_in_a_header_only(self) -> None:
        async with FaultServer(stream(*self.samples.events)) as server:
            await ask(self.adapter(server.url), self.samples.model)
        (request,) = server.requests
        assert any(KEY in value for value in request.headers.values())
        assert KEY not in request.target
        assert KEY.encode() not in request.body

    async def test_a_key_that_the_server_repeats_is_in_no_message(self) -> None:
        body = self.samples.error_body.replace(b"we say so", KEY.encode())
        async with FaultServer(whole(body, status=401)) as server:
            with pytest.raises(AuthenticationFailed) as caught:
                await ask(self.adapter(server.url), self.samples.model)
        assert KEY not in str(caught.value)
        assert KEY not in repr(caught.value)

    async def test_without_a_key_nothing_is_sent(self) -> None:
        async with FaultServer(stream(*self.samples.events)) as server:
            provider = self.adapter(server.url, key=None)
            with pytest.raises(MissingKey):
                await ask(provider, self.samples.model)
            assert server.connections == 0

    async def test_models_are_listed(self) -> None:
        async with FaultServer(whole(self.samples.models)) as server:
            models = await self.adapter(server.url).models()
        assert self.samples.model in [model.name for model in models]

    async def test_a_server_that_answers_is_healthy(self) -> None:
        async with FaultServer(whole(self.samples.models)) as server:
            assert (await self.adapter(server.url).check()).ok

    async def test_a_failing_server_is_unhealthy_and_says_why(self) -> None:
        async with FaultServer(whole(self.samples.error_body, status=401)) as server:
            health = await self.adapter(server.url).check()
        assert not health.ok
        assert "because we say so" in health.message
        assert health.fix

    async def test_without_a_key_it_is_unhealthy_and_says_what_to_do(self) -> None:
        async with FaultServer(whole(self.samples.models)) as server:
            health = await self.adapter(server.url, key=None).check()
        assert not health.ok
        assert health.fix

    async def test_many_streams_run_at_once_and_stay_apart(self) -> None:
        async with FaultServer(stream(*self.samples.events)) as server:
            provider = self.adapter(server.url)
            for answer in await asyncio.gather(*(ask(provider, self.samples.model) for _ in range(20))):
                self.complete(answer, provider.wire)

    def test_its_settings_have_a_schema(self) -> None:
        assert self.adapter("http://127.0.0.1:1").config_schema()["type"] == "object"
