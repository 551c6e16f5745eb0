from __future__ import annotations

from valechat.providers._in_order import InOrder
from valechat.providers.base import Chunk, TextChunk


def texts(*chunks: Chunk) -> list[str]:
    return [chunk.text for chunk in chunks if isinstance(chunk, TextChunk)]


def test_the_first_block_passes_at_once_and_later_ones_wait_for_it() -> None:
    order = InOrder()
    order.begin(0)
    order.begin(1)
    assert texts(*order.add(1, [TextChunk("b")])) == []
    assert texts(*order.add(0, [TextChunk("a")])) == ["a"]
    assert texts(*order.end(0)) == ["b"]
    assert texts(*order.add(1, [TextChunk("c")])) == ["c"]


def test_blocks_that_ended_early_follow_in_the_order_they_began() -> None:
    order = InOrder()
    for block in ("x", "y", "z"):
        order.begin(block)
    for block in ("z", "y"):
        assert texts(*order.add(block, [TextChunk(block)]), *order.end(block)) == []
    assert texts(*order.end("x")) == ["y", "z"]


def test_the_end_gives_what_still_waits() -> None:
    order = InOrder()
    order.begin(0)
    assert texts(*order.add(1, [TextChunk("b")])) == []
    assert texts(*order.finish()) == ["b"]
    assert texts(*order.finish()) == []
