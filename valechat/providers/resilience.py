"""A provider that tries again, and leaves a failing server alone.

Tries again only while nothing visible has arrived, so no text is ever shown twice, and only after
refusals that cost nothing: no connection, 408, 409, 429 and 5xx, an error inside the stream before its
first token, or what `x-should-retry` says. A request that timed out, or whose usage has arrived, may be
on the bill and is not sent again.
"""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any

import stamina

from valechat.errors import (
    AuthenticationFailed,
    ModelNotFound,
    ProviderError,
    RateLimited,
    RequestRejected,
    ServerFailed,
    StreamBroken,
    TimedOut,
    Unreachable,
)
from valechat.providers.base import (
    Capabilities,
    Chunk,
    Health,
    ModelInfo,
    NoteChunk,
    Provider,
    RateLimits,
    Request,
    UsageChunk,
)
from valechat.providers.breaker import Breaker

__all__ = ["Resilient", "resilient", "retry_wait"]

FIRST_WAIT = 0.5
LONGEST_WAIT = 8.0
JITTER = 0.25
LONGEST_RETRY_AFTER = 60.0
"""Seconds. When a server asks for a longer pause than this, the user hears of the refusal at once."""

# stamina reports each retry to the log as well; without a handler Python would print it into the notebook.
logging.getLogger("stamina").addHandler(logging.NullHandler())


def resilient(provider: Provider, *, attempts: int = 4, breaker: Breaker | None = None) -> Resilient:
    """The provider, trying up to `attempts` times, behind its circuit breaker."""
    return Resilient(provider, attempts=attempts, breaker=breaker or Breaker(provider.name))


def retry_wait(error: ProviderError, failures: int) -> float | None:
    """Seconds to wait after that many failures before trying again, None to give up.

    0.5 s, doubled each time up to 8 s, less up to a quarter by chance; or what the server asks for.
    """
    refused = isinstance(error, Unreachable | ServerFailed | RateLimited | StreamBroken)
    if error.status is not None:
        refused = error.status in (408, 409, 429) or error.status >= 500
    if not (refused if error.should_retry is None else error.should_retry):
        return None
    if error.retry_after is not None:
        return error.retry_after if error.retry_after <= LONGEST_RETRY_AFTER else None
    # The chance spreads the load of many clients; nothing secret hangs on it.
    return float(min(LONGEST_WAIT, FIRST_WAIT * 2 ** (failures - 1)) * (1 - JITTER * random.random()))  # noqa: S311


class Resilient:
    """A provider around another; see the module. `breaker` shows its state."""

    def __init__(self, provider: Provider, *, attempts: int, breaker: Breaker) -> None:
        self.breaker = breaker
        self._provider = provider
        self._attempts = attempts

    @property
    def name(self) -> str:
        """The inner provider's name."""
        return self._provider.name

    @property
    def wire(self) -> str:
        """The inner provider's wire."""
        return self._provider.wire

    @property
    def local(self) -> bool:
        """Whether the inner provider's models are free."""
        return self._provider.local

    @property
    def inner(self) -> Provider:
        """The provider itself, for callers with a plan of their own for failures."""
        return self._provider

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """As the inner provider's, after as many tries as it takes; a `NoteChunk` announces each pause.

        Raises:
            CircuitOpen: The provider failed too often just now.
        """
        self.breaker.enter()
        judge: Callable[[], None] = self.breaker.left
        try:
            async with aclosing(self._tries(request)) as chunks:
                async for chunk in chunks:
                    if not isinstance(chunk, NoteChunk):
                        judge = self.breaker.succeeded
                    yield chunk
            judge = self.breaker.succeeded
        except (AuthenticationFailed, ModelNotFound, RequestRejected):
            judge = self.breaker.succeeded
            raise
        except (Unreachable, ServerFailed, StreamBroken, TimedOut) as error:
            judge = partial(self.breaker.failed, error.message)
            raise
        finally:
            judge()

    async def _tries(self, request: Request) -> AsyncGenerator[Chunk, None]:
        plan = _Plan(self._attempts)
        async for attempt in stamina.retry_context(on=plan, attempts=self._attempts, timeout=None):
            async with aclosing(self._provider.stream(request)) as chunks:
                trial = _Trial(chunks)
                # What is raised in here, a cancellation too, stamina raises again in its next step.
                with attempt:
                    await trial.begin()
                if trial.begun:
                    for chunk in trial.arrived:
                        yield chunk
                    async for chunk in chunks:
                        yield chunk
                    return
            if trial.error is not None:
                wait = plan.decide(trial.error, attempt.num, billed=trial.billed)
                if wait is None:
                    for chunk in trial.arrived:
                        yield chunk
                else:
                    yield NoteChunk(f"Retrying in {wait:.1f} s: {trial.error.message}")

    async def models(self) -> list[ModelInfo]:
        """The inner provider's models."""
        return await self._provider.models()

    async def check(self) -> Health:
        """The inner provider's health, asked for even while the breaker is open."""
        return await self._provider.check()

    def capabilities(self, model: str) -> Capabilities:
        """What the inner provider knows of a model."""
        return self._provider.capabilities(model)

    def rate_limits(self) -> RateLimits | None:
        """The inner provider's rate limits."""
        return self._provider.rate_limits()

    def config_schema(self) -> Mapping[str, Any]:
        """The inner provider's settings."""
        return self._provider.config_schema()


class _Plan:
    """Whether and when to try again: decided when a try has failed, asked by stamina after that."""

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts
        self._wait: float | None = None

    def decide(self, error: ProviderError, failures: int, *, billed: bool) -> float | None:
        """Seconds to wait, None to give up."""
        last = billed or failures >= self._attempts or not stamina.is_active()
        self._wait = None if last else retry_wait(error, failures)
        return self._wait

    def __call__(self, error: Exception) -> bool | float:
        return False if self._wait is None or not isinstance(error, ProviderError) else self._wait


class _Trial:
    """The beginning of a stream, up to the first chunk that the user sees.

    Attributes:
        arrived: What has arrived.
        begun: Something to see has arrived, or the stream ended as it should.
        error: What ended it before that.
    """

    def __init__(self, chunks: AsyncGenerator[Chunk, None]) -> None:
        self.arrived: list[Chunk] = []
        self.begun = False
        self.error: ProviderError | None = None
        self._chunks = chunks

    @property
    def billed(self) -> bool:
        """Whether usage has arrived."""
        return any(isinstance(chunk, UsageChunk) for chunk in self.arrived)

    async def begin(self) -> None:
        """Read up to there."""
        try:
            async for chunk in self._chunks:
                self.arrived.append(chunk)
                if not isinstance(chunk, NoteChunk | UsageChunk):
                    break
        except ProviderError as error:
            self.error = error
            raise
        self.begun = True
