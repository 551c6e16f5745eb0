"""Finding, keeping and forgetting providers' keys."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from valechat.config import KNOWN, Settings, variables_in
from valechat.config.values import is_local
from valechat.errors import ConfigError, KeyStorageError, MissingKey
from valechat.keys.encrypted import KeyFile
from valechat.keys.environment import key_from_environment, usual_variables
from valechat.keys.index import KeyIndex, Place, StoredKey
from valechat.keys.keychain import Keychain
from valechat.keys.secret import Key, clean_key, clean_secret, is_secret_name, kept_as, shown_as
from valechat.keys.storages import Storages
from valechat.paths import Paths

__all__ = ["PASSPHRASE", "AskPassphrase", "KeyRing", "KeyRow", "OnAccess"]

PASSPHRASE = "VALECHAT_PASSPHRASE"  # noqa: S105 - the variable's name

PATIENCE = 60.0
"""Seconds before a keychain that failed is asked again for a key it may not have."""

AskPassphrase = Callable[[bool], Awaitable[str | None]]
"""Asks the user for the key file's passphrase; True when it is being chosen. None: the user declined."""


class OnAccess(Protocol):
    """Records that a key was used. Blocking; `Ledger.add_key_access` is one."""

    def __call__(self, *, key: str, source: str, purpose: str, at: datetime) -> None:
        """Record it. `key` is the provider's name, never the key."""
        ...


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key that was found, without the key.

    Attributes:
        provider: Whose key it is; for a secret that a plugin uses, its name (`GITHUB_TOKEN`).
        source: Where it is: `environment OPENAI_API_KEY`, `config.toml`, `keychain`, `key file`.
        stored_at: When it was stored; None for one that ValeChat does not keep.
        note: Why it is not the one that is used; empty when it is.
    """

    provider: str
    source: str
    stored_at: datetime | None = None
    note: str = ""


class KeyRing:
    """All keys of a user. A key that was found is kept in memory until `forget`.

    Looked for in this order: the environment (the variable named by `api_key` in the settings, else
    the provider's usual one), storages of other packages, the keychain, the encrypted key file. Use it
    from one event loop.

    Args:
        paths: Where index and key file are.
        settings: Gives the settings as they are now.
        keychain: The system's keychain.
        environ: The environment; None means the process's own.
        on_access: Told of each use of a key.
        ask_passphrase: Asks for the key file's passphrase where `VALECHAT_PASSPHRASE` is not set.
    """

    def __init__(
        self,
        paths: Paths,
        settings: Callable[[], Settings],
        *,
        keychain: Keychain | None = None,
        environ: Mapping[str, str] | None = None,
        on_access: OnAccess | None = None,
        ask_passphrase: AskPassphrase | None = None,
    ) -> None:
        self.keychain = keychain or Keychain()
        self.file = KeyFile(paths.data / "keys.enc")
        self.on_access = on_access
        self.ask_passphrase = ask_passphrase
        self._index = KeyIndex(paths.data)
        self._storages = Storages()
        self.settings = settings
        self.environ: Mapping[str, str] = os.environ if environ is None else environ
        self._cache: dict[str, Key] = {}
        self._lookup = asyncio.Lock()
        self._trouble = ""
        self._ask_again_at = 0.0

    async def get(self, provider: str, *, purpose: str = "request") -> Key | None:
        """The provider's key, or None when it has none. The use is recorded.

        A server on this machine is not looked up in the keychain unless a key was stored for it.

        Raises:
            ConfigError: The settings name a variable that is not set, or hold what cannot be a key.
            KeyStorageError: A key was stored, but its keychain or file is locked, absent or damaged.
        """
        key = key_from_environment(provider, self.settings(), self.environ) or self._cache.get(provider)
        if key is None:
            async with self._lookup:
                key = self._cache.get(provider) or await self._find(provider)
                if key is not None:
                    self._cache[provider] = key
        if key is not None:
            await self._record(provider, key.source, purpose)
        return key

    async def secret(self, name: str, *, purpose: str) -> Key | None:
        """What a variable (`GITHUB_TOKEN`) holds in the environment, else what is kept under its name, or None.

        The use is recorded. The providers' kept keys cannot be had this way.

        Raises:
            KeyStorageError: It was stored, but its keychain or file is locked, absent or damaged.
        """
        value = self.environ.get(name)
        key = Key(name, value, f"environment {name}") if value else None
        if key is None and is_secret_name(name):
            kept = kept_as(name)
            async with self._lookup:
                key = self._cache.get(kept) or await self._find(kept)
                if key is not None:
                    self._cache[kept] = key
        if key is not None:
            await self._record(name, key.source, purpose)
        return key

    async def store(self, provider: str, value: str, *, place: Place = "keychain") -> StoredKey:
        """Keep a provider's key, or a secret under a variable's name, in the place of the one kept before.

        That it was kept or replaced is recorded.

        Raises:
            ConfigError: This cannot be a key.
            KeyStorageError: The place is locked, absent, damaged or cannot be written.
        """
        named = is_secret_name(provider)
        text = clean_secret(value) if named else clean_key(value)
        if text is None:
            raise ConfigError(
                "The secret is empty." if named else "This cannot be a key: a key is printable ASCII without blanks.",
                fix="Copy it again, without quotes or line breaks.",
            )
        provider = kept_as(provider)
        key = Key(provider, text, "keychain" if place == "keychain" else "key file")
        del value, text
        async with self._lookup:
            before = self._stored(provider)
            if place == "keychain":
                await self.keychain.set(key)
            else:
                await self.unlock(new=not self.file.exists)
                await asyncio.to_thread(self.file.put, key)
            self._index.put(provider, place)
            self._cache[provider] = key
            self._trouble = ""
            if before is not None and before.place != place:
                # The old copy is not used any more; where it cannot be reached, that is why it moved.
                with contextlib.suppress(KeyStorageError):
                    await self._drop(provider, before.place)
        await self._record(shown_as(provider), key.source, "kept" if before is None else "replaced")
        return replace(self._index.read()[provider], provider=shown_as(provider))

    async def delete(self, provider: str) -> bool:
        """Delete the provider's kept key, or a named secret; whether there was one. The environment is not touched.

        Raises:
            KeyStorageError: The place it is kept in is locked, absent or cannot be written.
        """
        provider = kept_as(provider)
        async with self._lookup:
            self._cache.pop(provider, None)
            row = self._stored(provider)
            if row is None:
                return (await self.keychain.state()).usable and await self.keychain.delete(provider)
            was_there = await self._drop(provider, row.place)
            self._index.drop(provider)
        await self._record(shown_as(provider), "keychain" if row.place == "keychain" else "key file", "deleted")
        return was_there

    async def rotate(self, passphrase: str) -> None:
        """Encrypt the key file anew under another passphrase and key; recorded. The old passphrase is asked for.

        Raises:
            KeyStorageError: There is no key file, the old passphrase is wrong, or the file cannot be written.
        """
        if not self.file.exists:
            raise KeyStorageError("There is no key file.", fix="`valechat keys set PROVIDER --file` makes one.")
        async with self._lookup:
            await self.unlock(new=False)
            await asyncio.to_thread(self.file.rotate, passphrase)
        await self._record("key file", "key file", "rotated")

    def list(self) -> tuple[KeyRow, ...]:
        """The keys there are, by provider, without asking the keychain. The first of a provider is used."""
        settings, stored = self.settings(), self._index.read()
        rows: list[KeyRow] = []
        elsewhere = dict(reversed(self._storages.names()))
        for kept in sorted({*settings.provider_names, *stored, *elsewhere}):
            found = _in_environment(kept, settings, self.environ)
            if (title := elsewhere.get(shown_as(kept))) is not None:
                found.append(KeyRow(shown_as(kept), title, None, _not_used(found)))
            if (row := stored.get(kept)) is not None:
                source = "keychain" if row.place == "keychain" else "key file"
                found.append(KeyRow(shown_as(kept), source, row.stored_at, _not_used(found)))
            rows += found
        return tuple(rows)

    def missing(self, provider: str) -> MissingKey:
        """The error for a provider that needs a key and has none; says why the keychain was no help."""
        names = usual_variables(provider)
        set_it = (
            f"Set {names[0]}, or run: valechat keys set {provider}" if names else f"Run: valechat keys set {provider}"
        )
        why = f" {self._trouble}" if self._trouble else ""
        return MissingKey(f"No key was found for {provider}.{why}", provider=provider, fix=set_it)

    def forget(self, provider: str | None = None) -> None:
        """Drop what is in memory: one provider's key, or all keys and the passphrase."""
        self._trouble = ""
        if provider is not None:
            self._cache.pop(kept_as(provider), None)
            return
        self._cache.clear()
        self.file.lock()

    async def _record(self, name: str, source: str, purpose: str) -> None:
        if self.on_access is not None:
            now = datetime.now(UTC)
            await asyncio.to_thread(self.on_access, key=name, source=source, purpose=purpose, at=now)

    async def unlock(self, *, new: bool) -> None:
        """Open the key file, with the passphrase of the environment or the user's.

        Raises:
            KeyStorageError: There is no passphrase, or it is wrong.
        """
        if self.file.unlocked:
            return
        passphrase = self.environ.get(PASSPHRASE)
        if not passphrase and self.ask_passphrase is not None:
            passphrase = await self.ask_passphrase(new)
        if not passphrase:
            raise KeyStorageError(
                "The key file needs its passphrase.", fix=f"Set {PASSPHRASE}, or enter the passphrase when asked."
            )
        await asyncio.to_thread(self.file.unlock, passphrase)

    async def _find(self, provider: str) -> Key | None:
        if (elsewhere := await self._storages.get(shown_as(provider))) is not None:
            return elsewhere
        row = self._stored(provider)
        if row is None:
            return None if self._needs_none(provider) else await self._unlisted(provider)
        if row.place == "keychain":
            return await self.keychain.get(provider)
        await self.unlock(new=False)
        return await asyncio.to_thread(self.file.get, provider)

    async def _unlisted(self, provider: str) -> Key | None:
        """A key the index does not know: another program put it into the keychain, or the index is lost.

        A keychain in trouble is no error then, for most likely it has nothing; but it is not asked
        again and again, which could take its timeout each time.
        """
        if not self._trouble or time.monotonic() > self._ask_again_at:
            try:
                key, self._trouble = await self.keychain.get(provider), ""
            except KeyStorageError as error:
                key, self._trouble = None, error.message
                self._ask_again_at = time.monotonic() + PATIENCE
            if key is not None:
                return key
        if self.file.exists and (self.file.unlocked or self.environ.get(PASSPHRASE)):
            await self.unlock(new=False)
            return await asyncio.to_thread(self.file.get, provider)
        return None

    def _needs_none(self, provider: str) -> bool:
        entry = self.settings().providers.get(provider)
        known = KNOWN.get(provider)
        if entry is not None and entry.base_url is not None:
            return is_local(entry.base_url)
        return known is not None and known.local

    def _stored(self, provider: str) -> StoredKey | None:
        return self._index.read().get(provider)

    async def _drop(self, provider: str, place: Place) -> bool:
        if place == "keychain":
            return await self.keychain.delete(provider)
        await self.unlock(new=False)
        return await asyncio.to_thread(self.file.drop, provider)


def _not_used(found: Sequence[KeyRow]) -> str:
    return f"not used: {found[0].source} comes first" if found else ""


def _in_environment(provider: str, settings: Settings, environ: Mapping[str, str]) -> list[KeyRow]:
    """The row of a key that the environment or the settings give; none or one."""
    if (name := shown_as(provider)) != provider:
        return [KeyRow(name, f"environment {name}")] if environ.get(name) else []
    entry = settings.providers.get(provider)
    if entry is not None and entry.api_key is not None:
        names = variables_in(entry.api_key)
        unset = [name for name in names if not environ.get(name)]
        note = f"not usable: {unset[0]} is not set" if unset else ""
        return [KeyRow(provider, " ".join(["environment", *names]) if names else "config.toml", note=note)]
    names = tuple(name for name in usual_variables(provider) if environ.get(name))
    return [KeyRow(provider, f"environment {names[0]}")] if names else []
