"""Hiding what looks like a secret before it is sent, and saying what was hidden."""

from __future__ import annotations

import math
import re
from collections import Counter

from valechat.plugins.suspect import KNOWN_BEGINNINGS

__all__ = ["HIDDEN", "Hider", "sounds_like_a_secret"]

HIDDEN = "•••"

_STRONG = re.compile(
    r"passw(?:or)?d|passphrase|secret|api[-_ ]?key|access[-_ ]?key|private[-_ ]?key|credential"
    r"|(?:auth|access|refresh|bearer|session|id)[-_ ]?token|(?<![a-z])pwd(?![a-z])",
    re.IGNORECASE,
)
_WEAK = re.compile(r"(?<![a-z])(?:token|authorization|cookie|auth|key|pat|pw)$", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

_TOKEN = re.compile(
    rf"(?<![\w-])(?:{'|'.join(map(re.escape, KNOWN_BEGINNINGS))})(?=[\w.+/=~-]{{0,200}}\d)[\w.+/=~-]{{12,}}", re.ASCII
)
_ASSIGNED = re.compile(
    # From a word's beginning and not far, or a long word would be searched from each of its letters.
    r"(?<![\w-])(?P<name>[\w-]{0,80}?(?:passw(?:or)?d|passphrase|secret|token|(?:api|access|private)[-_]?key)[\w-]{0,80})"
    r"(?P<between>[\"']?\s{0,3}[:=]\s{0,3})(?P<quote>[\"'])(?P<value>(?:(?!(?P=quote))[^\\\s]|\\.){4,512})(?P=quote)",
    re.IGNORECASE,
)
_URL = re.compile(r"(?<=://)(?P<user>[^/\s:@]{0,100}):[^/\s@]{1,200}(?=@)")
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.{0,20000}?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_WORD = re.compile(r"(?<![\w/+=.-])[A-Za-z0-9_+/=-]{24,128}(?![\w/+=.-])", re.ASCII)

_RANDOM_BITS = 4.1
"""Bits a character above which a long word of mixed letters and digits is taken for random."""


def sounds_like_a_secret(name: object) -> bool:
    """Whether what stands under this name usually is a secret, whatever it looks like."""
    return isinstance(name, str) and _STRONG.search(_CAMEL.sub("_", name)) is not None


class Hider:
    """Hides secrets of one value and keeps account of it. With `off` everything is let through."""

    def __init__(self, *, off: bool = False) -> None:
        self.off = off
        self._found: dict[str, int] = {}

    @property
    def hidden(self) -> tuple[str, ...]:
        """What was hidden, for the user: a phrase each."""
        return tuple(f"{what} ({count}×)" if count > 1 else what for what, count in self._found.items())

    def note(self, what: str) -> None:
        """Something was hidden."""
        self._found[what] = self._found.get(what, 0) + 1

    def hides(self, name: object) -> bool:
        """Whether all that stands under this name is to be hidden; the caller hides it and calls `note`."""
        return not self.off and sounds_like_a_secret(name)

    def under(self, name: object, text: str) -> str:
        """The text that stands under a name: hidden where the name or the text says that it is a secret."""
        if self.off:
            return text
        weak = isinstance(name, str) and _WEAK.search(_CAMEL.sub("_", name)) is not None
        if weak and len(text) >= 8 and not re.search(r"\s", text) and re.search(r"\d", text):
            self.note(f"`{name}`")
            return HIDDEN
        return self.text(text)

    def text(self, text: str) -> str:
        """A text with what looks like a secret hidden: known tokens, passwords in URLs and code, random words."""
        if self.off or len(text) < 8:
            return text
        text = self._replaced(_PEM, "a private key", text)
        text = self._replaced(_TOKEN, "what looks like an API key or token", text)
        if "://" in text:
            text, count = _URL.subn(rf"\g<user>:{HIDDEN}", text)
            self._noted("a password in a URL", count)
        text = _ASSIGNED.sub(self._assigned, text)
        return _WORD.sub(self._word, text)

    def _replaced(self, pattern: re.Pattern[str], what: str, text: str) -> str:
        text, count = pattern.subn(HIDDEN, text)
        self._noted(what, count)
        return text

    def _assigned(self, found: re.Match[str]) -> str:
        if found["value"] == HIDDEN:
            return found[0]
        self.note(f"the value of `{found['name']}`")
        return f"{found['name']}{found['between']}{found['quote']}{HIDDEN}{found['quote']}"

    def _word(self, found: re.Match[str]) -> str:
        word = found[0]
        classes = (str.isupper, str.islower, str.isdigit)
        if not all(any(has(letter) for letter in word) for has in classes) or _bits(word) < _RANDOM_BITS:
            return word
        self.note("a long random text")
        return HIDDEN

    def _noted(self, what: str, count: int) -> None:
        if count:
            self._found[what] = self._found.get(what, 0) + count


def _bits(text: str) -> float:
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
