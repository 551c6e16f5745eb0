"""What a provider is: the Protocol, and the values that cross it.

A provider turns a `Request` into its wire format and the wire's stream into `Chunk`s. It knows
no money, no ledger and no Jupyter, and it keeps no state of a stream: the session accumulates.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from valechat.messages import Message, Part

__all__ = [
    "Capabilities",
    "Chunk",
    "Health",
    "KeySource",
    "ModelInfo",
    "NoteChunk",
    "Options",
    "PartChunk",
    "Provider",
    "RateLimits",
    "Request",
    "StopChunk",
    "StopReason",
    "TextChunk",
    "ThinkingChunk",
    "ToolSpec",
    "UsageChunk",
]

StopReason = Literal[
    "end", "max_tokens", "stop_sequence", "tool_calls", "refusal", "filtered", "context_full", "paused", "other"
]

KeySource = Callable[[], Awaitable[str | None]]
"""Gives the provider's API key at the moment of use, None where none is needed."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool offered to the model; `parameters` is a JSON Schema of type object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Options:
    """Controls of one request; None leaves the provider's default.

    Attributes:
        max_tokens: Most output tokens, reasoning included.
        reasoning_effort: `none`, `minimal`, `low`, `medium` or `high`.
        schema: JSON Schema the answer must follow.
        timeout: Seconds without a byte from the server before giving up.
        extra: The provider's own options, merged into the request body as they are.
    """

    temperature: float | None = None
    max_tokens: int | None = None
    reasoning_effort: str | None = None
    seed: int | None = None
    schema: Mapping[str, Any] | None = None
    timeout: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a model. `model` is the provider's own name for it."""

    model: str
    messages: Sequence[Message]
    system: str | None = None
    tools: Sequence[ToolSpec] = ()
    options: Options = Options()


@dataclass(frozen=True, slots=True)
class TextChunk:
    """A piece of text; `refusal` where the wire marks it as one."""

    text: str
    refusal: bool = False


@dataclass(frozen=True, slots=True)
class ThinkingChunk:
    """A piece of reasoning text. What must return unchanged follows as a `PartChunk`."""

    text: str


@dataclass(frozen=True, slots=True)
class PartChunk:
    """A finished part: a tool call, a citation, an image, a whole thinking block.

    A `ThinkingPart` here replaces the thinking text accumulated since the last part.
    """

    part: Part


@dataclass(frozen=True, slots=True)
class UsageChunk:
    """A usage-bearing piece of the wire, raw. A later one may complete an earlier one."""

    raw: Any


@dataclass(frozen=True, slots=True)
class StopChunk:
    """Why the model stopped: our word and the provider's own."""

    reason: StopReason
    raw: str


@dataclass(frozen=True, slots=True)
class NoteChunk:
    """Something the user should know, e.g. that images were left out for this model."""

    text: str


Chunk = TextChunk | ThinkingChunk | PartChunk | UsageChunk | StopChunk | NoteChunk


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model can take and do; None where it is not known."""

    tools: bool | None = None
    images: bool | None = None
    files: bool | None = None
    reasoning: bool | None = None
    schema: bool | None = None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model as its server lists it. `name` is the provider's own; windows are in tokens."""

    name: str
    title: str = ""
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    capabilities: Capabilities = Capabilities()


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a provider can be used now, and if not, what to do."""

    ok: bool
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What a server last said of its own rate limits; None where it said nothing."""

    seen_at: datetime
    requests_remaining: int | None = None
    requests_reset_at: datetime | None = None
    tokens_remaining: int | None = None
    tokens_reset_at: datetime | None = None


class Provider(Protocol):
    """A model provider. It keeps no state of a stream, so any number may run at once."""

    @property
    def name(self) -> str:
        """The first half of `provider/model`."""
        ...

    @property
    def wire(self) -> str:
        """The format of its `UsageChunk`s, for `Usage.from_wire`."""
        ...

    @property
    def local(self) -> bool:
        """Whether its models run on this machine and are free."""
        ...

    def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Send a request and yield what arrives.

        Closing the iterator closes the connection at once. Ends after the wire's own end, so
        usage that follows the stop reason is not lost.

        Raises:
            ProviderError: One of its kinds; `StreamBroken` when the answer breaks off.
            MissingKey: No key was found and one is needed.
        """
        ...

    async def models(self) -> list[ModelInfo]:
        """The models the server offers for chat.

        Raises:
            ProviderError: The server could not be asked.
        """
        ...

    async def check(self) -> Health:
        """Whether the provider can be used now. Never raises for a server's fault."""
        ...

    def capabilities(self, model: str) -> Capabilities:
        """What is known of a model without asking the server."""
        ...

    def rate_limits(self) -> RateLimits | None:
        """What the server's last response said of its rate limits; None when it said nothing."""
        ...

    def config_schema(self) -> Mapping[str, Any]:
        """JSON Schema of the provider's table in `config.toml`, for a settings form."""
        ...
