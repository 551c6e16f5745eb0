"""A key that does not show itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NoReturn

__all__ = ["Key", "clean_key", "clean_secret", "is_secret_name", "kept_as", "shown_as"]

_VARIABLE = "variable:"
"""Sets the names of secrets apart from those of providers, also where a keychain does not tell a from A."""


class Key:
    """A provider's API key and where it came from.

    Printing, formatting, logging or looking at it shows provider and source, never the key; it
    cannot be pickled, so it reaches no file, cache or other process by accident.

    Attributes:
        provider: Whose key it is.
        source: Where it was found, as the audit log names it: `environment OPENAI_API_KEY`,
            `keychain`, `key file`.
    """

    __slots__ = ("_reveal", "provider", "source")

    def __init__(self, provider: str, value: str, source: str) -> None:
        self.provider = provider
        self.source = source
        # A closure, so that tools that list an object's slots meet a function.
        self._reveal: Callable[[], str] = lambda: value

    def reveal(self) -> str:
        """The key itself. Bind it to no name that outlives the request."""
        return self._reveal()

    def __repr__(self) -> str:
        return f"<Key of {self.provider} from {self.source}>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __copy__(self) -> Key:
        return self

    def __deepcopy__(self, memo: object) -> Key:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A key cannot be pickled.")


def clean_key(value: str) -> str | None:
    """The key without the blanks and line ends a copy brings along; None when it cannot be a key.

    A key travels in an HTTP header, so it is printable ASCII without blanks.
    """
    text = value.strip()
    return text if text and text.isascii() and text.isprintable() and " " not in text else None


def clean_secret(value: str) -> str | None:
    """A named secret without the blanks and line ends around it; None when there is nothing left.

    It may become an environment variable of a plugin, so anything but a zero byte may stand in it.
    """
    text = value.strip()
    return text if text and "\0" not in text else None


def is_secret_name(name: str) -> bool:
    """Whether a secret that is no provider's key can be kept under that name: a variable's, in capitals."""
    return re.fullmatch(r"[A-Z_][A-Z0-9_]*", name, re.ASCII) is not None


def kept_as(name: str) -> str:
    """The name in keychain, key file and index: a provider's own, or that of a named secret."""
    return f"{_VARIABLE}{name}" if is_secret_name(name) else name


def shown_as(kept: str) -> str:
    """The name people know it by; undoes `kept_as`."""
    return kept.removeprefix(_VARIABLE)
