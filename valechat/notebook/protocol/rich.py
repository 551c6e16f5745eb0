"""What an answer has besides text, and what draws it."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

__all__ = ["Asset", "CitationShown", "NeedAsset"]


class CitationShown(TypedDict):
    """A source that a model named for what it said.

    `url` is empty for a file of the provider's. `quote` is what the provider says it took from there.
    """

    url: str
    title: str
    quote: str


class NeedAsset(TypedDict):
    """Bring the next piece of a file of the front end, from the byte `at` of what is sent."""

    type: Literal["need_asset"]
    name: Literal["katex", "mermaid"]
    at: int


class Asset(TypedDict):
    """A piece of such a file, compressed with gzip, from the byte `at`; `left` bytes follow it.

    The bytes are the message's one binary buffer; without it there is no such file.
    """

    type: Literal["asset"]
    seq: int
    name: Literal["katex", "mermaid"]
    at: int
    left: int
