"""A real OAuth 2.1 authorization server and a real MCP server it protects, on one port of loopback.

It checks everything it is sent, and says yes to whoever comes to its sign-in page. What it does otherwise
is set by attributes of `AuthServer`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from tests.plugins.httpserver import Thread, free_port, talk, tools

__all__ = ["AuthServer", "authorising"]


@dataclass
class Grant:
    client: str
    scope: str
    resource: str
    access: str = field(default_factory=lambda: f"access-{secrets.token_urlsafe(16)}")
    refresh: str = field(default_factory=lambda: f"refresh-{secrets.token_urlsafe(16)}")
    ends: float = 0.0


@dataclass
class Code:
    client: str
    redirect: str
    challenge: str
    scope: str
    resource: str


class AuthServer:
    """The two servers. `url` is the protected one's.

    Attributes:
        resource: What the server says that its tokens are for.
        lifetime: Seconds an access token is good for.
        names: The authorization server that the MCP server names.
        issuer: What the metadata says instead of its own name.
        iss: What the sign-in ends with instead of its own name.
        deny: The user says no.
        registers: Whether clients may register themselves.
        needs: The scope the tool `echo` needs.
        basic: Whether it takes a client's secret in the header, too.
        broken: The token endpoint fails.
        kind: The kind of token it gives; empty: none at all.
        given: Every token it gave.
        takes: Whether the MCP server takes any token.
        slow: Seconds the token endpoint takes.
        seen: What was done, in order: `register`, `authorize`, `code`, `refresh`, `client_credentials`, `revoke`.
        forms: What was posted to the token endpoint.
        queries: What was asked of the sign-in page.
        tokens_seen: What was sent to the MCP server as a token.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.base}/mcp"
        self.resource = self.url
        self.lifetime = 3600.0
        self.issuer = self.base
        self.names = self.base
        self.iss = self.base
        self.deny = False
        self.registers = True
        self.needs = ""
        self.basic = True
        self.broken = False
        self.takes = True
        self.kind = "bearer"
        self.given: list[str] = []
        self.slow = 0.0
        self.seen: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.queries: list[dict[str, str]] = []
        self.tokens_seen: list[str] = []
        self.clients: dict[str, tuple[str | None, list[str]]] = {"robot": ("robot s3cret", [])}
        self._codes: dict[str, Code] = {}
        self._grants: list[Grant] = []
        self._used: set[str] = set()
        self._thread: Thread | None = None

    def revoke(self) -> None:
        """The user takes back every permission."""
        self._grants.clear()

    def expire(self) -> None:
        """Every access token ends now, whatever was said of its lifetime."""
        for grant in self._grants:
            grant.ends = 0

    def redirect_port(self) -> int:
        """A port where the client `robot` may have its users come back to."""
        port = free_port()
        self.clients["robot"] = ("robot s3cret", [f"http://127.0.0.1:{port}/callback"])
        return port

    def start(self) -> None:
        server = tools(threading.Event())
        streamable = server.streamable_http_app(json_response=True)

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            async with server.session_manager.run():
                yield

        routes: list[BaseRoute] = [
            Route("/.well-known/oauth-protected-resource/mcp", self._resource),
            Route("/.well-known/oauth-authorization-server", self._metadata),
            Route("/register", self._register, methods=["POST"]),
            Route("/authorize", self._authorize),
            Route("/token", self._token, methods=["POST"]),
            Route("/revoke", self._revoke, methods=["POST"]),
        ]

        async def websocket(connection: WebSocket) -> None:
            await talk(server, connection)

        routes += [*streamable.routes, *server.sse_app().routes, WebSocketRoute("/ws", websocket)]
        open_part = Starlette(routes=routes, lifespan=lifespan)
        self._thread = Thread(self._protected(open_part), self.port)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._thread.stop()
            self._thread = None

    def _protected(self, app: ASGIApp) -> ASGIApp:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan" or not scope["path"].startswith(("/mcp", "/sse", "/messages", "/ws")):
                return await app(scope, receive, send)
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            token = headers.get("authorization", "").removeprefix("Bearer ")
            if token:
                self.tokens_seen.append(token)
            grant = next((one for one in self._grants if one.access == token and one.ends > time.time()), None)
            about = f'resource_metadata="{self.base}/.well-known/oauth-protected-resource/mcp"'
            if grant is None or not self.takes:
                if scope["type"] == "websocket":
                    where = [(b"www-authenticate", f"Bearer {about}".encode())]
                    await send({"type": "websocket.http.response.start", "status": 401, "headers": where})
                    return await send({"type": "websocket.http.response.body", "body": b""})
                refusal = JSONResponse({"error": "unauthorized"}, 401, {"WWW-Authenticate": f"Bearer {about}"})
                return await refusal(scope, receive, send)
            if self.needs and self.needs not in grant.scope.split():
                body, receive = await _body(receive)
                if b'"tools/call"' in body:
                    wants = f'Bearer error="insufficient_scope", scope="{self.needs}", {about}'
                    return await JSONResponse({}, 403, {"WWW-Authenticate": wants})(scope, receive, send)
            return await app(scope, receive, send)

        return serve

    async def _resource(self, request: Request) -> Response:
        return JSONResponse(
            {"resource": self.resource, "authorization_servers": [self.names], "scopes_supported": ["read"]}
        )

    async def _metadata(self, request: Request) -> Response:
        found = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.base}/authorize",
            "token_endpoint": f"{self.base}/token",
            "revocation_endpoint": f"{self.base}/revoke",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        if self.registers:
            found["registration_endpoint"] = f"{self.base}/register"
        return JSONResponse(found)

    async def _register(self, request: Request) -> Response:
        asked = await request.json()
        if not asked["redirect_uris"][0].startswith("http://127.0.0.1:"):
            return JSONResponse({"error": "invalid_redirect_uri"}, 400)
        client = f"client-{len(self.clients)}"
        self.clients[client] = (None, asked["redirect_uris"])
        self.seen.append("register")
        return JSONResponse({**asked, "client_id": client}, 201)

    async def _authorize(self, request: Request) -> Response:
        query = dict(request.query_params)
        self.queries.append(query)
        client = self.clients.get(query.get("client_id", ""))
        if client is None or query["redirect_uri"] not in client[1] or query["response_type"] != "code":
            return JSONResponse({"error": "invalid_request"}, 400)
        if query.get("code_challenge_method") != "S256" or query.get("resource") != self.resource:
            return JSONResponse({"error": "invalid_request"}, 400)
        self.seen.append("authorize")
        answer = {"state": query["state"], "iss": self.iss}
        if self.deny:
            return RedirectResponse(f"{query['redirect_uri']}?{urlencode({**answer, 'error': 'access_denied'})}")
        code = secrets.token_urlsafe(8)
        self._codes[code] = Code(
            query["client_id"], query["redirect_uri"], query["code_challenge"], query.get("scope", ""), self.url
        )
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode({**answer, 'code': code})}")

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.forms.append(form)
        await asyncio.sleep(self.slow)
        if self.broken:
            return JSONResponse({}, 503)
        client = self._client(request, form)
        if client is None:
            return JSONResponse({"error": "invalid_client"}, 401)
        if form.get("resource") != self.resource and "resource" in form:
            return JSONResponse({"error": "invalid_target"}, 400)
        kind = form["grant_type"]
        scope = self._granted(kind, form, client)
        if scope is None:
            return JSONResponse({"error": "invalid_grant", "error_description": "no longer good"}, 400)
        self.seen.append("code" if kind == "authorization_code" else kind.removesuffix("_token"))
        grant = Grant(client, scope, self.url, ends=time.time() + self.lifetime)
        self._grants.append(grant)
        self.given += [grant.access, grant.refresh]
        answer: dict[str, Any] = {"access_token": grant.access, "token_type": self.kind, "expires_in": self.lifetime}
        if not self.kind:
            answer = {"refresh_token": grant.refresh, "id_token": grant.access}
        if kind != "client_credentials":
            answer |= {"refresh_token": grant.refresh, "scope": scope}
        return JSONResponse(answer)

    def _client(self, request: Request, form: dict[str, str]) -> str | None:
        header = request.headers.get("authorization", "")
        name, secret = form.get("client_id", ""), form.get("client_secret")
        if header.startswith("Basic ") and self.basic:
            name, _, secret = base64.b64decode(header[6:]).decode().partition(":")
            name, secret = unquote(name), unquote(secret)
        known = self.clients.get(name)
        return name if known is not None and known[0] == secret else None

    def _granted(self, kind: str, form: dict[str, str], client: str) -> str | None:
        """The scope, None where the grant is no good."""
        if kind == "client_credentials":
            return form.get("scope", "")
        if kind == "authorization_code":
            code = self._codes.pop(form["code"], None)
            proof = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
            good = code is not None and (code.client, code.redirect, code.challenge) == (
                client,
                form["redirect_uri"],
                proof.decode(),
            )
            return code.scope if good and code is not None else None
        refresh = form["refresh_token"]
        if refresh in self._used:
            self._grants.clear()  # used twice: somebody stole it (RFC 9700, section 4.14)
            return None
        before = next((one for one in self._grants if one.refresh == refresh and one.client == client), None)
        if before is None:
            return None
        self._used.add(refresh)
        self._grants.remove(before)
        return before.scope

    async def _revoke(self, request: Request) -> Response:
        form = await request.form()
        self._grants = [one for one in self._grants if form["token"] not in (one.refresh, one.access)]
        self.seen.append("revoke")
        return Response()


async def _body(receive: Receive) -> tuple[bytes, Receive]:
    """A request's body, and a `receive` that gives it again."""
    message = await receive()
    body = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    given = False

    async def again() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return body, again


@contextmanager
def authorising() -> Iterator[AuthServer]:
    """The running servers, stopped at the end."""
    server = AuthServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()
