"""Requests to authorization servers: bounded, encrypted, and without a secret in any error."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx2

from valechat.errors import PluginError
from valechat.plugins.hidden import Hidden
from valechat.plugins.oauth.values import Client
from valechat.plugins.transports.faults import FOREIGN, fault_of_error, shown
from valechat.providers._tls import idle_context, shared_context
from valechat.providers._url import is_loopback

__all__ = ["Reply", "Wire", "origin"]

SECONDS = 20.0
MOST_BYTES = 1024 * 1024
MOST_REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, and the JSON object in it, empty where there is none."""

    status: int
    body: Hidden[Any]

    @property
    def error(self) -> str:
        """OAuth's error code (RFC 6749, section 5.2), if it has one."""
        return str(self.body.get("error", ""))

    def reason(self) -> str:
        """What it says of its failure: the code and its description, nothing else of it."""
        about = str(self.body.get("error_description", ""))[:200]
        return ": ".join(part for part in (self.error[:80] or str(self.status), about.rstrip(".")) if part)


class Wire:
    """How authorization servers are asked. `allow_http` as in the plugin's definition."""

    def __init__(self, *, allow_http: bool) -> None:
        self._allow_http = allow_http

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Reply:
        """Fetch a document; a redirect is followed on the same server.

        Raises:
            PluginError: The server cannot be reached, or the address is not safe.
        """
        for _ in range(MOST_REDIRECTS):
            reply, location = await self._send("GET", url, Hidden(headers=headers or {}))
            target = urljoin(url, location)
            if not location or origin(target) != origin(url):
                return reply
            url = target
        return reply

    async def register(self, url: str, body: Mapping[str, Any]) -> Reply:
        """Post a JSON object. Raises as `get`."""
        return (await self._send("POST", url, Hidden(json=dict(body))))[0]

    async def post(self, url: str, form: Mapping[str, str], client: Client) -> Reply:
        """Post a form as this client (RFC 6749, section 2.3.1). Raises as `get`."""
        headers: Hidden[str] = Hidden()
        data = Hidden(form)
        if client.secret and client.method == "client_secret_basic":
            headers["Authorization"] = _basic(client)
        else:
            data["client_id"] = client.id
            if client.secret:
                data["client_secret"] = client.secret
        return (await self._send("POST", url, Hidden(headers=headers, data=data)))[0]

    def checked(self, url: str) -> str:
        """The address, if secrets may go there.

        Raises:
            PluginError: It is neither encrypted nor on this machine.
        """
        parts = urlsplit(url)
        safe = parts.scheme == "https" or (
            parts.scheme == "http" and (self._allow_http or is_loopback(parts.hostname or ""))
        )
        if not safe or not parts.hostname:
            raise PluginError(
                f"The sign-in leads to {shown(url)}, which is not encrypted.",
                fix="Ask whoever runs the server to use https.",
            )
        return url

    async def _send(self, method: str, url: str, options: Hidden[Any]) -> tuple[Reply, str]:
        parts = urlsplit(self.checked(url))
        own = is_loopback(parts.hostname or "")
        tls = idle_context() if own and parts.scheme == "http" else shared_context()
        try:
            async with (
                asyncio.timeout(SECONDS),
                httpx2.AsyncClient(
                    verify=tls, trust_env=not own, timeout=SECONDS, headers={"Accept": "application/json"}
                ) as client,
                client.stream(method, url, **options) as response,
            ):
                return Reply(response.status_code, await _object(response)), response.headers.get("location", "")
        except FOREIGN as error:
            problem = fault_of_error(url, error, wait=SECONDS).error
        # Raised here, so that it carries neither the request nor what it said.
        raise problem


def _basic(client: Client) -> str:
    pair = f"{quote(client.id, safe='')}:{quote(client.secret or '', safe='')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def origin(url: str) -> str:
    """Scheme, host and port of an address; a WebSocket's is that of HTTP."""
    parts = urlsplit(url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return f"{scheme}://{parts.hostname}:{parts.port or {'https': 443, 'http': 80}.get(scheme)}"


async def _object(response: httpx2.Response) -> Hidden[Any]:
    """The JSON object in a response; empty where there is none, or it is too large."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MOST_BYTES:
            return Hidden()
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return Hidden()
    return Hidden(found) if isinstance(found, dict) else Hidden()
