"""The system's keychain, through the `keyring` library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from valechat.errors import KeyStorageError
from valechat.keys.abandon import Abandonable
from valechat.keys.secret import Key, clean_key, clean_secret, shown_as

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

__all__ = ["SOURCE", "Keychain", "KeychainState"]

T = TypeVar("T")

SOURCE = "keychain"
SERVICE = "valechat"
LEAST_PRIORITY = 1
"""keyring's own mark: backends below it keep passwords unsafely or not at all."""


@dataclass(frozen=True, slots=True)
class KeychainState:
    """Whether the keychain can be used, which it is, and what to do if not."""

    usable: bool
    backend: str
    message: str
    fix: str = ""


class Keychain:
    """Keys in the system's keychain: macOS Keychain, Windows Credential Manager, Secret Service, KWallet.

    A keychain can ask the user something and wait for ever, so each call runs in a thread of its
    own and is given up after `timeout` seconds.
    """

    def __init__(self, *, timeout: float = 5.0) -> None:
        self._timeout = timeout
        self._calls = Abandonable(timeout=timeout, name="valechat-keychain")

    async def state(self) -> KeychainState:
        """Which keychain there is and whether it can be used. Does not look whether it is locked."""
        try:
            return await self._calls.run(_state)
        except TimeoutError:
            return KeychainState(usable=False, backend="", message=self._silent(), fix=_UNLOCK)

    async def get(self, name: str) -> Key | None:
        """The key kept under that name, or None.

        Raises:
            KeyStorageError: There is no keychain, or it is locked or does not answer.
        """

        def read() -> Key | None:
            value = _usable().get_password(SERVICE, name)
            clean = clean_key if shown_as(name) == name else clean_secret
            text = clean(value) if value else None
            return Key(name, text, SOURCE) if text else None

        return await self._run(read)

    async def set(self, key: Key) -> None:
        """Keep a key under its provider's name, and read it back to be sure.

        Raises:
            KeyStorageError: As for `get`, or the keychain did not keep it.
        """

        def write() -> bool:
            backend = _usable()
            backend.set_password(SERVICE, key.provider, key.reveal())
            return backend.get_password(SERVICE, key.provider) == key.reveal()

        if not await self._run(write):
            raise KeyStorageError("The keychain took the key but does not give it back.", fix=_ELSEWHERE)

    async def delete(self, name: str) -> bool:
        """Delete the key kept under that name; whether there was one.

        Raises:
            KeyStorageError: As for `get`.
        """

        def remove() -> bool:
            backend = _usable()
            if backend.get_password(SERVICE, name) is None:
                return False
            backend.delete_password(SERVICE, name)
            return True

        return await self._run(remove)

    async def _run(self, call: Callable[[], T]) -> T:
        try:
            return await self._calls.run(lambda: _translated(call))
        except TimeoutError:
            problem = KeyStorageError(self._silent(), fix=_UNLOCK)
        raise problem

    def _silent(self) -> str:
        return f"The keychain did not answer within {self._timeout:g} s; it may be waiting for you."


_UNLOCK = (
    "Unlock it (look for its window), then try again; or set the provider's environment variable before Jupyter starts."
)
_ELSEWHERE = (
    "Set the provider's environment variable (valechat keys list names it),"
    " or keep the key in an encrypted file: valechat keys set PROVIDER --file"
)


def _translated(call: Callable[[], T]) -> T:
    """The call's result; what a backend raises becomes a `KeyStorageError`.

    It is raised outside the `except`, so that it does not carry the backend's frames: they hold the key.
    """
    import keyring.errors

    try:
        return call()
    except KeyStorageError as error:
        problem = KeyStorageError(error.message, fix=error.fix)
    except keyring.errors.KeyringLocked:
        problem = KeyStorageError("The keychain is locked.", fix=_UNLOCK)
    except Exception as error:  # noqa: BLE001 - a backend is foreign code and raises what its system raises
        problem = KeyStorageError(f"The keychain failed ({type(error).__name__}).", fix=_ELSEWHERE)
    raise problem


def _usable() -> KeyringBackend:
    backend, state = _choose()
    if backend is None:
        raise KeyStorageError(state.message, fix=state.fix)
    return backend


def _state() -> KeychainState:
    return _choose()[1]


def _choose() -> tuple[KeyringBackend | None, KeychainState]:
    """The backend to use, if one is safe.

    keyring's chainer passes on to every backend it finds, unsafe ones too (`keyrings.alt` adds a
    plain-text file), so the best of its backends is used in its place.
    """
    import keyring
    from keyring.backends import chainer, fail

    try:
        backend: KeyringBackend | None = keyring.get_keyring()
        if isinstance(backend, chainer.ChainerBackend):
            backend = next(iter(backend.backends), None)
        priority = backend.priority if backend is not None else 0
    except Exception as error:  # noqa: BLE001 - finding a backend runs foreign code, of any quality
        return None, KeychainState(
            usable=False,
            backend="",
            message=f"The keychain could not be opened ({type(error).__name__}).",
            fix=_ELSEWHERE,
        )
    name = f"{type(backend).__module__}.{type(backend).__name__}".removeprefix("keyring.backends.")
    if backend is None or isinstance(backend, fail.Keyring):
        return None, KeychainState(
            usable=False, backend="", message="This system has no keychain that can be used.", fix=_ELSEWHERE
        )
    if priority < LEAST_PRIORITY:
        return None, KeychainState(
            usable=False,
            backend=name,
            message=f"The keychain {name} does not keep keys safely, so it is not used.",
            fix=_ELSEWHERE,
        )
    return backend, KeychainState(usable=True, backend=name, message=f"keys are kept in {name}")
