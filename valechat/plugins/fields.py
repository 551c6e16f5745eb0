"""The kinds of value an entry of `mcp_plugins.json` can have, and what makes one invalid."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from valechat.config.values import is_local, wrong
from valechat.config.variables import references

__all__ = ["BUILT_IN", "Command", "HeaderName", "Identifier", "Network", "Seconds", "Text", "VariableName", "check_url"]

BUILT_IN = {"http": ("https", "http"), "sse": ("https", "http"), "websocket": ("wss", "ws")}
"""Our own transports to cloud services, each with its safe and its plain scheme."""


def _text(value: str) -> str:
    if "\0" in value:
        raise wrong("has a zero byte in it")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise wrong("has half of a character in it", fix="Write it anew.")
    return value


Text = Annotated[str, Field(strict=True), AfterValidator(_text)]


def _identifier(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value, re.ASCII):
        raise wrong(
            "is not a name for a plugin", fix="Use 1 to 64 letters, digits, - and _; its tools are called by it."
        )
    return value


Identifier = Annotated[
    str,
    Field(strict=True),
    AfterValidator(_identifier),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}),
]


def _command(value: str) -> str:
    if not value.strip():
        raise wrong("is empty", fix='Write the program to start, for example "npx" or "uvx".')
    return value


Command = Annotated[Text, AfterValidator(_command), WithJsonSchema({"type": "string", "pattern": "\\S"})]


def _variable(value: str) -> str:
    if not value or "=" in value:
        raise wrong("is not a name an environment variable can have")
    return value


VariableName = Annotated[Text, AfterValidator(_variable)]


def _header(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", value, re.ASCII):
        raise wrong("is not a name an HTTP header can have")
    return value


HeaderName = Annotated[str, Field(strict=True), AfterValidator(_header)]


def _network(value: Any) -> Any:
    if not isinstance(value, bool) and not (isinstance(value, list) and all(isinstance(host, str) for host in value)):
        raise wrong("is neither true, nor false, nor a list of hosts", write='["api.example.com"]')
    return value


Network = Annotated[bool | list[str], BeforeValidator(_network)]

Seconds = Annotated[float, Field(strict=True, gt=0, le=86_400, allow_inf_nan=False)]


def check_url(url: str, transport: str, *, allow_http: bool) -> None:
    """Refuse an address the transport cannot use, or that would send everything in the clear.

    An address with variables in it is looked at when they are known. A third party's transport has
    addresses of its own.

    Raises:
        PydanticCustomError: It is refused.
    """
    if not url.strip():
        raise wrong("is empty", fix="Write the address of the service.", key="url")
    if references(url) or transport not in BUILT_IN:
        return
    safe, plain = BUILT_IN[transport]
    example = f'"{safe}://example.com/mcp"'
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise wrong("is not an address", write=example, key="url") from None
    if parts.scheme not in (safe, plain) or not parts.hostname or not url.isascii() or not url.isprintable():
        raise wrong(f"is not an address that starts with {safe}://", write=example, key="url")
    if " " in url:
        raise wrong("has a blank in it", write=example, key="url")
    if parts.username is not None or parts.password is not None:
        raise wrong(
            "has a user name or password in it", fix='Put the secret into "headers" or "auth", as ${NAME}.', key="url"
        )
    if parts.scheme == plain and not allow_http and not is_local(url):
        raise wrong(
            f"is plain {plain} to another machine: everyone on the way can read and change what is said",
            fix=f'Use {safe}, or write "allow_http": true if the network is your own.',
            key="url",
        )
