"""The key file: AES-256-GCM under a passphrase, for machines without a keychain.

The passphrase becomes 64 bytes by scrypt (RFC 7914): 32 are the key, the hash of the others tells
a wrong passphrase from a changed file. Everything in the file that is not encrypted is authenticated
with it. Blocking; deriving takes about half a second and 128 MB.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from valechat.atomic import write_atomically
from valechat.errors import KeyStorageError
from valechat.filelock import locked
from valechat.keys.secret import Key

__all__ = ["SOURCE", "KeyFile"]

SOURCE = "key file"
FORMAT = "valechat keys"
COST = 2**17
"""scrypt's N with r = 8 and p = 1, as OWASP's password storage cheat sheet advises."""
MOST_COST = 2**20
"""A file that asks for more is refused: it would take gigabytes."""


@dataclass(frozen=True, slots=True)
class _Header:
    """What is known before decrypting; `check` is the hash that recognises the passphrase."""

    cost: int
    salt: bytes
    check: bytes

    def as_json(self) -> dict[str, Any]:
        """The header as it stands in the file."""
        kdf = {"name": "scrypt", "n": self.cost, "r": 8, "p": 1, "salt": _text(self.salt)}
        return {"format": FORMAT, "version": 1, "kdf": kdf, "check": _text(self.check)}

    def authenticated(self) -> bytes:
        """The header as the ciphertext is bound to it."""
        return json.dumps(self.as_json(), sort_keys=True).encode()


class KeyFile:
    """Keys in one encrypted file. Locked until `unlock`."""

    def __init__(self, file: Path, *, cost: int = COST) -> None:
        self.file = file
        self._cost = cost
        self._secret: Callable[[], tuple[_Header, bytes]] | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a key file."""
        return self.file.exists()

    @property
    def unlocked(self) -> bool:
        """Whether the passphrase was given already."""
        return self._secret is not None

    def unlock(self, passphrase: str) -> None:
        """Remember what the passphrase gives; for a file that does not exist, choose it.

        Raises:
            KeyStorageError: The passphrase is wrong or empty, or the file cannot be read.
        """
        if not passphrase:
            raise KeyStorageError("The passphrase of the key file is empty.", fix="Choose one of several words.")
        found = self._read()
        if found is None:
            salt = secrets.token_bytes(16)
            key, check = _derive(passphrase, self._cost, salt)
            header = _Header(self._cost, salt, check)
        else:
            header = found[0]
            key, check = _derive(passphrase, header.cost, header.salt)
            if not hmac.compare_digest(check, header.check):
                raise KeyStorageError(
                    f"The passphrase does not open the key file {self.file}.",
                    fix="Try again; if it is lost, delete the file and set the keys again.",
                )
        self._secret = lambda: (header, key)

    def lock(self) -> None:
        """Forget what the passphrase gave."""
        self._secret = None

    def get(self, provider: str) -> Key | None:
        """The provider's key, or None.

        Raises:
            KeyStorageError: The file is locked, damaged or was changed.
        """
        value = self._keys().get(provider)
        return Key(provider, value, SOURCE) if value else None

    def put(self, key: Key) -> None:
        """Keep a key.

        Raises:
            KeyStorageError: The file is locked, damaged, was changed, or cannot be written.
        """
        self._change(lambda keys: keys.update({key.provider: key.reveal()}))

    def drop(self, provider: str) -> bool:
        """Delete the provider's key; whether there was one.

        Raises:
            KeyStorageError: As for `put`.
        """
        before = self._keys()
        if provider not in before:
            return False
        self._change(lambda keys: keys.pop(provider, None))
        return True

    def rotate(self, passphrase: str) -> None:
        """Encrypt all keys anew under another passphrase, with another salt and so another key. Must be unlocked.

        Other kernels ask for the new passphrase when they next need a key. A copy of the old file is still
        opened by the old one.

        Raises:
            KeyStorageError: The passphrase is empty, or as for `put`.
        """
        if not passphrase:
            raise KeyStorageError("The new passphrase is empty.", fix="Choose one of several words.")
        salt = secrets.token_bytes(16)
        key, check = _derive(passphrase, self._cost, salt)
        header = _Header(self._cost, salt, check)
        self._change(lambda _keys: None, lambda: (header, key))

    def _change(
        self, change: Callable[[dict[str, str]], object], renewed: Callable[[], tuple[_Header, bytes]] | None = None
    ) -> None:
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(self.file.with_name(f".{self.file.name}.lock")):
                self._rewrite(change, renewed or self._opened)
                self._secret = renewed or self._secret
                return
        except OSError as error:
            reason = error.strerror
        # Raised here, so that the error does not carry the frame that holds all keys.
        raise KeyStorageError(
            f"{self.file} cannot be written: {reason}.", fix="Check the folder's permissions and free space."
        )

    def _rewrite(
        self, change: Callable[[dict[str, str]], object], secret_of: Callable[[], tuple[_Header, bytes]]
    ) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        keys = self._keys()
        change(keys)
        header, secret = secret_of()
        nonce = os.urandom(12)
        sealed = AESGCM(secret).encrypt(nonce, json.dumps(keys).encode(), header.authenticated())
        content = header.as_json() | {"nonce": _text(nonce), "ciphertext": _text(sealed)}
        write_atomically(self.file, json.dumps(content, indent=2).encode())

    def _keys(self) -> dict[str, str]:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        header, secret = self._opened()
        found = self._read()
        if found is None:
            return {}
        now, nonce, sealed = found
        if now.salt != header.salt or now.cost != header.cost:
            self.lock()
            raise KeyStorageError(f"The key file {self.file} was replaced.", fix="Enter its passphrase again.")
        try:
            plain = AESGCM(secret).decrypt(nonce, sealed, now.authenticated())
        except InvalidTag:
            plain = None
        if plain is None:
            raise self._damaged()
        keys: dict[str, str] = json.loads(plain)
        return keys

    def _opened(self) -> tuple[_Header, bytes]:
        if self._secret is None:
            raise KeyStorageError(
                "The key file is locked.", fix="Set VALECHAT_PASSPHRASE, or enter the passphrase when asked."
            )
        return self._secret()

    def _read(self) -> tuple[_Header, bytes, bytes] | None:
        try:
            content = json.loads(self.file.read_bytes())
            if content["format"] != FORMAT:
                raise self._damaged()
            if content["version"] != 1:
                raise KeyStorageError(
                    f"The key file {self.file} was written by a newer ValeChat.", fix="Update ValeChat."
                )
            kdf = content["kdf"]
            cost = kdf["n"]
            if (kdf["name"], kdf["r"], kdf["p"]) != ("scrypt", 8, 1) or not _possible(cost):
                raise self._damaged()
            header = _Header(cost, _bytes(kdf["salt"]), _bytes(content["check"]))
            nonce, sealed = _bytes(content["nonce"]), _bytes(content["ciphertext"])
            if len(nonce) != 12 or len(sealed) < 16:
                raise self._damaged()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeyStorageError(
                f"{self.file} cannot be read: {error.strerror}.", fix="Check the file's permissions."
            ) from error
        except (ValueError, KeyError, TypeError, RecursionError):
            raise self._damaged() from None
        return header, nonce, sealed

    def _damaged(self) -> KeyStorageError:
        return KeyStorageError(
            f"The key file {self.file} is damaged or was changed by someone else; no key in it is used.",
            fix="Restore it from a backup, or delete it and set the keys again.",
        )


def _possible(cost: Any) -> bool:
    return type(cost) is int and 2**4 <= cost <= MOST_COST and cost & (cost - 1) == 0


def _derive(passphrase: str, cost: int, salt: bytes) -> tuple[bytes, bytes]:
    """The AES key, and the hash that recognises the passphrase."""
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    # The same passphrase typed on another system may come in another Unicode form.
    text = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    derived = Scrypt(salt=salt, length=64, n=cost, r=8, p=1).derive(text)
    return derived[:32], hashlib.sha256(derived[32:]).digest()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
