"""Which addresses a key may be sent to."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from valechat.errors import ConfigError

__all__ = ["checked_base_url", "is_loopback"]


def checked_base_url(provider: str, url: str, *, allow_insecure: bool = False) -> str:
    """The URL without a trailing slash, if a key may be sent there.

    That is https anywhere, and plain http on this machine only, unless `allow_insecure`.

    Raises:
        ConfigError: The URL is not usable, or would send a key in the clear.
    """
    setting = f"`base_url` in [providers.{provider}]"
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"The address of {provider} is not a URL: {error}.", fix=f"Correct {setting}.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError(
            f"The address of {provider} must begin with https:// or http:// and name a server.",
            fix=f"Correct {setting}.",
        )
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            f"The address of {provider} contains a user name or password.",
            fix=f"Take it out of {setting} and use `api_key` or `headers`.",
        )
    if parts.query or parts.fragment:
        raise ConfigError(f"The address of {provider} contains `?` or `#`.", fix=f"Take it out of {setting}.")
    if parts.scheme == "http" and not allow_insecure and not is_loopback(host):
        raise ConfigError(
            f"The address of {provider} is not encrypted (http://{host}), so its key could be read on the way.",
            fix="Use https, or set `allow_insecure = true` if you trust the network.",
        )
    return parts.geturl().rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
