"""The one TLS context of the process; making one takes up to 0.1 s, so all clients share it."""

from __future__ import annotations

import os
import ssl
from functools import cache

__all__ = ["idle_context", "shared_context"]


@cache
def shared_context() -> ssl.SSLContext:
    """Trusts the system's authorities (`SSL_CERT_FILE` and `SSL_CERT_DIR` are followed).

    Where the user named none, Mozilla's list is added: some Pythons come without the system's.
    """
    context = ssl.create_default_context()
    if not (os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


@cache
def idle_context() -> ssl.SSLContext:
    """For clients that speak plain HTTP only: made in no time, trusts nobody."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
