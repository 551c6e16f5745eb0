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
            hosted tool calls, audio parts), by the provider's own names. `notes` lists what the
            provider reported and could not be read.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_wire(cls, wire: str, raw: Any) -> Usage:
        """Read a provider's raw usage.

        Args:
            wire: `openai.chat`, `openai.responses`, `anthropic.messages`, `gemini.generate`,
                `openrouter.chat` or `ollama.chat`.
            raw: The usage object, the response or event that carries it, or, for a stream, the
                list of its usage-bearing events in order. Whatever a server sends is read
                without raising: what makes no sense becomes None and a line in `details["notes"]`.

        Raises:
            ValueError: There is no wire of that name.
        """
        from valechat import wires

        return wires.read(wire, raw)
