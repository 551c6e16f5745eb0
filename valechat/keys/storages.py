"""Key storages of other packages: a company's vault, secrets mounted into a container."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

from valechat.errors import KeyStorageError
from valechat.keys.secret import Key

__all__ = ["GROUP", "PATIENCE", "KeyStorage", "Storages"]

GROUP = "valechat.keys"
"""The entry points by which other packages bring storages. Each is a function without arguments that gives one."""

PATIENCE = 20.0
"""Seconds a storage may take to give a key."""


class KeyStorage(Protocol):
    """Where keys are kept that ValeChat only reads.

    It is asked after the environment and before the keychain, at most once for each key and process.
    """

    async def get(self, name: str) -> str | None:
        """The key of a provider (`openai`), or of a variable that a plugin uses, in small letters. None: it has none.

        Raises:
            Exception: It cannot say. Its text is shown to the user, so it must not hold a secret.
        """
        ...

    def names(self) -> Iterable[str]:
        """Whose keys it has, for `valechat keys list`; empty where it cannot be listed. Quick."""
        ...


class Storages:
    """All that are installed, made when they are first needed."""

    def __init__(self) -> None:
        self._found: dict[str, KeyStorage] | None = None

    async def get(self, name: str) -> Key | None:
        """The key from the first storage that has it, in the order of their names.

        Raises:
            KeyStorageError: A storage cannot be loaded, failed, or did not answer in time.
        """
        for title, storage in self._all().items():
            try:
                async with asyncio.timeout(PATIENCE):
                    value = await storage.get(name)
            except TimeoutError:
                raise KeyStorageError(
                    f"The key storage {title} did not answer within {PATIENCE:g} s.",
                    fix="Check that it can be reached, or set the provider's variable instead.",
                ) from None
            except Exception as error:  # noqa: BLE001  # another package's code can raise anything
                raise KeyStorageError(
                    f"The key storage {title} failed: {type(error).__name__}: {error}",
                    fix="Mend what it names, or set the provider's variable instead.",
                ) from None
            if value:
                return Key(name, value, title)
        return None

    def names(self) -> list[tuple[str, str]]:
        """Whose keys they have: each name with its storage."""
        return [(name, title) for title, storage in self._all().items() for name in storage.names()]

    def _all(self) -> dict[str, KeyStorage]:
        if self._found is None:
            entries = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
            self._found = {entry.name: _made(entry) for entry in entries}
        return self._found


def _made(entry: EntryPoint) -> KeyStorage:
    try:
        make: Callable[[], KeyStorage] = entry.load()
        return make()
    except Exception as error:  # noqa: BLE001  # another package's import can raise anything
        raise KeyStorageError(
            f"The key storage {entry.name} ({entry.value}) cannot be loaded: {type(error).__name__}: {error}",
            fix="Update or remove the package it comes from.",
        ) from None
