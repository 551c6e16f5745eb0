"""What a sign-in consists of. No secret in it is ever shown by a `repr`."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

__all__ = ["Challenge", "Client", "Endpoints", "TokenSet"]

LEEWAY_SECONDS = 30.0
"""A token is renewed so long before it ends, or a tenth of its life where that is less."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server's refusal asks for (RFC 6750, section 3; RFC 9728, section 5.1).

    `more` says that the token is good, but not for this (`insufficient_scope`).
    """

    metadata_url: str | None = None
    scope: str | None = None
    more: bool = False


@dataclass(frozen=True, slots=True)
class Client:
    """Us, as an authorization server knows us.

    Attributes:
        id: The client's id.
        secret: Its secret, None for a public client.
        method: How it says who it is at the token endpoint: `none`, `client_secret_basic`, `client_secret_post`.
        redirect_uri: Where a sign-in ends, as it was registered; None for a configured client.
        issuer: The authorization server that registered it; None for a configured client.
    """

    id: str
    secret: str | None = field(default=None, repr=False)
    method: str = "none"
    redirect_uri: str | None = None
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where an authorization server does what, and what it can.

    Attributes:
        issuer: Its name; empty where it is not known (configured addresses, servers before 2025-06-18).
        authorization: Where the user signs in.
        token: Where tokens are had.
        registration: Where clients register themselves.
        revocation: Where tokens are given back.
        resource: What the token is for (RFC 8707); None where the server does not say.
        scopes: What the resource suggests to ask for.
        offline: Whether it gives refresh tokens only for `offline_access`.
        says_issuer: Whether it names itself when the sign-in ends (RFC 9207).
        methods: How clients may say who they are at the token endpoint.
    """

    issuer: str
    authorization: str | None
    token: str
    registration: str | None = None
    revocation: str | None = None
    resource: str | None = None
    scopes: tuple[str, ...] = ()
    offline: bool = False
    says_issuer: bool = False
    methods: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TokenSet:
    """Everything that is kept of a sign-in: enough to renew it without asking anyone but the token endpoint.

    Attributes:
        origin: The server it is for; it is sent nowhere else.
        client: Whom it was given to.
        token_url: Where it is renewed.
        access: The access token; empty when it is used up.
        refresh: The refresh token, if there is one.
        expires_at: When the access token ends (POSIX seconds), None when it is not known.
        lifetime: How long it was good for, in seconds.
        scope: What it is good for.
        resource: What it is for (RFC 8707), None if that was not said.
        revocation_url: Where it can be given back.
        issuer: Who gave it; empty where that is not known.
    """

    origin: str
    client: Client
    token_url: str
    access: str = field(default="", repr=False)
    refresh: str | None = field(default=None, repr=False)
    expires_at: float | None = None
    lifetime: float | None = None
    scope: str | None = None
    resource: str | None = None
    revocation_url: str | None = None
    issuer: str = ""

    @property
    def good(self) -> bool:
        """Whether the access token may still be used."""
        if not self.access or self.expires_at is None:
            return bool(self.access)
        return time.time() < self.expires_at - min(LEEWAY_SECONDS, (self.lifetime or 0.0) / 10)

    def same(self, other: TokenSet | None) -> bool:
        """Whether it is the same access token."""
        return other is not None and self.access == other.access

    def used_up(self, *, revoked: bool = False) -> Self:
        """The same without its access token, and without the refresh token where that is no good either."""
        return replace(self, access="", expires_at=None, refresh=None if revoked else self.refresh)

    def as_text(self) -> str:
        """For the key storage."""
        return json.dumps({"version": 1, **asdict(self)}, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """What `as_text` gave; None for what another version wrote."""
        try:
            values: dict[str, Any] = json.loads(text)
            if values.pop("version") != 1:
                return None
            return cls(**{**values, "client": Client(**values["client"])})
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
