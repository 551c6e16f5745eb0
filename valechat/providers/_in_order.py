"""Blocks of a stream in the order they began, however their pieces interleave."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from valechat.providers.base import Chunk

__all__ = ["InOrder"]


class InOrder:
    """Passes on the chunks of the first open block, and keeps those of later ones until it is their turn.

    What must return to a model unchanged must also return in its order; a server may begin a block
    before the last one stopped.
    """

    def __init__(self) -> None:
        self._waiting: dict[Hashable, list[Chunk]] = {}
        self._ended: set[Hashable] = set()

    def begin(self, block: Hashable) -> None:
        """A block begins. One that is open already stays where it is."""
        self._waiting.setdefault(block, [])

    def add(self, block: Hashable, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """Chunks of a block: those that may be passed on now."""
        self.begin(block)
        if block == next(iter(self._waiting)):
            yield from chunks
        else:
            self._waiting[block].extend(chunks)

    def end(self, block: Hashable) -> Iterator[Chunk]:
        """A block ends: what waited for it."""
        if block not in self._waiting:
            return
        self._ended.add(block)
        while self._waiting and (first := next(iter(self._waiting))) in self._ended:
            self._ended.discard(first)
            yield from self._waiting.pop(first)
            if self._waiting:
                following = self._waiting[next(iter(self._waiting))]
                yield from following
                following.clear()

    def finish(self) -> Iterator[Chunk]:
        """All that still waits."""
        for chunks in self._waiting.values():
            yield from chunks
        self._waiting.clear()
        self._ended.clear()
