"""Having the user sign in: authorization code with PKCE (RFC 6749, section 4.1; RFC 7636; OAuth 2.1).

Both ways to come back are open at once: the callback on this machine, and pasting the address of the
last page, for a browser that runs elsewhere.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from mcp.client.auth import PKCEParameters
from mcp.client.auth.utils import union_scopes

from valechat.asking import Asker, Visit, nobody
from valechat.errors import PluginError, SignInNeeded
from valechat.plugins.deadline import waiting_for_the_user
from valechat.plugins.hidden import Hidden
from valechat.plugins.oauth.callback import PATH, Callback, Ending, Foreign, read_ending
from valechat.plugins.oauth.grants import configured_client, for_code, register
from valechat.plugins.oauth.values import Challenge, Client, Endpoints, TokenSet
from valechat.plugins.oauth.wire import Wire, origin

__all__ = ["SIGN_IN_SECONDS", "SignIn"]

SIGN_IN_SECONDS = 300.0
MOST_PASTES = 5


@dataclass(frozen=True, slots=True)
class SignIn:
    """How one plugin's user is asked to sign in."""

    definition: Any
    wire: Wire
    asker: Callable[[], Asker]
    seconds: float = SIGN_IN_SECONDS

    async def run(self, endpoints: Endpoints, challenge: Challenge, before: TokenSet | None, reason: str) -> TokenSet:
        """Have the user sign in.

        Args:
            endpoints: Where.
            challenge: What the server asked for.
            before: What was kept so far, for its client and its scope.
            reason: Why, in a sentence; empty for the first time.

        Raises:
            SignInNeeded: The user declined, was not there, or took too long.
            PluginError: It failed.
        """
        title = self.definition.title
        asker = self.asker()
        if asker is nobody:
            raise SignInNeeded(
                f"{title} needs you to sign in, and nobody can be asked here.",
                fix="Enable it from the panel, or with %valechat plugins in a cell.",
            )
        if endpoints.authorization is None:
            raise PluginError(f"{title} does not say where to sign in.", fix="Set authorization_url in its `auth`.")
        state = secrets.token_urlsafe(32)
        async with Callback(state, title) as callback:
            known = before.client if before is not None and before.client.issuer == endpoints.issuer else None
            await callback.open(self._ports(known))
            redirect = f"http://127.0.0.1:{callback.port or self._ports(known)[0] or 8765}{PATH}"
            scope = self._scope(endpoints, challenge, before)
            client = await self._client(endpoints, known, redirect, scope)
            proof = Hidden(PKCEParameters.generate())
            query = {
                "response_type": "code",
                "client_id": client.id,
                "redirect_uri": redirect,
                "state": state,
                "code_challenge": proof["code_challenge"],
                "code_challenge_method": "S256",
            }
            told = f"Sign in to {title}, at {urlsplit(endpoints.authorization).netloc}."
            address = self._address(endpoints, query, scope)
            page = Visit(self.definition.id, f"{reason} {told}".strip(), address, paste=True)
            ending = await self._ended(asker, page, callback, state)
        self._checked(ending, endpoints)
        blank = TokenSet(
            origin(self.definition.url),
            client,
            endpoints.token,
            scope=scope,
            resource=endpoints.resource,
            revocation_url=endpoints.revocation,
            issuer=endpoints.issuer,
        )
        form = Hidden(code=ending["code"], code_verifier=proof["code_verifier"], redirect_uri=redirect)
        return await for_code(self.wire, blank, form)

    def _ports(self, known: Client | None) -> list[int]:
        """The configured port, the one this client is registered with, any."""
        if self.definition.auth.redirect_port is not None:
            return [self.definition.auth.redirect_port]
        registered = urlsplit(known.redirect_uri).port if known is not None and known.redirect_uri else None
        return [registered, 0] if registered else [0]

    def _scope(self, endpoints: Endpoints, challenge: Challenge, before: TokenSet | None) -> str | None:
        """What to ask for: what the user configured, else what the server suggests; and never less than before."""
        wanted = " ".join(self.definition.auth.scopes) or None
        if challenge.more:
            wanted = union_scopes(union_scopes(wanted, before.scope if before is not None else None), challenge.scope)
        elif wanted is None:
            wanted = challenge.scope or " ".join(endpoints.scopes) or None
        if wanted and endpoints.offline:
            wanted = union_scopes(wanted, "offline_access")
        return wanted

    async def _client(self, endpoints: Endpoints, known: Client | None, redirect: str, scope: str | None) -> Client:
        """Who we are there: as configured, as registered before at this address, or registered now."""
        client = configured_client(self.definition.auth, endpoints.methods)
        if client is not None:
            return client
        if known is not None and known.redirect_uri == redirect:
            return known
        return await register(self.wire, endpoints, redirect, scope, self.definition.title)

    def _address(self, endpoints: Endpoints, query: dict[str, str], scope: str | None) -> str:
        if endpoints.resource:
            query["resource"] = endpoints.resource
        if scope:
            query["scope"] = scope
            if "offline_access" in scope.split():
                query["prompt"] = "consent"  # OpenID Connect Core, section 11, asks for it
        address = self.wire.checked(endpoints.authorization or "")
        return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(query)}"

    async def _ended(self, asker: Asker, page: Visit, callback: Callback, state: str) -> Ending:
        """What the sign-in ended with, whichever way it came."""
        title = self.definition.title
        try:
            with waiting_for_the_user():
                async with asyncio.timeout(self.seconds):
                    return await self._first(asker, page, callback, state)
        except TimeoutError:
            pass
        raise SignInNeeded(
            f"Nobody signed in to {title} within {self.seconds / 60:g} minutes.",
            fix=f"Enable {title} again to try anew.",
        )

    async def _first(self, asker: Asker, page: Visit, callback: Callback, state: str) -> Ending:
        message = page.message
        for _ in range(MOST_PASTES):
            asking = asyncio.ensure_future(asker.visit(page))
            either: set[asyncio.Future[Any]] = {asking, callback.ended}
            try:
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not asking.done():
                    asking.cancel()
                    await asyncio.wait({asking})
            if callback.ended.done():
                return callback.ended.result()
            pasted = asking.result()
            if pasted is None:
                break
            try:
                return read_ending(pasted, state)
            except Foreign as error:
                page = replace(page, message=f"{error.message} {message}")
        title = self.definition.title
        raise SignInNeeded(f"The sign-in to {title} was declined.", fix=f"Enable {title} again to sign in.")

    def _checked(self, ending: Ending, endpoints: Endpoints) -> None:
        """Make sure that the right server said yes (RFC 9207, section 2.4)."""
        title, issuer = self.definition.title, ending.get("iss")
        wrong = issuer != endpoints.issuer if issuer is not None else endpoints.says_issuer
        if wrong and endpoints.issuer:
            raise PluginError(
                f"The sign-in to {title} was ended by another server than the one it began at; it is not used.",
                fix="Try again; if it happens again, ask whoever runs the server.",
            )
        if "error" in ending:
            told = f"{ending['error'][:80]}: {ending.get('error_description', '')[:200]}".rstrip(": .")
            if ending["error"] == "access_denied":
                raise SignInNeeded(
                    f"The sign-in to {title} was declined ({told}).", fix=f"Enable {title} again to sign in."
                )
            raise PluginError(
                f"The sign-in to {title} failed ({told}).", fix="Check `scopes` and `client_id` in its `auth`."
            )
