"""An adapter reads a stream that a real server sends in pieces of any size."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import aclosing
from itertools import pairwise

from tests.providers.faults import FaultServer, stream
from valechat.accumulate import Answer
from valechat.messages import Message
from valechat.providers._setup import Factory, Setup
from valechat.providers.base import Chunk, Request


async def played(
    create: Factory, events: Sequence[bytes], *, seed: int = 0, model: str = "m"
) -> tuple[Answer, list[Chunk]]:
    """What an adapter makes of these events, sent in pieces cut at random places."""
    chunks: list[Chunk] = []
    answer = Answer()
    async with FaultServer(stream(*_cut(b"".join(events), random.Random(seed)))) as server:
        provider = create(Setup("lab", server.url))
        async with aclosing(provider.stream(Request(model, [Message.user("Hello")]))) as arriving:
            async for chunk in arriving:
                chunks.append(chunk)
                answer.add(chunk)
    return answer, chunks


def _cut(data: bytes, chance: random.Random) -> list[bytes]:
    places = sorted({0, len(data), *(chance.randrange(1, len(data)) for _ in range(12))})
    return [data[start:end] for start, end in pairwise(places)]
