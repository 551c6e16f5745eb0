"""Where a plugin's tokens are kept, and whose turn it is to renew them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager

from valechat.errors import KeyStorageError, PluginError
from valechat.filelock import try_locked
from valechat.keys import Key, KeyRing, Vault
from valechat.paths import Paths
from valechat.plugins.oauth.values import TokenSet
from valechat.plugins.oauth.wire import origin

__all__ = ["Kept"]

Log = Callable[[str, str, str], None]

LOCK_SECONDS = 90.0
LOOK_SECONDS = 0.05
LOOK_ELSEWHERE_SECONDS = 1.0


class Kept:
    """The tokens of one plugin, shared by all kernels of the user."""

    def __init__(self, plugin: str, keys: KeyRing, paths: Paths, log: Log) -> None:
        self.name = f"plugin:{plugin}:oauth"
        self._vault = Vault(keys, paths)
        self._folder = paths.data / "plugins"
        self._lock = self._folder / f".{re.sub(r'[^A-Za-z0-9_-]', '-', plugin)}.oauth.lock"
        self._log = log
        self._warned = False

    async def read(self, *, url: str, purpose: str) -> TokenSet | None:
        """The tokens for the server at this address; None where there are none, or only for another server.

        Raises:
            KeyStorageError: There are some, but their storage is locked or damaged.
        """
        tokens = await self.any(purpose=purpose)
        return tokens if tokens is not None and tokens.origin == origin(url) else None

    async def any(self, *, purpose: str) -> TokenSet | None:
        """The tokens, whichever server they are for. Raises as `read`."""
        found = await self._vault.read(self.name, purpose=purpose)
        return TokenSet.from_text(found.reveal()) if found is not None else None

    async def write(self, tokens: TokenSet, *, purpose: str) -> None:
        """Keep them in the place of those before."""
        place = await self._vault.write(Key(self.name, tokens.as_text(), ""), purpose=purpose)
        if place == "memory" and not self._warned:
            self._warned = True
            reason = "The sign-in is kept in memory only, because there is no keychain: it ends with this kernel."
            self._log("valechat", "warning", f"{reason} Set VALECHAT_PASSPHRASE to keep it in an encrypted file.")

    async def from_another_kernel(self, *, url: str, refused: TokenSet | None) -> TokenSet:
        """Wait until another kernel has kept tokens that may be used, others than those that were refused."""
        seen = await self._vault.written_at(self.name)
        while True:
            await asyncio.sleep(LOOK_ELSEWHERE_SECONDS)
            now = await self._vault.written_at(self.name)
            if now is not None and now != seen:
                seen = now
                try:
                    tokens = await self.read(url=url, purpose="another kernel signed in")
                except KeyStorageError:
                    continue  # what cannot be read here is no reason to stop asking here
                if tokens is not None and tokens.good and not tokens.same(refused):
                    return tokens

    async def forget(self) -> bool:
        """Forget them; whether there were any. Raises KeyStorageError as `read`."""
        return await self._vault.delete(self.name)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Be the only one of all kernels: a refresh token may be good for a single use.

        Raises:
            PluginError: Another kernel does not get done.
        """
        deadline = asyncio.get_running_loop().time() + LOCK_SECONDS
        with ExitStack() as held:
            try:
                self._folder.mkdir(parents=True, mode=0o700, exist_ok=True)
                while not held.enter_context(try_locked(self._lock)):
                    held.close()
                    if asyncio.get_running_loop().time() > deadline:
                        raise PluginError(
                            "Another kernel has been renewing this sign-in for too long.",
                            fix="Try again, or restart it.",
                        )
                    await asyncio.sleep(LOOK_SECONDS)
            except OSError as error:
                self._log("valechat", "warning", f"{self._lock.name} cannot be locked: {error.strerror}.")
            yield
