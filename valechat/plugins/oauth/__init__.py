"""Signing in to plugins' servers: OAuth 2.1 as MCP's authorization specification has it.

`authorisation` is what a transport is given as `Context.authorise`. Importing this needs nothing heavy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from valechat.asking import Asker, asker
from valechat.paths import Paths

if TYPE_CHECKING:
    from valechat.keys import KeyRing
    from valechat.plugins.oauth.signing import Authorisation

__all__ = ["authorisation", "sign_out"]

Log = Callable[[str, str, str], None]


def authorisation(
    definition: Any,
    *,
    keys: KeyRing,
    paths: Paths,
    log: Log,
    who: Callable[[], Asker] = asker,
    seconds: float | None = None,
) -> Authorisation | None:
    """What signs a plugin's requests, as an `httpx2.Auth`; None for a plugin that does not use OAuth.

    Args:
        definition: The plugin's, its variables resolved.
        keys: Where its tokens are kept.
        paths: The user's folders.
        log: The plugin's log: source, level, text.
        who: The front end that is asked when the user has to sign in.
        seconds: How long a sign-in may take; left out, five minutes.
    """
    if getattr(getattr(definition, "auth", None), "type", "none") != "oauth":
        return None
    from valechat.plugins.oauth.kept import Kept
    from valechat.plugins.oauth.signin import SIGN_IN_SECONDS, SignIn
    from valechat.plugins.oauth.signing import Authorisation
    from valechat.plugins.oauth.wire import Wire

    wire = Wire(allow_http=bool(getattr(definition, "allow_http", False)))
    sign_in = SignIn(definition, wire, who, SIGN_IN_SECONDS if seconds is None else seconds)
    return Authorisation(definition, kept=Kept(definition.id, keys, paths, log), sign_in=sign_in, wire=wire, log=log)


async def sign_out(plugin: str, *, keys: KeyRing, paths: Paths) -> bool:
    """Forget a plugin's tokens, and tell the server that gave them; whether there were any.

    Raises:
        KeyStorageError: Their storage is locked or damaged.
    """
    from valechat.plugins.oauth.leaving import leave

    return await leave(plugin, keys, paths)
