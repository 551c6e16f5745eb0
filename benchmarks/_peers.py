"""Everything that is compared, each asked the way its own documentation shows it.

A peer is entered once, as a program would set it up, and then asked again and again; it yields the
answer's text piece by piece as it hands it out. Each runs in a process of its own (`_worker.py`), so
none pays for what another imports.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

__all__ = ["HOME", "PEERS", "Asked", "Peer"]

T = TypeVar("T")

HOME = "VALECHAT_BENCH_HOME"
"""The variable that says under which folder ValeChat's ledger is made."""

MODEL = "replay"
KEY = "sk-benchmark"


async def _here(work: Coroutine[Any, Any, T]) -> T:
    return await work


@dataclass(frozen=True)
class Asked:
    """How to ask.

    `ask` takes a question, which tells the server what to replay; `run` says on which loop the answer is read.
    """

    ask: Callable[[str], AsyncIterator[str]]
    run: Callable[[Coroutine[Any, Any, Any]], Awaitable[Any]] = _here


@dataclass(frozen=True)
class Peer:
    """Something that is compared.

    Attributes:
        label: Its name in the tables.
        wire: `chat` or `anthropic`.
        packages: What it needs; versions are shown.
        enter: Takes the server's address, without `/v1`.
        group: The dependency group it is in, where that cannot live beside the others.
    """

    label: str
    wire: str
    packages: tuple[str, ...]
    enter: Callable[[str], AbstractAsyncContextManager[Asked]]
    group: str = ""


@asynccontextmanager
async def _httpx_chat(url: str) -> AsyncIterator[Asked]:
    """The floor: httpx, the smallest split that works here, orjson; no errors, no state, no timeout."""
    import httpx
    import orjson

    async with httpx.AsyncClient(timeout=None) as client:

        async def ask(question: str) -> AsyncIterator[str]:
            messages = [{"role": "user", "content": question}]
            body = {"model": MODEL, "messages": messages, "stream": True, "stream_options": {"include_usage": True}}
            async with client.stream("POST", f"{url}/v1/chat/completions", json=body) as response:
                rest = b""
                async for data in response.aiter_bytes():
                    *events, rest = (rest + data).split(b"\n\n")
                    for event in events:
                        if event == b"data: [DONE]":
                            return
                        for choice in orjson.loads(event[6:])["choices"]:
                            if content := choice["delta"].get("content"):
                                yield content

        yield Asked(ask)


@asynccontextmanager
async def _httpx_anthropic(url: str) -> AsyncIterator[Asked]:
    """As `_httpx_chat`."""
    import httpx
    import orjson

    async with httpx.AsyncClient(timeout=None) as client:

        async def ask(question: str) -> AsyncIterator[str]:
            messages = [{"role": "user", "content": question}]
            body = {"model": MODEL, "messages": messages, "stream": True, "max_tokens": 4096}
            async with client.stream("POST", f"{url}/v1/messages", json=body) as response:
                rest = b""
                async for data in response.aiter_bytes():
                    *events, rest = (rest + data).split(b"\n\n")
                    for event in events:
                        value = orjson.loads(event.partition(b"\ndata: ")[2])
                        if value["type"] == "content_block_delta":
                            yield value["delta"]["text"]

        yield Asked(ask)


@asynccontextmanager
async def _valechat(url: str, *, kind: str, inside: bool) -> AsyncIterator[Asked]:
    """A new conversation for each question; a price and a limit, so that all of the metering is done."""
    with TemporaryDirectory(dir=os.environ.get(HOME)) as home:
        os.environ["VALECHAT_HOME"] = home
        settings = f'[providers.bench]\nkind = "{kind}"\nbase_url = "{url}/v1"\n'
        settings += f'[prices."bench/{MODEL}"]\ninput = "0.25"\noutput = "2"\n[limits]\ndaily = "1000"\n'
        Path(home, "config.toml").write_text(settings, encoding="utf-8")

        import valechat
        from valechat.engine import engine

        async def ask(question: str) -> AsyncIterator[str]:
            async for event in valechat.Chat(f"bench/{MODEL}", max_tokens=1_000_000).stream(question):
                if event.kind == "text":
                    yield event.text

        try:
            yield Asked(ask, engine().wait) if inside else Asked(ask)
        finally:
            engine().close()


@asynccontextmanager
async def _openai(url: str) -> AsyncIterator[Asked]:
    import openai

    async with openai.AsyncOpenAI(api_key=KEY, base_url=f"{url}/v1") as client:

        async def ask(question: str) -> AsyncIterator[str]:
            stream = await client.chat.completions.create(
                model=MODEL,
                messages=[{"role": "user", "content": question}],
                stream=True,
                stream_options={"include_usage": True},
            )
            async for chunk in stream:
                for choice in chunk.choices:
                    if choice.delta.content:
                        yield choice.delta.content

        yield Asked(ask)


