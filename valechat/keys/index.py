"""Which keys ValeChat keeps, and where: `keys.json`. Never the keys.

Keychains cannot be listed, and a locked one cannot say whether it holds a key; the index can.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from valechat.atomic import write_atomically
from valechat.errors import KeyStorageError
from valechat.filelock import locked

__all__ = ["KeyIndex", "Place", "StoredKey"]

Place = Literal["keychain", "file"]


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key that was stored: whose, where and when."""

    provider: str
    place: Place
    stored_at: datetime


class KeyIndex:
    """The index in one folder. Blocking; small."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "keys.json"

    def read(self) -> dict[str, StoredKey]:
        """All stored keys, by provider. An index that cannot be read counts as empty.

        It only speeds up what the keychain knows, so a damaged one must not take the keys away.
        """
        try:
            rows = json.loads(self.file.read_bytes())["keys"]
            return {provider: _stored(provider, row["place"], row["stored_at"]) for provider, row in rows.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    def put(self, provider: str, place: Place) -> None:
        """Note that the provider's key is there from now on.

        Raises:
            KeyStorageError: The index cannot be written.
        """
        self._change(lambda rows: rows.update({provider: StoredKey(provider, place, datetime.now(UTC))}))

    def drop(self, provider: str) -> None:
        """Note that the provider has no stored key.

        Raises:
            KeyStorageError: The index cannot be written.
        """
        self._change(lambda rows: rows.pop(provider, None))

    def _change(self, change: Callable[[dict[str, StoredKey]], object]) -> None:
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(self.file.with_name(".keys.json.lock")):
                rows = self.read()
                change(rows)
                keys = {
                    name: {"place": row.place, "stored_at": row.stored_at.isoformat()} for name, row in rows.items()
                }
                write_atomically(self.file, json.dumps({"version": 1, "keys": keys}, indent=2).encode())
        except OSError as error:
            raise KeyStorageError(
                f"{self.file} cannot be written: {error.strerror}.",
                fix="Check the folder's permissions and free space.",
            ) from error


def _stored(provider: str, place: str, stored_at: str) -> StoredKey:
    if place not in ("keychain", "file"):
        raise ValueError(place)
    return StoredKey(provider, "keychain" if place == "keychain" else "file", datetime.fromisoformat(stored_at))
