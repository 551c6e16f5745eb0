"""`demo/echo`: a model for the first minute, before there is a key.

It is reached as a paid model is, by HTTP through the same adapter; only its server is ours. One runs
for each event loop, from its first use until `close_demo`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any
from weakref import WeakKeyDictionary

from valechat.providers._chat_request import WIRE, Dialect
from valechat.providers._service import HttpService
from valechat.providers.base import Capabilities, Chunk, Health, ModelInfo, RateLimits, Request
from valechat.providers.demo_answer import MODEL
from valechat.providers.demo_server import DemoServer
from valechat.providers.openai_chat import OpenAIChat

__all__ = ["Demo", "close_demo"]


class Demo:
    """The built-in demonstration provider."""

    name = "demo"
    wire = WIRE
    local = False
    """Priced in demonstration money, so that costs and limits can be tried."""

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Send a request and yield what arrives; see `Provider.stream`."""
        async with aclosing((await _adapter()).stream(request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def models(self) -> list[ModelInfo]:
        """Its one model, `echo`."""
        return await (await _adapter()).models()

    async def check(self) -> Health:
        """Whether the demonstration's server can be started."""
        return await (await _adapter()).check()

    def capabilities(self, model: str) -> Capabilities:
        """Its model takes all and can do all, in its way."""
        able = True if model == MODEL["id"] else None
        return Capabilities(tools=able, images=able, files=able, reasoning=able, schema=able)

    def rate_limits(self) -> RateLimits | None:
        """It has none."""
        return None

    def config_schema(self) -> Mapping[str, Any]:
        """It has no settings."""
        return {"type": "object", "properties": {}, "additionalProperties": False}


_running: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[DemoServer]] = WeakKeyDictionary()
_lock = threading.Lock()


async def _adapter() -> OpenAIChat:
    """The adapter to the running loop's server, which is started if need be."""
    loop = asyncio.get_running_loop()
    with _lock:
        starting = _running.get(loop)
        if starting is None or (starting.done() and (starting.cancelled() or starting.exception() is not None)):
            starting = _running[loop] = loop.create_task(_start())
    server = await asyncio.shield(starting)

    async def token() -> str:
        return server.token

    http = HttpService(Demo.name, server.base_url, key=token, key_needed=True)
    return OpenAIChat(http, dialect=Dialect(files=True))


async def _start() -> DemoServer:
    server = DemoServer()
    await server.start()
    return server


async def close_demo() -> None:
    """Close the running loop's server, if there is one. Call before the loop is closed."""
    with _lock:
        starting = _running.pop(asyncio.get_running_loop(), None)
    if starting is not None:
        await (await starting).close()
