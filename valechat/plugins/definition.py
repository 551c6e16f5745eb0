"""The models of `mcp_plugins.json`: what an entry may say. Frozen; unknown fields are kept.

What may be a secret is in no `repr`, and nothing of an entry's content in an error of pydantic's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from valechat.config.values import wrong
from valechat.plugins.fields import (
    BUILT_IN,
    Command,
    HeaderName,
    Identifier,
    Network,
    Seconds,
    Text,
    VariableName,
    check_url,
)
from valechat.plugins.suspect import looks_secret

__all__ = [
    "BearerAuth",
    "CloudService",
    "Definition",
    "LocalServer",
    "NoAuth",
    "OAuth",
    "Permissions",
    "told",
]


class _Entry(BaseModel):
    """What all of them share."""

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)

    hidden: ClassVar[frozenset[str]] = frozenset()
    """Fields whose values are never shown."""

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if value == field.get_default(call_default_factory=True):
                continue
            yield name, _Hidden(value) if name in self.hidden else _masked(value)


def _masked(value: Any) -> Any:
    """The value; of a text or a list of texts, without what looks like a secret."""
    if isinstance(value, str):
        return _Hidden(value) if looks_secret(value.rpartition("=")[2]) or looks_secret(value) else value
    return [_masked(item) for item in value] if isinstance(value, list) else value


class _Hidden:
    """Stands for a secret in a `repr`: a table shows its names, anything else nothing."""

    def __init__(self, value: object) -> None:
        self._names = list(value) if isinstance(value, Mapping) else None

    def __repr__(self) -> str:
        return "…" if self._names is None else "{" + ", ".join(f"{name!r}: …" for name in self._names) + "}"


class Permissions(BaseModel):
    """What a local server may do. What is left out is not limited.

    An unknown name is an error here: a restriction that is misspelt must not be ignored silently.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)

    file_read: list[Text] | None = None
    """Files and folders it may read, as globs: `/home/me/projects/**`."""
    file_write: list[Text] | None = None
    """Files and folders it may create, change and delete, as globs."""
    network_access: Network | None = None
    """`false`: none. `true`: all. A list: only these hosts."""
    env_access: list[Text] | None = None
    """Environment variables it may see besides its own `env` and the few every program needs."""
    memory_mb: Annotated[float, Field(strict=True, gt=0)] | None = None
    """The most memory it and the processes it starts may use, in megabytes."""
    cpu_percent: Annotated[float, Field(strict=True, gt=0)] | None = None
    """The most processor time; 100 is one core."""
    open_files: Annotated[int, Field(strict=True, gt=0)] | None = None
    """The most files a process of it may have open."""
    processes: Annotated[int, Field(strict=True, gt=0)] | None = None
    """The most processes it may be, itself included."""
    wall_seconds: Seconds | None = None
    """It is stopped when it has run for so long."""


class NoAuth(_Entry):
    """The service asks for nothing."""

    type: Literal["none"] = "none"


class BearerAuth(_Entry):
    """A token that is sent with each request."""

    hidden: ClassVar[frozenset[str]] = frozenset({"token"})

    type: Literal["bearer"]
    token: Annotated[Text, Field(min_length=1)]
    """The token; best as `${NAME}`."""


