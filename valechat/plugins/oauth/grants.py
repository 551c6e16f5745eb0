"""Getting tokens at a token endpoint: for a code, for a refresh token, for a client's own credentials."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from valechat.errors import PluginError
from valechat.plugins.hidden import Hidden
from valechat.plugins.oauth.values import Client, Endpoints, TokenSet
from valechat.plugins.oauth.wire import Reply, Wire

__all__ = ["Refused", "configured_client", "for_client", "for_code", "register", "renewed"]

_METHODS = ("client_secret_basic", "client_secret_post")


class Refused(PluginError):
    """The authorization server answered, and said no. `code` is OAuth's (`invalid_grant`)."""

    def __init__(self, message: str, *, code: str, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.code = code


def configured_client(auth: Any, methods: tuple[str, ...] | None) -> Client | None:
    """The client the user registered; None where the configuration has none."""
    if not auth.client_id:
        return None
    if not auth.client_secret:
        return Client(auth.client_id)
    # RFC 8414, section 2: where nothing is said it is client_secret_basic.
    offered = methods if methods is not None else ("client_secret_basic",)
    return Client(auth.client_id, auth.client_secret, next((one for one in _METHODS if one in offered), _METHODS[1]))


async def register(wire: Wire, endpoints: Endpoints, redirect_uri: str, scope: str | None, title: str) -> Client:
    """Register as a client (RFC 7591).

    Raises:
        PluginError: The server has no registration, refuses it, or answers with what cannot be used.
    """
    configure = "Register an application there, and set client_id (and client_secret) in its `auth`."
    if endpoints.registration is None:
        raise PluginError(f"The sign-in server of {title} does not let programs register themselves.", fix=configure)
    body: dict[str, Any] = {
        "client_name": "ValeChat",
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    }
    if scope:
        body["scope"] = scope
    reply = await wire.register(endpoints.registration, body)
    if reply.status not in (200, 201):
        raise PluginError(
            f"The sign-in server of {title} refused to register ValeChat ({reply.reason()}).", fix=configure
        )
    given = reply.body
    method = given.get("token_endpoint_auth_method") or "none"
    secret = method != "none"
    if (
        not isinstance(given.get("client_id"), str)
        or method not in ("none", *_METHODS)
        or (secret and not given.get("client_secret"))
    ):
        raise PluginError(f"The sign-in server of {title} registered ValeChat in a way it cannot use.", fix=configure)
    return Client(
        given["client_id"], given["client_secret"] if secret else None, method, redirect_uri, endpoints.issuer
    )


async def for_code(wire: Wire, blank: TokenSet, form: Hidden[str]) -> TokenSet:
    """Tokens for the code a sign-in ended with (RFC 6749, section 4.1.3; RFC 7636).

    Args:
        wire: How to ask.
        blank: What is known of them already.
        form: `code`, `code_verifier` and `redirect_uri`.

    Raises:
        PluginError: The server cannot be reached, or refuses.
    """
    more = {"grant_type": "authorization_code", **_resource(blank.resource)}
    reply, client = await _asked(wire, blank.token_url, form.merged(more), blank.client)
    return _granted(reply, replace(blank, client=client))


async def renewed(wire: Wire, tokens: TokenSet) -> TokenSet:
    """Tokens for a refresh token (RFC 6749, section 6). What the answer leaves out stays as it was.

    Raises:
        Refused: With the code `invalid_grant`, the refresh token is no good any more.
        PluginError: The server cannot be reached, or fails.
    """
    more = _resource(tokens.resource)
    form = Hidden({"grant_type": "refresh_token", "refresh_token": tokens.refresh or "", **more})
    reply, client = await _asked(wire, tokens.token_url, form, tokens.client)
    return _granted(reply, replace(tokens, client=client))


async def for_client(wire: Wire, blank: TokenSet) -> TokenSet:
    """Tokens for the client itself (RFC 6749, section 4.4). Raises as `for_code`."""
    form = Hidden({"grant_type": "client_credentials", **_resource(blank.resource)})
    if blank.scope:
        form["scope"] = blank.scope
    reply, client = await _asked(wire, blank.token_url, form, blank.client)
    return _granted(reply, replace(blank, client=client, refresh=None))


async def _asked(wire: Wire, url: str, form: Hidden[str], client: Client) -> tuple[Reply, Client]:
    """The answer, and the client in the way the server knew it."""
    reply = await wire.post(url, form, client)
    if reply.status in (400, 401) and reply.error == "invalid_client" and client.method == "client_secret_basic":
        # Many servers only take the secret in the body, and do not say so beforehand.
        other = replace(client, method="client_secret_post")
        again = await wire.post(url, form, other)
        if again.status == 200:
            return again, other
    return reply, client


def _granted(reply: Reply, before: TokenSet) -> TokenSet:
    given = reply.body
    if reply.status >= 500 or reply.status == 429:
        raise PluginError(f"The sign-in server failed ({reply.status}).", fix="Try again later.")
    if reply.status not in (200, 201) or reply.error:
        raise Refused(
            f"The sign-in server refused ({reply.reason()}).", code=reply.error, fix=_REFUSED.get(reply.error, "")
        )
    if not _sendable(given.get("access_token")):
        raise PluginError("The sign-in server gave no token that can be used.", fix="Ask whoever runs it.")
    if str(given.get("token_type") or "bearer").lower() != "bearer":
        raise PluginError("The sign-in server gave a token of a kind that is not known here.", fix="Ask who runs it.")
    lifetime = _seconds(given.get("expires_in"))
    refresh = given.get("refresh_token")
    scope = given.get("scope")
    return replace(
        before,
        access=given["access_token"],
        refresh=refresh if isinstance(refresh, str) and refresh else before.refresh,
        lifetime=lifetime,
        expires_at=time.time() + lifetime if lifetime is not None else None,
        scope=scope if isinstance(scope, str) and scope else before.scope,
    )


_REFUSED = {
    "invalid_client": "Check client_id and client_secret in its `auth`.",
    "unauthorized_client": "The client may not do this there: check how it is registered.",
    "invalid_scope": "Check `scopes` in its `auth`.",
    "invalid_target": "Check the plugin's address.",
}


def _sendable(token: Any) -> bool:
    return isinstance(token, str) and bool(token) and token.isascii() and token.isprintable()


def _resource(resource: str | None) -> dict[str, str]:
    return {"resource": resource} if resource else {}


def _seconds(value: Any) -> float | None:
    try:
        return max(0.0, float(value))
    except (TypeError, ValueError):
        return None