@asynccontextmanager
async def _anthropic(url: str) -> AsyncIterator[Asked]:
    import anthropic

    async with anthropic.AsyncAnthropic(api_key=KEY, base_url=url) as client:

        async def ask(question: str) -> AsyncIterator[str]:
            stream = await client.messages.create(
                model=MODEL, max_tokens=4096, messages=[{"role": "user", "content": question}], stream=True
            )
            async for event in stream:
                if event.type == "content_block_delta" and event.delta.type == "text_delta":
                    yield event.delta.text

        yield Asked(ask)


@asynccontextmanager
async def _anthropic_helper(url: str) -> AsyncIterator[Asked]:
    """The SDK's `messages.stream`, which keeps the message as it grows."""
    import anthropic

    async with anthropic.AsyncAnthropic(api_key=KEY, base_url=url) as client:

        async def ask(question: str) -> AsyncIterator[str]:
            async with client.messages.stream(
                model=MODEL, max_tokens=4096, messages=[{"role": "user", "content": question}]
            ) as stream:
                async for text in stream.text_stream:
                    yield text

        yield Asked(ask)


@asynccontextmanager
async def _chatlas_chat(url: str) -> AsyncIterator[Asked]:
    import chatlas

    async def ask(question: str) -> AsyncIterator[str]:
        chat = chatlas.ChatOpenAICompletions(base_url=f"{url}/v1", api_key=KEY, model=MODEL)
        async for text in await chat.stream_async(question):
            yield text

    yield Asked(ask)


@asynccontextmanager
async def _chatlas_anthropic(url: str) -> AsyncIterator[Asked]:
    import chatlas

    async def ask(question: str) -> AsyncIterator[str]:
        chat = chatlas.ChatAnthropic(api_key=KEY, model=MODEL, kwargs={"base_url": url})
        async for text in await chat.stream_async(question):
            yield text

    yield Asked(ask)


@asynccontextmanager
async def _litellm(url: str, *, prefix: str, base: str) -> AsyncIterator[Asked]:
    # Its documented switch: the price table of the package, not one from the network.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    litellm.suppress_debug_info = True

    async def ask(question: str) -> AsyncIterator[str]:
        stream = await litellm.acompletion(
            model=f"{prefix}/{MODEL}",
            messages=[{"role": "user", "content": question}],
            api_base=url + base,
            api_key=KEY,
            max_tokens=4096,
            stream=True,
        )
        async for chunk in stream:
            if content := chunk.choices[0].delta.content:
                yield content

    yield Asked(ask)


PEERS: Mapping[str, Peer] = {
    "httpx": Peer("raw httpx", "chat", ("httpx", "orjson"), _httpx_chat),
    "valechat": Peer(
        "ValeChat, from a notebook's loop",
        "chat",
        ("valechat", "httpx"),
        lambda url: _valechat(url, kind="openai-compatible", inside=False),
    ),
    "valechat-engine": Peer(
        "ValeChat, on its own loop",
        "chat",
        ("valechat", "httpx"),
        lambda url: _valechat(url, kind="openai-compatible", inside=True),
    ),
    "openai": Peer("openai SDK", "chat", ("openai", "httpx2"), _openai),
    "chatlas": Peer("chatlas", "chat", ("chatlas", "openai"), _chatlas_chat),
    "litellm": Peer(
        "litellm",
        "chat",
        ("litellm", "openai", "aiohttp"),
        lambda url: _litellm(url, prefix="openai", base="/v1"),
        "bench-litellm",
    ),
    "httpx-anthropic": Peer("raw httpx", "anthropic", ("httpx", "orjson"), _httpx_anthropic),
    "valechat-anthropic": Peer(
        "ValeChat, from a notebook's loop",
        "anthropic",
        ("valechat", "httpx"),
        lambda url: _valechat(url, kind="anthropic", inside=False),
    ),
    "valechat-anthropic-engine": Peer(
        "ValeChat, on its own loop",
        "anthropic",
        ("valechat", "httpx"),
        lambda url: _valechat(url, kind="anthropic", inside=True),
    ),
    "anthropic": Peer("anthropic SDK", "anthropic", ("anthropic", "httpx2"), _anthropic),
    "anthropic-helper": Peer(
        "anthropic SDK, `messages.stream`", "anthropic", ("anthropic", "httpx2"), _anthropic_helper
    ),
    "chatlas-anthropic": Peer("chatlas", "anthropic", ("chatlas", "anthropic"), _chatlas_anthropic),
    "litellm-anthropic": Peer(
        "litellm",
        "anthropic",
        ("litellm", "aiohttp"),
        lambda url: _litellm(url, prefix="anthropic", base=""),
        "bench-litellm",
    ),
}
