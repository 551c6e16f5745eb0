"""The token on each request to a plugin's server, and everything that has to happen for it.

The SDK's own provider holds a lock while a request is under way, which blocks all others behind a stream
(python-sdk#3209), sends the user to the browser where a refresh would do (#3250), and tells the log what
an authorization server said. What it knows of discovery is used; the rest is here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Any, Literal

import httpx2
from mcp.client.auth.utils import extract_field_from_www_auth

from valechat.errors import PluginError, SignInNeeded
from valechat.plugins.hidden import Hidden
from valechat.plugins.oauth.discovery import discover, http_url
from valechat.plugins.oauth.grants import Refused, configured_client, for_client, renewed
from valechat.plugins.oauth.kept import Kept
from valechat.plugins.oauth.signin import SignIn
from valechat.plugins.oauth.values import Challenge, Endpoints, TokenSet
from valechat.plugins.oauth.wire import Wire, origin
from valechat.plugins.transports.faults import FOREIGN, shown
from valechat.plugins.transports.web import client_options

__all__ = ["Authorisation"]

JUST_NOW_SECONDS = 60.0

_Way = Literal["kept", "refresh", "asked"]


class Authorisation(httpx2.Auth):
    """Signs the requests of one plugin. Used on one loop, by any number of tasks.

    Args:
        definition: The plugin's, with `auth` of the type `oauth`; its variables resolved.
        kept: Its tokens.
        sign_in: Asks the user.
        wire: Asks authorization servers.
        log: The plugin's log.
    """

    def __init__(
        self, definition: Any, *, kept: Kept, sign_in: SignIn, wire: Wire, log: Callable[[str, str, str], None]
    ) -> None:
        self._definition = definition
        self._url = http_url(definition.url)
        self._kept = kept
        self._sign_in = sign_in
        self._wire = wire
        self._log = log
        self._lock = asyncio.Lock()
        self._tokens: TokenSet | None = None
        self._loaded = False
        self._way: _Way = "kept"
        self._since = float("-inf")
        self._taken = True
        self._taken_since_asked = True
        self._asked_scopes: set[str] = set()
        self._declined: SignInNeeded | None = None
        self._working: set[asyncio.Task[Any]] = set()

    async def prepare(self) -> None:
        """Have a token that may be used, signing in now if the server wants that. Asks again after a refusal.

        Raises:
            SignInNeeded: The user declined, was not there, or took too long.
            PluginError: It failed.
            KeyStorageError: The tokens are there, but their storage is locked.
        """
        self._declined = None
        if await self._current() is not None:
            return
        challenge = Challenge() if self._machine else await self._probe()
        if challenge is not None:
            await self._renewed(challenge, None)

    async def headers(self, *, challenge: str | None = None) -> Hidden[str]:
        """The header that signs a request. `challenge` is the `WWW-Authenticate` of one that was refused.

        Raises:
            PluginError, KeyStorageError: As `prepare`.
        """
        tokens = await self._current()
        if challenge is not None:
            refusal = httpx2.Response(401, headers={"WWW-Authenticate": challenge})
            tokens = await self._renewed(_challenge(refusal) or Challenge(), tokens)
        return Hidden({"Authorization": f"Bearer {tokens.access}"} if tokens is not None else {})

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Sign it; where it is refused, renew the token or have the user sign in, and try once more."""
        if origin(str(request.url)) != origin(self._url):
            yield request
            return
        tokens = await self._current()
        _sign(request, tokens)
        response = yield request
        challenge = _challenge(response)
        if tokens is not None and tokens is self._tokens and response.status_code != 401:
            self._taken = self._taken_since_asked = True
        if challenge is None or request.method == "DELETE" or self._pointless(challenge, tokens):
            return
        tokens = await self._renewed(challenge, tokens)
        _sign(request, tokens)
        response = yield request
        if tokens is self._tokens and response.status_code != 401:
            self._taken = self._taken_since_asked = True

    @property
    def _machine(self) -> bool:
        """Whether the client signs in for itself: it is said so, or there is a secret and no page for a user."""
        auth, written = self._definition.auth, getattr(self._definition, "written", self._definition).auth
        return auth.grant == "client_credentials" or bool(
            auth.token_url
            and auth.client_secret
            and not auth.authorization_url
            and "grant" not in getattr(written, "model_fields_set", ())
        )

    async def _current(self) -> TokenSet | None:
        """The tokens to use now: those in memory, those that are kept, or new ones for a refresh token."""
        tokens = self._tokens
        if tokens is not None and tokens.good:
            return tokens
        async with self._lock:
            if not self._loaded:
                self._tokens = await self._read("use the sign-in")
                self._loaded = True
            if self._tokens is None or self._tokens.good:
                return self._tokens
            if self._tokens.refresh is None and not self._machine:
                return None
            found, _ = await self._without_asking(Challenge(), self._tokens)
            return found

    async def _renewed(self, challenge: Challenge, used: TokenSet | None) -> TokenSet:
        """Other tokens than those that were refused."""
        async with self._lock:
            now = self._tokens
            if now is not None and now.good and not now.same(used):
                return now  # another request has seen to it
            found, reason = await self._without_asking(challenge, used)
            return found if found is not None else await self._asked(challenge, reason, used)

    async def _without_asking(self, challenge: Challenge, used: TokenSet | None) -> tuple[TokenSet | None, str]:
        """New tokens without the user, or None and why there are none."""
        new = self._new(used)
        if new and self._machine:
            raise self._not_taken()
        refresh = not challenge.more and not (new and self._way == "refresh")
        # To its end, even when this request is given up: a refresh token that was used and not kept is lost.
        work = asyncio.create_task(self._renew(challenge, used, refresh=refresh))
        self._working.add(work)
        work.add_done_callback(self._worked)
        return await asyncio.shield(work)

    def _worked(self, work: asyncio.Task[Any]) -> None:
        self._working.discard(work)
        if not work.cancelled():
            work.exception()  # whoever waited has it; it is no news to the loop

    async def _renew(
        self, challenge: Challenge, used: TokenSet | None, *, refresh: bool
    ) -> tuple[TokenSet | None, str]:
        """As `_without_asking`, while all other kernels wait."""
        async with self._kept.alone():
            kept = await self._read("renew the sign-in")
            if kept is not None and kept.good and not kept.same(used):
                return self._have(kept, "kept"), ""  # another kernel has seen to it
            if self._machine:
                return await self._for_itself(challenge, kept), ""
            self._tokens = kept
            if kept is None or kept.refresh is None or not refresh:
                return None, ""
            try:
                tokens = await renewed(self._wire, kept)
            except Refused as error:
                ended = self._ended(kept, error)
            else:
                await self._keep(tokens, "renewed the sign-in")
                return self._have(tokens, "refresh"), ""
            self._tokens = ended
            await self._keep(ended, "the sign-in has ended")
        return None, f"The sign-in to {self._definition.title} was revoked or has run out."

    def _ended(self, kept: TokenSet, refusal: Refused) -> TokenSet:
        """What is left of tokens that are not renewed any more: who we are there, if that is still known."""
        registered = kept.client.issuer is not None
        forgotten = registered and refusal.code in ("invalid_client", "unauthorized_client")
        if refusal.code != "invalid_grant" and not forgotten:
            raise refusal
        self._log("valechat", "warning", f"The sign-in has ended: {refusal.message}")
        ended = kept.used_up(revoked=True)
        return replace(ended, client=replace(kept.client, issuer=None)) if forgotten else ended

    async def _for_itself(self, challenge: Challenge, kept: TokenSet | None) -> TokenSet:
        """Tokens for the client's own credentials."""
        auth = self._definition.auth
        endpoints = (
            Endpoints(auth.issuer or "", None, auth.token_url)
            if auth.token_url
            else await discover(self._wire, self._definition, challenge)
        )
        self._same_issuer(endpoints, kept)
        client = configured_client(auth, endpoints.methods)
        if client is None:
            raise PluginError(f"{self._definition.title} has no client_id.", fix="Set it in its `auth`.")
        scope = " ".join(auth.scopes) or challenge.scope
        blank = TokenSet(
            origin(self._url),
            client,
            endpoints.token,
            scope=scope,
            resource=endpoints.resource,
            revocation_url=endpoints.revocation,
            issuer=endpoints.issuer,
        )
        tokens = await for_client(self._wire, blank)
        await self._keep(tokens, "signed in for itself")
        return self._have(tokens, "asked")

    async def _asked(self, challenge: Challenge, reason: str, used: TokenSet | None) -> TokenSet:
        """Tokens by having the user sign in. Asks once: later requests fail with the same refusal."""
        if self._declined is not None:
            raise self._declined
        if self._way != "kept" and not self._taken_since_asked and not reason and not challenge.more:
            raise self._not_taken()
        endpoints = await self._endpoints(challenge)
        self._same_issuer(endpoints, self._tokens)
        here = asyncio.ensure_future(self._sign_in.run(endpoints, challenge, self._tokens, reason))
        elsewhere = asyncio.ensure_future(self._kept.from_another_kernel(url=self._url, refused=used))
        both: set[asyncio.Future[TokenSet]] = {here, elsewhere}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not here.done():
                self._log("valechat", "info", "Signed in by another kernel.")
                return self._have(elsewhere.result(), "kept")
            tokens = here.result()
        except SignInNeeded as error:
            self._declined = error
            raise
        finally:
            for one in both:
                one.cancel()
            await asyncio.wait(both)
        self._asked_scopes |= set((challenge.scope or "").split())
        async with self._kept.alone():
            await self._keep(tokens, "signed in")
        self._log("valechat", "info", "Signed in.")
        self._taken_since_asked = False
        return self._have(tokens, "asked")

    async def _endpoints(self, challenge: Challenge) -> Endpoints:
        auth = self._definition.auth
        if auth.authorization_url and auth.token_url:
            return Endpoints(auth.issuer or "", auth.authorization_url, auth.token_url)
        return await discover(self._wire, self._definition, challenge)

    async def _read(self, purpose: str) -> TokenSet | None:
        """What is kept, if it was given to the client that is configured now."""
        kept, auth = await self._kept.read(url=self._url, purpose=purpose), self._definition.auth
        if kept is None:
            return None
        if not auth.client_id:
            return kept if kept.client.redirect_uri is not None else None
        if kept.client.id != auth.client_id:
            return None
        return replace(kept, client=replace(kept.client, secret=auth.client_secret))

    async def _keep(self, tokens: TokenSet, purpose: str) -> None:
        """Keep them; a configured secret stays where the user has it."""
        if self._definition.auth.client_id:
            tokens = replace(tokens, client=replace(tokens.client, secret=None))
        await self._kept.write(tokens, purpose=purpose)

    def _same_issuer(self, endpoints: Endpoints, before: TokenSet | None) -> None:
        """Make sure that a configured secret goes to nobody else because the server names somebody else now."""
        auth = self._definition.auth
        if not auth.client_secret or auth.issuer or auth.token_url or before is None or not before.issuer:
            return
        if endpoints.issuer != before.issuer:
            raise PluginError(
                f"{self._definition.title} has people sign in at {shown(endpoints.issuer)} now, not at"
                f" {shown(before.issuer)}; your client_secret is not sent there.",
                fix="If that is right, set `issuer` in its `auth`.",
            )

    async def _probe(self) -> Challenge | None:
        """What the server wants from someone without a token; None where it wants nothing, or cannot be asked."""
        try:
            async with (
                httpx2.AsyncClient(**client_options(self._definition)) as client,
                asyncio.timeout(self._definition.timeout),
                client.stream("GET", self._url, headers={"Accept": "text/event-stream"}) as response,
            ):
                return _challenge(response)
        except FOREIGN:
            return None  # the connection itself will say it better

    def _pointless(self, challenge: Challenge, used: TokenSet | None) -> bool:
        """Whether signing in for more would bring nothing: it is not said what, or it was asked for already."""
        wanted = set((challenge.scope or "").split())
        granted = set(((used.scope if used is not None else "") or "").split())
        return challenge.more and (not wanted or wanted <= granted | self._asked_scopes or self._machine)

    def _have(self, tokens: TokenSet, way: _Way) -> TokenSet:
        self._tokens, self._way, self._since = tokens, way, asyncio.get_running_loop().time()
        self._taken = False
        return tokens

    def _new(self, refused: TokenSet | None) -> bool:
        """Whether the token that was refused was had just now, and never taken."""
        ours = self._tokens is not None and self._tokens.same(refused)
        return ours and not self._taken and asyncio.get_running_loop().time() - self._since < JUST_NOW_SECONDS

    def _not_taken(self) -> PluginError:
        return PluginError(
            f"{self._definition.title} does not take the token that its sign-in server has just given.",
            fix="Check `scopes` in its `auth`, or ask whoever runs the server.",
        )


def _sign(request: httpx2.Request, tokens: TokenSet | None) -> None:
    request.headers.pop("Authorization", None)
    if tokens is not None:
        request.headers["Authorization"] = f"Bearer {tokens.access}"


def _challenge(response: httpx2.Response) -> Challenge | None:
    """What a refusal asks for; None where it is none, or no token would help."""
    more = response.status_code == 403 and extract_field_from_www_auth(response, "error") == "insufficient_scope"
    if response.status_code != 401 and not more:
        return None
    return Challenge(
        metadata_url=extract_field_from_www_auth(response, "resource_metadata"),
        scope=extract_field_from_www_auth(response, "scope"),
        more=more,
    )
