"""What packages that extend ValeChat build on, in one place: these names stay.

A provider, a transport and a key storage are each a small Protocol and an entry point; `docs/extending.md` shows all.
"""

from __future__ import annotations

from valechat.errors import (
    AuthenticationFailed,
    ConfigError,
    ModelNotFound,
    PluginError,
    ProviderError,
    RateLimited,
    ServerFailed,
    StreamBroken,
    Unreachable,
)
from valechat.keys.storages import KeyStorage
from valechat.messages import Message
from valechat.plugins.transports.base import Context, Link, Transport
from valechat.providers._service import EventStream, HttpService, bearer
from valechat.providers._setup import Factory, Setup, settings_schema
from valechat.providers.base import (
    Capabilities,
    Chunk,
    Health,
    ModelInfo,
    NoteChunk,
    Options,
    PartChunk,
    Provider,
    RateLimits,
    Request,
    StopChunk,
    TextChunk,
    ThinkingChunk,
    ToolSpec,
    UsageChunk,
)

__all__ = [
    "AuthenticationFailed",
    "Capabilities",
    "Chunk",
    "ConfigError",
    "Context",
    "EventStream",
    "Factory",
    "Health",
    "HttpService",
    "KeyStorage",
    "Link",
    "Message",
    "ModelInfo",
    "ModelNotFound",
    "NoteChunk",
    "Options",
    "PartChunk",
    "PluginError",
    "Provider",
    "ProviderError",
    "RateLimited",
    "RateLimits",
    "Request",
    "ServerFailed",
    "Setup",
    "StopChunk",
    "StreamBroken",
    "TextChunk",
    "ThinkingChunk",
    "ToolSpec",
    "Transport",
    "Unreachable",
    "UsageChunk",
    "bearer",
    "settings_schema",
]
