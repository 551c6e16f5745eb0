"""A provider that says what a test tells it to; for tests of what stands above providers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from valechat.providers.base import (
    Capabilities,
    Chunk,
    Health,
    ModelInfo,
    RateLimits,
    Request,
    StopChunk,
    TextChunk,
    UsageChunk,
)

__all__ = ["ScriptedProvider", "answer"]

Script = Sequence[Chunk | BaseException | float] | Callable[[Request], Sequence[Chunk | BaseException | float]]


def answer(text: str, *, input_tokens: int = 100, output_tokens: int = 10) -> list[Chunk]:
    """A plain answer with its usage, as a Chat Completions server gives it."""
    usage = {"prompt_tokens": input_tokens, "completion_tokens": output_tokens}
    return [TextChunk(text), StopChunk("end", "stop"), UsageChunk({"usage": usage})]


class ScriptedProvider:
    """Plays one script a request: chunks are yielded, errors raised, numbers waited for in seconds.

    `requests` are those that came; `closed` counts the streams that were closed before their end.
    """

    wire = "openai.chat"
    local = False

    def __init__(self, *scripts: Script, name: str = "demo") -> None:
        self.name = name
        self.requests: list[Request] = []
        self.closed = 0
        self.waiting = asyncio.Event()
        self._scripts = list(scripts)

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        self.requests.append(request)
        script = self._scripts.pop(0)
        try:
            for step in script(request) if callable(script) else script:
                if isinstance(step, BaseException):
                    raise step
                if isinstance(step, float):
                    self.waiting.set()
                    await asyncio.sleep(step)
                else:
                    yield step
        except (asyncio.CancelledError, GeneratorExit):
            self.closed += 1
            raise

    async def models(self) -> list[ModelInfo]:
        return [ModelInfo("echo")]

    async def check(self) -> Health:
        return Health(ok=True, message="Scripted.")

    def capabilities(self, model: str) -> Capabilities:
        return Capabilities(tools=True)

    def rate_limits(self) -> RateLimits | None:
        return None

    @classmethod
    def config_schema(cls) -> dict[str, object]:
        return {}
