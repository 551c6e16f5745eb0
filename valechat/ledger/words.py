"""Text as the search sees it, and a piece of it around what was found."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

__all__ = ["around", "fold"]

BEFORE = 40
"""Characters of a passage before what was found."""

LONGEST = 200
"""Characters of a passage."""


def fold(text: str) -> str:
    """Text without case and accents, as the search's index has it."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def around(text: str, words: Sequence[str]) -> str:
    """One line of a text, around the first of the words in it; its beginning where there is none."""
    folded, places = _folded(text)
    found = (at for word in words if (at := _find(folded, fold(word))) is not None)
    at = places[min(found, default=0)] if text else 0
    start = max(0, at - BEFORE)
    if start:
        # Not in the middle of a word.
        start = next((place + 1 for place in range(start, at) if text[place].isspace()), start)
    line = " ".join(text[start : start + LONGEST].split())
    return f"{'… ' if start else ''}{line}{' …' if start + LONGEST < len(text) else ''}"


def _find(folded: str, word: str) -> int | None:
    """Where the word stands first, at the beginning of a word if it does anywhere."""
    if not word:
        return None
    first = re.search(rf"(?<!\w){re.escape(word)}", folded) or re.search(re.escape(word), folded)
    return None if first is None else first.start()


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """The text without case and accents, and where in it each of its characters came from."""
    if text.isascii():
        return text.lower(), range(len(text))
    pieces = [_plain(character) for character in text]
    places = [place for place, plain in enumerate(pieces) for _ in plain]
    return "".join(pieces), places or [0]


@lru_cache(maxsize=10_000)
def _plain(character: str) -> str:
    return fold(character)
