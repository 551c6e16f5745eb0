"""OpenAI's published tokenizers, built from the package's own data.

`tiktoken.get_encoding` downloads its ranks at first use; here they come from files in the package
(compressed, MIT, see data/tiktoken.LICENSE) whose content must have tiktoken's own SHA-256. Loading
takes about 0.6 s and 100 MB, so it happens at first use only, and callers do it in a thread.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tiktoken

__all__ = ["SPECIFICATIONS", "count", "encoding_for", "is_loaded", "load"]

_DATA = Path(__file__).parent / "data"

_CL100K = (
    r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"""
    r"""|\s+(?!\S)|\s"""
)
_WORD_TAIL = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_O200K = "|".join(
    [
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + _WORD_TAIL,
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + _WORD_TAIL,
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)
SPECIFICATIONS = {
    "cl100k_base": (
        _CL100K,
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        {
            "<|endoftext|>": 100257,
            "<|fim_prefix|>": 100258,
            "<|fim_middle|>": 100259,
            "<|fim_suffix|>": 100260,
            "<|endofprompt|>": 100276,
        },
    ),
    "o200k_base": (
        _O200K,
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        {"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
    ),
}
"""By encoding: its splitting pattern, the SHA-256 of its ranks, its special tokens; as in tiktoken."""

_LONG_BLANK = re.compile(r"\s{50000}")
"""tiktoken's regular expression engine gives up (a Rust panic) on much longer runs of blanks."""

_loaded: dict[str, tiktoken.Encoding] = {}
_loading = threading.Lock()


def encoding_for(model: str) -> str | None:
    """The encoding of a model by OpenAI's own name for it; None where it is not published."""
    import tiktoken.model

    try:
        name = tiktoken.model.encoding_name_for_model(model)
    except KeyError:
        return None
    return name if name in SPECIFICATIONS else None


def is_loaded(name: str) -> bool:
    """Whether an encoding can be used without waiting for it to load."""
    return name in _loaded


def load(name: str) -> tiktoken.Encoding:
    """An encoding, loaded once a process. Blocks for about 0.6 s the first time.

    Raises:
        ValueError: The package's data is not what tiktoken published.
    """
    with _loading:
        if name not in _loaded:
            _loaded[name] = _build(name)
        return _loaded[name]


def count(text: str, name: str) -> int:
    """How many tokens a text has. Special tokens in it count as the plain text they are."""
    encoding = load(name)
    return sum(len(encoding.encode_ordinary(piece)) for piece in _pieces(text))


def _build(name: str) -> tiktoken.Encoding:
    import tiktoken

    pattern, digest, special = SPECIFICATIONS[name]
    ranks = gzip.decompress((_DATA / f"{name}.tiktoken.gz").read_bytes())
    if hashlib.sha256(ranks).hexdigest() != digest:
        raise ValueError(f"The ranks of {name} in this installation are not tiktoken's; install valechat again.")
    pairs = (line.split() for line in ranks.splitlines())
    mergeable = {base64.b64decode(token): int(rank) for token, rank in pairs}
    return tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=mergeable, special_tokens=special)


def _pieces(text: str) -> list[str]:
    if len(text) < 50_000 or not _LONG_BLANK.search(text):
        return [text]
    pieces: list[str] = []
    start = 0
    for blank in _LONG_BLANK.finditer(text):
        pieces += [text[start : blank.start()], blank.group()]
        start = blank.end()
    return [*pieces, text[start:]]
