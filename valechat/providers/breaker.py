"""A circuit breaker: a provider that fails again and again is left alone for a while.

Closed: all requests go. After `threshold` failures in a row it opens: none go, for `cooldown` seconds.
Then it is half-open: one request goes, and decides. Each time it opens again without a success
between, it stays open twice as long, up to `longest` seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from valechat.errors import CircuitOpen

__all__ = ["Breaker", "BreakerState"]

BreakerState = Literal["closed", "open", "half-open"]


class Breaker:
    """The breaker of one provider, for all requests of the process. Not for use by several threads at once.

    Args:
        provider: Its name, for messages.
        threshold: Failures in a row that open it.
        cooldown: Seconds it stays open at first.
        longest: Seconds it stays open at most.
        clock: Seconds that only go up.

    Attributes:
        failures: Failures in a row.
        last_failure: What the last one said.
    """

    def __init__(
        self,
        provider: str,
        *,
        threshold: int = 3,
        cooldown: float = 15.0,
        longest: float = 240.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.failures = 0
        self.last_failure = ""
        self._provider = provider
        self._threshold = threshold
        self._cooldown = cooldown
        self._longest = longest
        self._clock = clock
        self._opened = 0
        self._open_until: float | None = None
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """What becomes of the next request: it goes, it does not, or it decides."""
        if self._open_until is None:
            return "closed"
        return "open" if self._clock() < self._open_until else "half-open"

    @property
    def seconds_left(self) -> float:
        """How long it stays open; 0 when it is not."""
        return max(0.0, (self._open_until or 0.0) - self._clock()) if self._open_until is not None else 0.0

    def enter(self) -> None:
        """A request wants to go. One of `succeeded`, `failed` and `left` must follow.

        Raises:
            CircuitOpen: It may not.
        """
        state = self.state
        if state == "closed":
            return
        if state == "open" or self._probing:
            wait = f"for another {self.seconds_left:.0f} s" if state == "open" else "while one request tries it"
            raise CircuitOpen(
                f"{self._provider} failed {self.failures} times in a row and is left alone {wait}. "
                f"Last: {self.last_failure}",
                provider=self._provider,
                retry_after=self.seconds_left or None,
                fix="Choose another model, or wait.",
            )
        self._probing = True

    def succeeded(self) -> None:
        """The request's answer came, or the server showed otherwise that it works."""
        self.failures = self._opened = 0
        self._open_until = None
        self._probing = False

    def failed(self, message: str) -> None:
        """The server failed the request."""
        self.failures += 1
        self.last_failure = message
        if self._probing or (self.failures >= self._threshold and self.state == "closed"):
            self._open_until = self._clock() + min(self._longest, self._cooldown * 2**self._opened)
            self._opened += 1
        self._probing = False

    def left(self) -> None:
        """The request ended and said nothing of the server's health, e.g. it was cancelled."""
        self._probing = False
