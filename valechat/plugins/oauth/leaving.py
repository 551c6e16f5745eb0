"""Signing out: what was given is given back (RFC 7009) and forgotten."""

from __future__ import annotations

import asyncio
import logging

from valechat.errors import ValeChatError
from valechat.keys import KeyRing
from valechat.paths import Paths
from valechat.plugins.oauth.kept import Kept
from valechat.plugins.oauth.values import TokenSet
from valechat.plugins.oauth.wire import Wire

__all__ = ["leave"]

GIVE_BACK_SECONDS = 5.0

_log = logging.getLogger(__name__)


async def leave(plugin: str, keys: KeyRing, paths: Paths) -> bool:
    """Forget a plugin's tokens; whether there were any. The server is told if it can be reached quickly.

    Raises:
        KeyStorageError: Their storage is locked or damaged.
    """
    kept = Kept(plugin, keys, paths, lambda *line: _log.debug("%s", line[-1]))
    tokens = await kept.any(purpose="sign out")
    there = await kept.forget()
    if tokens is not None and tokens.revocation_url and (tokens.refresh or tokens.access):
        try:
            async with asyncio.timeout(GIVE_BACK_SECONDS):
                await _give_back(tokens)
        except (ValeChatError, TimeoutError):
            _log.debug("The sign-in of %s could not be given back", plugin)
    return there


async def _give_back(tokens: TokenSet) -> None:
    """A refresh token takes its access tokens along (RFC 7009, section 2.1)."""
    kind = "refresh_token" if tokens.refresh else "access_token"
    form = {"token": tokens.refresh or tokens.access, "token_type_hint": kind}
    await Wire(allow_http=False).post(tokens.revocation_url or "", form, tokens.client)
