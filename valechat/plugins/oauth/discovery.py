"""Finding the authorization server of an MCP server, and making sure that it is the one.

The resource names its authorization servers (RFC 9728), the authorization server describes itself
(RFC 8414, or OpenID Connect Discovery 1.0), and what it says must be about the one that was asked:
otherwise a server could have our sign-in sent to a third party. Which addresses are tried in which order
is the SDK's knowledge.
"""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import urlsplit

from mcp.client.auth.utils import (
    build_oauth_authorization_server_metadata_discovery_urls,
    build_protected_resource_metadata_discovery_urls,
    issuers_match,
)
from mcp.shared.auth import OAuthMetadata, ProtectedResourceMetadata
from mcp.shared.auth_utils import check_resource_allowed, resource_url_from_server_url
from mcp_types import LATEST_PROTOCOL_VERSION
from pydantic import BaseModel, ValidationError

from valechat.errors import PluginError
from valechat.plugins.oauth.values import Challenge, Endpoints
from valechat.plugins.oauth.wire import Wire
from valechat.plugins.transports.faults import shown

__all__ = ["discover", "http_url"]

M = TypeVar("M", bound=BaseModel)

_HEADERS = {"MCP-Protocol-Version": LATEST_PROTOCOL_VERSION}


async def discover(wire: Wire, definition: Any, challenge: Challenge) -> Endpoints:
    """Where to sign in for a definition's server.

    Raises:
        PluginError: It cannot be found out, or what was found is about another server or another resource.
    """
    configured = definition.auth
    resource = await _resource(wire, definition, challenge)
    issuer = _chosen(resource, configured.issuer, definition)
    metadata = await _metadata(wire, issuer, definition.url)
    base = _base(http_url(definition.url))
    if metadata is None:
        if issuer is not None and configured.token_url is None:
            raise PluginError(
                f"{shown(issuer)}, where {definition.title} has people sign in, does not say how.",
                fix="Set authorization_url and token_url in its `auth`, or try again later.",
            )
        # Servers of MCP 2025-03-26 may leave it all to their fixed addresses.
        found = Endpoints("", f"{base}/authorize", f"{base}/token", f"{base}/register")
    else:
        found = _described(metadata, definition.title)
    return Endpoints(
        issuer=found.issuer,
        authorization=configured.authorization_url or found.authorization,
        token=configured.token_url or found.token,
        registration=found.registration,
        revocation=found.revocation,
        resource=_indicator(resource, http_url(definition.url)),
        scopes=tuple(resource.scopes_supported or ()) if resource is not None else (),
        offline=found.offline,
        says_issuer=found.says_issuer,
        methods=found.methods,
    )


def http_url(url: str) -> str:
    """The address of a server as HTTP has it: a WebSocket is signed in to in the same way."""
    return url.replace("ws", "http", 1) if url.startswith(("ws://", "wss://")) else url


def _base(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


async def _resource(wire: Wire, definition: Any, challenge: Challenge) -> ProtectedResourceMetadata | None:
    """What the server says of itself; None for one that says nothing."""
    url = http_url(definition.url)
    failed = 0
    for place in build_protected_resource_metadata_discovery_urls(challenge.metadata_url, url):
        reply = await wire.get(place, _HEADERS)
        if reply.status >= 500 or reply.status == 429:
            failed = reply.status
        found = _parsed(ProtectedResourceMetadata, reply.body) if reply.status == 200 else None
        if found is None:
            continue
        if not check_resource_allowed(resource_url_from_server_url(url), str(found.resource)):
            raise PluginError(
                f"{definition.title} leads to a sign-in for another server, {shown(str(found.resource))}.",
                fix="Check its address; if it is right, ask whoever runs the server.",
            )
        return found
    if failed:
        # Silence would mean an older server; a failure means nothing.
        raise PluginError(f"{definition.title} could not say where to sign in ({failed}).", fix="Try again later.")
    return None


def _chosen(resource: ProtectedResourceMetadata | None, configured: str | None, definition: Any) -> str | None:
    """The authorization server: the configured one where there is one, else the first that is named."""
    named = [str(server) for server in resource.authorization_servers] if resource is not None else []
    if configured is None:
        return named[0] if named else None
    match = next((server for server in named if issuers_match(server, configured)), None)
    if named and match is None:
        raise PluginError(
            f"{definition.title} has people sign in at {shown(named[0])}, not at {shown(configured)}.",
            fix="Correct or take out `issuer` in its `auth`.",
        )
    return match or configured


async def _metadata(wire: Wire, issuer: str | None, url: str) -> OAuthMetadata | None:
    """How the authorization server describes itself."""
    expected = issuer or _base(http_url(url))
    for place in build_oauth_authorization_server_metadata_discovery_urls(issuer, http_url(url)):
        reply = await wire.get(place, _HEADERS)
        if reply.status >= 500:
            raise PluginError(
                f"{shown(expected)} could not say how to sign in ({reply.status}).", fix="Try again later."
            )
        found = _parsed(OAuthMetadata, reply.body) if reply.status == 200 else None
        if found is None:
            continue
        if not issuers_match(str(found.issuer), expected):
            # RFC 8414, section 3.3: then it must not be used.
            raise PluginError(
                f"{shown(expected)} says that it is another server, {shown(str(found.issuer))}; it is not used.",
                fix="Ask whoever runs the server; do not sign in elsewhere for it.",
            )
        return found
    return None


def _described(metadata: OAuthMetadata, title: str) -> Endpoints:
    methods = metadata.code_challenge_methods_supported
    if methods is not None and "S256" not in methods:
        raise PluginError(
            f"The sign-in of {title} cannot be protected: its server has no PKCE with S256.",
            fix="Ask whoever runs the server.",
        )
    return Endpoints(
        issuer=str(metadata.issuer),
        authorization=str(metadata.authorization_endpoint),
        token=str(metadata.token_endpoint),
        registration=str(metadata.registration_endpoint) if metadata.registration_endpoint else None,
        revocation=str(metadata.revocation_endpoint) if metadata.revocation_endpoint else None,
        offline="offline_access" in (metadata.scopes_supported or ()),
        says_issuer=bool(metadata.authorization_response_iss_parameter_supported),
        methods=tuple(metadata.token_endpoint_auth_methods_supported)
        if metadata.token_endpoint_auth_methods_supported is not None
        else None,
    )


def _indicator(resource: ProtectedResourceMetadata | None, url: str) -> str | None:
    return str(resource.resource) if resource is not None else resource_url_from_server_url(url)


def _parsed(model: type[M], body: dict[str, Any]) -> M | None:
    try:
        return model.model_validate(body)
    except ValidationError:
        return None
