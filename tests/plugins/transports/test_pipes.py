"""Both ways to wait for a pipe keep the same promises."""

from __future__ import annotations

import asyncio
import os

import psutil
import pytest

from valechat.plugins.transports.pipes import Pipe, Stream, ThreadedPipe

KINDS = [Pipe, ThreadedPipe]


@pytest.fixture(params=KINDS)
def pair(request: pytest.FixtureRequest) -> tuple[Stream, Stream]:
    reading, writing = os.pipe()
    kind: type[Pipe | ThreadedPipe] = request.param
    return kind(reading), kind(writing)


async def test_what_is_written_is_read(pair: tuple[Stream, Stream]) -> None:
    source, sink = pair
    await sink.write(b"a line\n")
    assert await source.read() == b"a line\n"
    sink.close()
    source.close()


async def test_a_reader_waits_for_what_comes_later(pair: tuple[Stream, Stream]) -> None:
    source, sink = pair
    reading = asyncio.create_task(source.read())
    await asyncio.sleep(0)
    await sink.write(b"late")
    assert await reading == b"late"
    sink.close()
    source.close()


async def test_more_than_a_pipe_holds_is_written_while_it_is_read(pair: tuple[Stream, Stream]) -> None:
    source, sink = pair
    data = os.urandom(3_000_000)

    async def write() -> None:
        await sink.write(data)
        sink.close()

    writing = asyncio.create_task(write())
    received = b""
    while piece := await source.read():
        received += piece
    await writing
    source.close()
    assert received == data


async def test_the_end_is_no_bytes(pair: tuple[Stream, Stream]) -> None:
    source, sink = pair
    sink.close()
    assert await source.read() == b""
    source.close()


async def test_writing_what_nobody_can_read_raises(pair: tuple[Stream, Stream]) -> None:
    source, sink = pair
    source.close()

    async def write() -> None:
        while True:  # the thread of a closed pipe closes it a moment later
            await sink.write(b"x" * 1000)

    with pytest.raises(BrokenPipeError):
        await write()
    sink.close()


async def test_a_closed_pipe_raises_and_may_be_closed_again(pair: tuple[Stream, Stream]) -> None:
    source, sink = pair
    sink.close()
    sink.close()
    with pytest.raises(BrokenPipeError):
        await sink.write(b"x")
    source.close()


async def test_a_cancelled_read_leaves_the_pipe_usable(pair: tuple[Stream, Stream]) -> None:
    source, sink = pair
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await source.read()
    sink.close()
    assert await source.read() == b""
    source.close()


async def test_closing_wakes_who_reads() -> None:
    reading, writing = os.pipe()
    source = Pipe(reading)
    waiting = asyncio.create_task(source.read())
    await asyncio.sleep(0)
    source.close()
    assert await waiting == b""
    os.close(writing)


async def test_closing_wakes_who_writes() -> None:
    reading, writing = os.pipe()
    sink = Pipe(writing)
    waiting = asyncio.create_task(sink.write(b"x" * 1_000_000))
    await asyncio.sleep(0)
    sink.close()
    with pytest.raises(BrokenPipeError):
        await waiting
    os.close(reading)


async def test_a_pipes_loop_goes_on_while_a_thread_is_stuck_in_it() -> None:
    reading, writing = os.pipe()
    sink = ThreadedPipe(writing)
    stuck = asyncio.create_task(sink.write(b"x" * 1_000_000))
    await asyncio.sleep(0.05)
    assert not stuck.done()
    sink.close()
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        await stuck


async def test_a_forked_childs_abandoning_closes_only_the_descriptor() -> None:
    before = psutil.Process().num_fds()
    reading, writing = os.pipe()
    source = Pipe(reading)
    source.abandon()
    source.abandon()
    assert psutil.Process().num_fds() == before + 1
    assert await source.read() == b""
    os.close(writing)