class OAuth(_Entry):
    """OAuth 2.1. Whatever is left out is asked of the service (RFC 9728, RFC 8414, RFC 7591)."""

    hidden: ClassVar[frozenset[str]] = frozenset({"client_secret"})

    type: Literal["oauth"]
    client_id: Text | None = None
    """Left out, the client registers itself."""
    client_secret: Text | None = None
    """Of a client that has one; best as `${NAME}`."""
    scopes: list[Text] = Field(default_factory=list)
    """What is asked for; left out, what the service suggests."""
    grant: Literal["authorization_code", "client_credentials"] = "authorization_code"
    """`authorization_code` has the user sign in; `client_credentials` needs `client_id` and `client_secret`."""
    issuer: Text | None = None
    """The authorization server, where the service does not name it."""
    authorization_url: Text | None = None
    """Where the user signs in, where the authorization server does not publish it."""
    token_url: Text | None = None
    """Where tokens are had, where the authorization server does not publish it."""
    redirect_port: Annotated[int, Field(strict=True, ge=1, le=65_535)] | None = None
    """The port of `http://127.0.0.1:…/callback`; left out, any free one."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.grant == "client_credentials" and not (self.client_id and self.client_secret):
            raise wrong("needs client_id and client_secret", fix='Add them, the secret as "${NAME}".')
        return self


class _Plugin(_Entry):
    """The fields a local server and a cloud service share."""

    id: Identifier
    """Unique among all plugins; the first part of its tools' names."""
    name: Text = ""
    """What people call it; left out, its id."""
    description: Text | None = None
    """What it is for."""
    enabled: Annotated[bool, Field(strict=True)] = True
    """Whether it is started with the others, or only when it is asked for by name."""
    timeout: Seconds = 60.0
    """Seconds it may take to start and to greet."""
    call_timeout: Seconds = 30.0
    """Seconds a call may take without a word from it."""
    tools_off: list[Text] = Field(default_factory=list)
    """Its tools that are not offered to models, by the server's names."""
    roots: list[Text] = Field(default_factory=list)
    """Folders the server is told to work in."""
    protocol: Text = "auto"
    """MCP's version: `auto`, `legacy` (the handshake of 2025-11-25 and before) or one version's date."""

    unimportant: ClassVar[frozenset[str]] = frozenset({"name", "description", "enabled", "call_timeout", "tools_off"})
    """Fields whose change needs no restart."""

    _written: Any = PrivateAttr(default=None)

    @property
    def written(self) -> Self:
        """The definition as it is in the file, with its `${VAR}`s: what may be shown."""
        found: Self | None = self._written
        return self if found is None else found

    @property
    def title(self) -> str:
        """What to call it."""
        return self.name or self.id

    @property
    def restart_key(self) -> str:
        """Equal for two definitions when going from one to the other needs no restart.

        Unknown fields count only for a third party's transport, which may read them.
        """
        fields = {name: value for name, value in told(self).items() if name not in self.unimportant}
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        if self._written is None:
            yield from super().__repr_args__()
        else:
            yield from self._written.__repr_args__()


class LocalServer(_Plugin):
    """A server that runs on this machine and is spoken to through its standard input and output."""

    hidden: ClassVar[frozenset[str]] = frozenset({"env"})

    command: Command
    """The program: a name that is looked up in PATH, or a path."""
    args: list[Text] = Field(default_factory=list)
    """Its arguments."""
    env: dict[VariableName, Text] = Field(default_factory=dict)
    """Its environment variables; secrets best as `${NAME}`."""
    cwd: Text | None = None
    """The folder it is started in; left out, the kernel's."""
    permissions: Permissions | None = None
    """What it may do; left out, what the user may."""
    allow_degraded: Annotated[bool, Field(strict=True)] = False
    """Start it even where this system cannot enforce its permissions."""
    transport: Literal["stdio"] = "stdio"
    """How it is spoken to."""
    protocol: Text = "legacy"
    """MCP's version: `legacy` (the handshake of 2025-11-25 and before), `auto` or one version's date."""


class CloudService(_Plugin):
    """A server that is reached at an address."""

    hidden: ClassVar[frozenset[str]] = frozenset({"headers"})

    url: Text
    """Its address: https, http on this machine; wss or ws for a WebSocket."""
    transport: Annotated[Text, Field(min_length=1)] = "http"
    """`http` (Streamable HTTP), `sse`, `websocket`, or the name of an installed third party's transport."""
    auth: Annotated[NoAuth | BearerAuth | OAuth, Field(discriminator="type")] = NoAuth()
    """How it knows the user."""
    headers: dict[HeaderName, Text] = Field(default_factory=dict)
    """Further HTTP headers; secrets best as `${NAME}`."""
    allow_http: Annotated[bool, Field(strict=True)] = False
    """Allow plain http to another machine: everyone on the way can read and change what is said."""

    @model_validator(mode="after")
    def _reachable_and_safe(self) -> Self:
        check_url(self.url, self.transport, allow_http=self.allow_http)
        return self


Definition = LocalServer | CloudService


def told(definition: _Plugin) -> dict[str, Any]:
    """The fields a transport goes by, as JSON has them: without unknown ones, unless it is a third party's."""
    built_in = getattr(definition, "transport", "") in {"stdio", *BUILT_IN}
    return definition.model_dump(mode="json", include=set(type(definition).model_fields) if built_in else None)
