"""What can go wrong between here and a server on the network, as sentences.

Everything httpx2, TLS, the socket or an HTTP status says becomes a `Fault` here, and nowhere else. No
sentence contains a header, a token or the part of an address behind its `?`.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from valechat.errors import PluginError, SignInNeeded, ValeChatError
from valechat.providers._url import is_loopback

__all__ = ["FOREIGN", "Fault", "fault_of_error", "fault_of_sign_in", "fault_of_status", "shown"]

FOREIGN = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError, UnicodeError)
"""What a request can raise that is not ours. TimeoutError is among it, as an OSError."""

METHOD_NOT_FOUND = -32601


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that went wrong with one request.

    Attributes:
        error: What to tell the user.
        ends: The connection or the session is gone: no later request can succeed on it.
        undone: The server certainly did not carry the request out, so it may be sent again.
    """

    error: PluginError
    ends: bool = False
    undone: bool = False


def fault_of_sign_in(error: ValeChatError) -> Fault:
    """The fault behind a sign-in that failed; one whose tokens cannot be read needs the user, too."""
    ours = error if isinstance(error, PluginError) else SignInNeeded(error.message, fix=error.fix)
    return Fault(ours, undone=True)


def shown(url: str) -> str:
    """An address as it may be shown: without user name, query and fragment, which can hold secrets."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def fault_of_error(url: str, error: BaseException, *, wait: float) -> Fault:
    """The fault behind one of `FOREIGN`. `wait` is how many seconds an answer may take."""
    server, host = urlsplit(url).netloc.rpartition("@")[2], urlsplit(url).hostname or ""
    check = "Is the server running?" if is_loopback(host) else "Check the network and the address."
    if isinstance(error, httpx2.PoolTimeout):
        return _fault(f"Too many requests to {server} are under way.", "Try again when some are done.", undone=True)
    if isinstance(error, httpx2.ReadTimeout | httpx2.WriteTimeout):
        return _fault(f"{server} was silent for more than {wait:g} s.", "Raise `call_timeout` if it needs longer.")
    if isinstance(error, httpx2.LocalProtocolError | httpx2.InvalidURL | httpx2.UnsupportedProtocol | UnicodeError):
        return _fault(f"The request to {server} could not be written as HTTP.", "Check `url` and `headers`.")
    reason = next((found for cause in _causes(error) if (found := _unreachable(cause, server, host))), None)
    if reason is not None:
        message, fix = reason
        return _fault(message, fix or check, ends=True, undone=True)
    return _fault(f"{server} closed the connection before it had answered.", "Try again.")


def _unreachable(error: BaseException, server: str, host: str) -> tuple[str, str] | None:
    """Why no connection came about, with a special fix or none; None where this error is not about that."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = f"The certificate of {server} could not be verified ({error.verify_message})."
        return reason, "Check the address; SSL_CERT_FILE can name an authority of your own."
    if isinstance(error, httpx2.ProxyError):
        return f"The proxy did not connect to {server}.", "Check HTTPS_PROXY and NO_PROXY."
    plain = (
        (ssl.SSLError, f"{server} does not speak TLS as expected."),
        (socket.gaierror, f"No address is known for {host}."),
        (ConnectionRefusedError, f"Nothing answers at {server}."),
        (httpx2.ConnectTimeout, f"No connection to {server} could be made in time."),
    )
    message = next((text for kind, text in plain if isinstance(error, kind)), "")
    if not message and isinstance(error, httpx2.ConnectError) and error.__cause__ is None:
        message = f"No connection to {server} could be made."
    return (message, "") if message else None


_SIGN_IN = {
    "none": "Set `auth` in its configuration: a bearer token, or oauth.",
    "offered": 'It lets you sign in: set "auth": {"type": "oauth"} in its configuration.',
    "bearer": "Check the token in its `auth`: it may be mistyped, revoked or out of date.",
    "oauth": "Sign out and enable it again, to sign in anew.",
}

_NOT_THERE = "There is no MCP server at {place}"
_STATUS = {
    403: ("{place} refuses this", "Check what your account or token may do there."),
    404: (_NOT_THERE, "Check the address, its path too."),
    405: ("{place} does not take requests by POST", 'If it is an older server, set "transport": "sse".'),
    410: (_NOT_THERE, "Check the address, its path too."),
    413: ("The request is larger than {place} takes", "Send less."),
    429: ("{place} wants fewer requests", "Wait a little, then try again."),
}
"""What the statuses mean that say more than their class: what happened, what to do."""


def fault_of_status(
    url: str, status: int, *, session: bool, auth: str, answer: Mapping[str, Any] | None, challenge: str = ""
) -> Fault:
    """The fault behind an HTTP status of 400 or more.

    Args:
        url: The server's address.
        status: The status.
        session: Whether the request named a session (`Mcp-Session-Id`).
        auth: The kind of authentication that is configured: `none`, `bearer` or `oauth`.
        answer: The JSON-RPC error object in the body, if there is one.
        challenge: The response's `WWW-Authenticate`.
    """
    place = shown(url)
    said = str(answer.get("message", "")) if answer else ""
    if session and _session_lost(status, answer, said):
        # MCP "Streamable HTTP", Session Management: 404 means that the session is gone; then start anew.
        reason = f"{place} does not know the session any more: it was restarted, or the session was idle for too long."
        return _fault(reason, "It is connected anew by itself.", ends=True, undone=True)
    if status == 401:
        # RFC 9728, section 5.1: then it says where to sign in.
        kind = "offered" if auth == "none" and "resource_metadata" in challenge else auth
        return _fault(f"{place} does not let this in (401).", _SIGN_IN.get(kind, _SIGN_IN["bearer"]), undone=True)
    if status in _STATUS:
        reason, fix = _STATUS[status]
        return _fault(f"{reason.format(place=place)} ({status}).", fix, undone=True)
    if status >= 500:
        return _fault(f"{place} failed ({status}).", "Try again later; its own log says why.")
    more = f": {said[:200]}" if said else ""
    return _fault(f"{place} rejected the request ({status}){more}.", "Check the address and the plugin's `transport`.")


def _session_lost(status: int, answer: Mapping[str, Any] | None, said: str) -> bool:
    if status in (404, 410):
        # A newer server says 404 of a method it does not know, too, but then says so.
        return not (answer and answer.get("code") == METHOD_NOT_FOUND)
    return status == 400 and "session" in said.lower()  # servers written after older examples say it so


def _fault(message: str, fix: str, *, ends: bool = False, undone: bool = False) -> Fault:
    return Fault(PluginError(message, fix=fix), ends=ends, undone=undone)


def _causes(error: BaseException | None, depth: int = 0) -> Iterator[BaseException]:
    if error is None or depth > 8:
        return
    yield error
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _causes(inner, depth + 1)
    yield from _causes(error.__cause__ or error.__context__, depth + 1)
