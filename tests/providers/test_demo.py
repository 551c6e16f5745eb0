from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.contract import collect
from valechat.accumulate import Answer
from valechat.errors import ModelNotFound
from valechat.messages import ImagePart, Message, ToolResultPart
from valechat.providers.base import Chunk, Options, Request, StopChunk, TextChunk, ThinkingChunk, ToolSpec
from valechat.providers.demo import Demo
from valechat.providers.demo_server import DemoServer
from valechat.providers.demo_text import count_tokens, tokens
from valechat.providers.demo_tools import example_of
from valechat.usage import Usage

ADD = ToolSpec(
    "add_numbers",
    "Add two integers and give their sum.",
    {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    },
)
WEATHER = ToolSpec(
    "forecast",
    "Weather forecast for a city on one of the next days.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


@pytest.fixture(autouse=True)
def at_full_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALECHAT_DEMO_SPEED", "0")


async def say(*messages: Message | str, **request: Any) -> Answer:
    asked = [Message.user(message) if isinstance(message, str) else message for message in messages]
    answer = Answer()
    for chunk in await collect(Demo(), Request("echo", asked, **request)):
        answer.add(chunk)
    return answer


async def test_it_says_what_it_is_and_what_was_said() -> None:
    text = (await say("Is this **real**?")).message.text
    assert "demonstration" in text
    assert "no AI" in text
    assert "You said:\n\n> Is this **real**?" in text


async def test_its_answer_has_a_table_and_a_code_block() -> None:
    text = (await say("Hello")).message.text
    assert "|---|" in text
    assert "```python\n" in text


async def test_the_same_question_has_the_same_answer() -> None:
    first, second = await say("Hello", tools=[ADD]), await say("Hello", tools=[ADD])
    assert first.message == second.message
    assert Usage.from_wire("openai.chat", first.usage_raw) == Usage.from_wire("openai.chat", second.usage_raw)


async def test_a_question_for_a_tool_calls_it_with_what_the_question_has() -> None:
    answer = await say("Please add 2 and 40", tools=[WEATHER, ADD])
    (call,) = answer.message.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("add_numbers", {"a": 2, "b": 40})
    assert answer.stop == StopChunk("tool_calls", "tool_calls")


async def test_a_tool_is_called_by_name_with_the_arguments_given() -> None:
    (call,) = (await say('use the tool forecast with {"city": "Oslo"} please', tools=[ADD, WEATHER])).message.tool_calls
    assert (call.name, call.arguments) == ("forecast", '{"city": "Oslo"}')


async def test_several_tools_are_called_in_parallel() -> None:
    question = 'use the tool forecast with {"city": "Oslo"} and use the tool add_numbers with {"a": 1, "b": 2}'
    calls = (await say(question, tools=[ADD, WEATHER])).message.tool_calls
    assert [call.name for call in calls] == ["forecast", "add_numbers"]
    assert len({call.id for call in calls}) == 2


async def test_a_quote_becomes_a_tools_text() -> None:
    (call,) = (await say('forecast for "Rome"', tools=[WEATHER])).message.tool_calls
    assert json.loads(call.arguments) == {"city": "Rome"}


async def test_a_question_for_no_tool_calls_none() -> None:
    assert not (await say("Hello there, how are you?", tools=[ADD, WEATHER])).message.tool_calls


async def test_a_tool_that_is_not_offered_is_not_called() -> None:
    answer = await say("use the tool rm with {}", tools=[ADD])
    assert not answer.message.tool_calls
    assert "You said" in answer.message.text


async def test_a_tools_result_is_commented_on() -> None:
    asked = await say('use the tool forecast with {"city": "Oslo"}', tools=[WEATHER])
    (call,) = asked.message.tool_calls
    result = Message("tool", (ToolResultPart(call.id, call.name, "Rain ```soon```"),))
    question = Message.user('use the tool forecast with {"city": "Oslo"}')
    answer = await say(question, asked.message, result, tools=[WEATHER])
    assert "The tool `forecast` answered:\n\n````\nRain ```soon```\n````" in answer.message.text
    assert not answer.message.tool_calls


async def test_calls_of_later_turns_have_ids_of_their_own() -> None:
    question = Message.user('use the tool forecast with {"city": "Oslo"}')
    first = await say(question, tools=[WEATHER])
    second = await say(question, first.message, question, tools=[WEATHER])
    assert first.message.tool_calls[0].id != second.message.tool_calls[0].id


async def test_it_thinks_when_asked_to() -> None:
    assert (await say("think about it")).message.thinking
    assert (await say("Hello", options=Options(reasoning_effort="low"))).message.thinking
    assert not (await say("Hello")).message.thinking


async def test_it_counts_as_far_as_it_is_told() -> None:
    assert (await say("count to 300")).message.text == " ".join(map(str, range(1, 301)))


async def test_it_follows_a_schema() -> None:
    schema = {
        "type": "object",
        "properties": {
            "n": {"type": "integer", "minimum": 3},
            "tags": {"type": "array", "items": {"enum": ["x", "y"]}},
        },
        "required": ["n", "tags"],
    }
    answer = await say("Hello", options=Options(schema=schema))
    assert json.loads(answer.message.text) == {"n": 3, "tags": ["x"]}


def test_an_example_of_an_endless_schema_ends() -> None:
    schema: dict[str, Any] = {"type": "array"}
    schema["items"] = schema
    assert example_of(schema)


async def test_usage_counts_what_was_said() -> None:
    answer = await say("think: one two three")
    usage = Usage.from_wire("openai.chat", answer.usage_raw)
    assert usage.input_tokens == count_tokens("think: one two three")
    spoken = count_tokens(answer.message.thinking) + count_tokens(answer.message.text)
    assert usage.output_tokens == spoken
    assert usage.reasoning_tokens == count_tokens(answer.message.thinking)


async def test_images_are_counted() -> None:
    image = ImagePart(b"\x89PNG", "image/png")
    answer = await say(Message.user("Look", image))
    assert "| images and files | 1 |" in answer.message.text
    assert Usage.from_wire("openai.chat", answer.usage_raw).input_tokens == count_tokens("Look") + 85


async def test_the_output_ends_at_its_limit() -> None:
    answer = await say("Hello", options=Options(max_tokens=10))
    assert answer.stop == StopChunk("max_tokens", "length")
    assert Usage.from_wire("openai.chat", answer.usage_raw).output_tokens == 10


@given(st.text())
def test_tokens_lose_nothing_and_are_never_more_than_bytes(text: str) -> None:
    assert "".join(tokens(text)) == text
    assert count_tokens(text) <= len(text.encode("utf-8", "surrogatepass"))


async def test_another_model_is_not_found() -> None:
    with pytest.raises(ModelNotFound, match="echo"):
        await collect(Demo(), Request("gpt-9", [Message.user("Hello")]))


async def test_its_model_is_listed_and_it_is_healthy() -> None:
    assert [model.name for model in await Demo().models()] == ["echo"]
    assert (await Demo().check()).ok


async def test_it_speaks_at_the_speed_asked_for() -> None:
    options = Options(extra={"demo_tokens_per_second": 100})
    begun = time.monotonic()
    chunks = await collect(Demo(), Request("echo", [Message.user("count to 10")], options=options))
    spoken = sum(isinstance(chunk, TextChunk) for chunk in chunks)
    assert time.monotonic() - begun >= spoken / 100


async def test_it_stops_in_the_middle_when_left() -> None:
    options = Options(extra={"demo_tokens_per_second": 50})
    seen: list[Chunk] = []
    async with aclosing(Demo().stream(Request("echo", [Message.user("count to 99999")], options=options))) as chunks:
        async for chunk in chunks:
            seen.append(chunk)
            if len(seen) == 3:
                break
    assert all(isinstance(chunk, TextChunk | ThinkingChunk) for chunk in seen)


async def test_first_uses_at_once_share_one_server() -> None:
    answers = await asyncio.gather(*(say("Hello") for _ in range(10)))
    assert len({answer.message.text for answer in answers}) == 1


GET_MODELS = b"GET /v1/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


async def request(server: DemoServer, data: bytes) -> bytes:
    parts = urlsplit(server.base_url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(data)
    await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_who_does_not_know_the_token_is_refused() -> None:
    server = DemoServer()
    await server.start()
    for header in (b"", b"Authorization: Bearer wrong\r\n", b"Authorization: \r\n"):
        answer = await request(
            server, b"GET /v1/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + header + b"\r\n"
        )
        assert answer.startswith(b"HTTP/1.1 401 ")
        assert b"echo" not in answer
    await server.close()


@pytest.mark.parametrize("data", [b"", b"nonsense\r\n\r\n", b"\x16\x03\x01\x00\xff" * 20, b"GET / HTTP/1.1\r\n"])
async def test_what_is_no_request_does_no_harm(data: bytes) -> None:
    server = DemoServer()
    await server.start()
    await request(server, data)
    assert (await request(server, b"GET /v1/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).startswith(
        b"HTTP/1.1 401 "
    )
    await server.close()


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"messages": 1}', b'{"messages": [1]}', b"\xff"])
async def test_what_is_no_completion_is_refused(body: bytes) -> None:
    server = DemoServer()
    await server.start()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n"
    answer = await request(server, f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    assert answer.startswith(b"HTTP/1.1 400 ")
    await server.close()


async def test_the_official_client_understands_it() -> None:
    server = DemoServer()
    await server.start()
    client = openai.AsyncOpenAI(base_url=server.base_url, api_key=server.token, max_retries=0)
    whole = await client.chat.completions.create(model="echo", messages=[{"role": "user", "content": "Hello"}])
    streamed = await client.chat.completions.create(
        model="echo",
        messages=[{"role": "user", "content": "Hello"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in streamed]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage
    assert [model.id async for model in client.models.list()] == ["echo"]
    await client.close()
    await server.close()
