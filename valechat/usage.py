"""Token counts of one request, one meaning for every provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Usage"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one request. An unknown count is None, never 0.

    Attributes:
        input_tokens: All input, cached included.
        output_tokens: All output, reasoning included.
        cache_read_tokens: Part of the input that came from the provider's cache.
        cache_write_tokens: Part of the input that was written to the provider's cache.
        reasoning_tokens: Part of the output that was reasoning.
        details: What changes the price but is no token count (service tier, speed, region,
            hosted tool calls, audio parts), by the provider's own names.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_wire(cls, wire: str, raw: Any) -> Usage:
        """Read a provider's raw usage."""
        raise NotImplementedError
