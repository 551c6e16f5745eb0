from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from valechat.engine import Engine

WORK = bytes(1024 * 1024)
"""Hashing it lets other threads run, as reading from a socket does."""


async def arriving_together(bursts: int, items: int) -> AsyncGenerator[int, None]:
    for burst in range(bursts):
        for item in range(items):
            hashlib.sha256(WORK).digest()
            yield burst * items + item
        await asyncio.sleep(0.01)


async def test_a_reader_is_woken_for_all_that_arrived_together_not_item_by_item(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = asyncio.get_running_loop()
    call_soon_threadsafe = here.call_soon_threadsafe
    woken: list[int] = []

    def counted(call: Callable[..., Any], *args: Any) -> asyncio.Handle:
        woken.append(threading.get_ident())
        return call_soon_threadsafe(call, *args)

    monkeypatch.setattr(here, "call_soon_threadsafe", counted)
    engine = Engine()
    try:
        found = [item async for item in engine.iterate(arriving_together(5, 20))]
    finally:
        engine.close()
    assert found == list(range(100))
    assert len(woken) <= 5 + 2


async def test_the_first_item_of_a_slow_source_does_not_wait_for_the_second() -> None:
    more = threading.Event()

    async def slow() -> AsyncGenerator[str, None]:
        yield "first"
        await asyncio.to_thread(more.wait, 10)
        yield "second"

    engine = Engine()
    try:
        items = engine.iterate(slow())
        assert await asyncio.wait_for(anext(items), 30) == "first"
        more.set()
        assert await asyncio.wait_for(anext(items), 30) == "second"
        assert [item async for item in items] == []
    finally:
        more.set()
        engine.close()
