"""Secrets that are no API keys, such as a plugin's sign-in: longer, and changed by every kernel.

Kept where keys are kept: in the keychain, else in the key file where the user has one, else in memory.
Each is read afresh, for another kernel may have changed it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
from datetime import UTC, datetime
from typing import Literal

from valechat.errors import KeyStorageError
from valechat.keys.index import KeyIndex, Place
from valechat.keys.ring import PASSPHRASE, KeyRing
from valechat.keys.secret import Key
from valechat.paths import Paths

__all__ = ["Vault"]

PART = 1200
"""Characters an entry of the keychain holds: Windows takes 2,560 bytes, in UTF-16."""

_MARK = "valechat1"
_SOURCES: dict[Place, str] = {"keychain": "keychain", "file": "key file"}
_memory: dict[str, Key] = {}
"""What could be kept nowhere else; all of the process's, so that it outlives a plugin's restart."""


class Vault:
    """The secrets of one user.

    Args:
        ring: Whose keychain, key file and record of uses are used.
        paths: Where it is noted what is kept where; never the secrets.
    """

    def __init__(self, ring: KeyRing, paths: Paths) -> None:
        self._ring = ring
        self._index = KeyIndex(paths.data / "plugins")

    async def read(self, name: str, *, purpose: str) -> Key | None:
        """The secret, or None. The use is recorded.

        Raises:
            KeyStorageError: It was kept, but its keychain or key file is locked, absent or damaged.
        """
        row = (await asyncio.to_thread(self._index.read)).get(name)
        if row is None:
            kept = _memory.get(name)
        elif row.place == "keychain":
            kept = await self._joined(name)
        else:
            await self._ring.unlock(new=False)
            kept = await asyncio.to_thread(self._ring.file.get, name)
        if kept is None:
            return None
        source = _SOURCES[row.place] if row is not None else "memory"
        await self._record(name, source, purpose)
        return Key(name, base64.urlsafe_b64decode(kept.reveal()).decode(), source)

    async def write(self, secret: Key, *, purpose: str) -> Place | Literal["memory"]:
        """Keep it under its name, in the place of what was there. Says where: `memory` is lost with the kernel."""
        name = secret.provider
        sealed = Key(name, base64.urlsafe_b64encode(secret.reveal().encode()).decode(), "")
        place = await self._put(sealed)
        if place == "memory":
            _memory[name] = sealed
            with contextlib.suppress(KeyStorageError):
                await asyncio.to_thread(self._index.drop, name)
        else:
            _memory.pop(name, None)
            await asyncio.to_thread(self._index.put, name, place)
        await self._record(name, "memory" if place == "memory" else _SOURCES[place], purpose)
        return place

    async def written_at(self, name: str) -> datetime | None:
        """When it was last kept, by whichever kernel; None where it is not, or only in memory. Asks no keychain."""
        row = (await asyncio.to_thread(self._index.read)).get(name)
        return row.stored_at if row is not None else None

    async def delete(self, name: str) -> bool:
        """Forget it; whether there was one.

        Raises:
            KeyStorageError: The place it is kept in is locked, absent or cannot be written.
        """
        there = _memory.pop(name, None) is not None
        row = (await asyncio.to_thread(self._index.read)).get(name)
        if row is None:
            return there
        if row.place == "keychain":
            head = await self._ring.keychain.get(name)
            await self._ring.keychain.delete(name)
            await self._drop_parts(head)
        else:
            await self._ring.unlock(new=False)
            await asyncio.to_thread(self._ring.file.drop, name)
        await asyncio.to_thread(self._index.drop, name)
        return True

    async def _put(self, sealed: Key) -> Place | Literal["memory"]:
        try:
            await self._split(sealed)
            return "keychain"
        except KeyStorageError:
            pass  # no keychain, or a locked one: the next best place
        if not self._ring.file.exists and not self._ring.environ.get(PASSPHRASE):
            return "memory"
        try:
            await self._ring.unlock(new=not self._ring.file.exists)
            await asyncio.to_thread(self._ring.file.put, sealed)
            return "file"
        except KeyStorageError:
            return "memory"

    async def _split(self, sealed: Key) -> None:
        """Put it into the keychain in parts. The head names the others, so a reader never mixes two secrets."""
        name, keychain = sealed.provider, self._ring.keychain
        before = await keychain.get(name)
        generation, count = secrets.token_hex(4), -(-len(sealed.reveal()) // PART)
        for part in range(1, count):
            await keychain.set(Key(_part(name, generation, part), sealed.reveal()[part * PART : (part + 1) * PART], ""))
        await keychain.set(Key(name, f"{_MARK}.{generation}.{count}.{sealed.reveal()[:PART]}", ""))
        await self._drop_parts(before)

    async def _joined(self, name: str) -> Key | None:
        """The secret from its parts; once more where another kernel has just replaced them."""
        for _ in range(3):
            head = await self._ring.keychain.get(name)
            if head is None:
                return None
            found = [await self._ring.keychain.get(part) for part in _parts(head)]
            if head.reveal().startswith(f"{_MARK}.") and all(part is not None for part in found):
                first = Key(name, head.reveal().split(".", 3)[3], "")
                return Key(name, "".join(part.reveal() for part in (first, *found) if part is not None), "")
        raise KeyStorageError(f"The keychain's entry {name} is damaged.", fix="Sign out of the plugin, then in again.")

    async def _drop_parts(self, head: Key | None) -> None:
        for part in _parts(head) if head is not None else ():
            with contextlib.suppress(KeyStorageError):  # a part that nothing names any more
                await self._ring.keychain.delete(part)

    async def _record(self, name: str, source: str, purpose: str) -> None:
        if self._ring.on_access is not None:
            now = datetime.now(UTC)
            await asyncio.to_thread(self._ring.on_access, key=name, source=source, purpose=purpose, at=now)


def _part(name: str, generation: str, part: int) -> str:
    return f"{name}/{generation}/{part}"


def _parts(head: Key) -> list[str]:
    """The names of the other parts."""
    try:
        mark, generation, count, _ = head.reveal().split(".", 3)
        return [_part(head.provider, generation, part) for part in range(1, int(count))] if mark == _MARK else []
    except ValueError:
        return []
