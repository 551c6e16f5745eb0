"""The engine's bridges: work runs on its own thread, and whatever interrupts a wait cancels it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Iterator

import pytest

from valechat.engine import Engine
from valechat.handover import MOST_BUFFERED


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


async def thread_name() -> str:
    return threading.current_thread().name


def test_work_runs_on_the_engines_own_thread(engine: Engine) -> None:
    assert engine.run(thread_name()) == "valechat-engine"
    assert engine.submit(thread_name()).result(60) == "valechat-engine"


async def test_waiting_from_another_loop_gives_the_result(engine: Engine) -> None:
    assert await engine.wait(thread_name()) == "valechat-engine"


async def test_waiting_on_the_engines_own_loop_does_not_leave_it(engine: Engine) -> None:
    async def nested() -> str:
        return await engine.wait(thread_name())

    assert await engine.wait(nested()) == "valechat-engine"


def test_blocking_on_the_engines_own_thread_is_refused(engine: Engine) -> None:
    async def nested() -> str:
        return engine.run(thread_name())

    with pytest.raises(RuntimeError, match="own thread"):
        engine.run(nested())


def test_an_error_of_the_work_is_raised_to_the_waiter(engine: Engine) -> None:
    async def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        engine.run(fail())


def test_an_interrupt_while_blocking_cancels_the_work_and_waits_for_its_clean_up(engine: Engine) -> None:
    cleaned: list[str] = []
    started = threading.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            cleaned.append("yes")

    def interrupt() -> None:
        started.wait(30)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        engine.run(work())
    assert cleaned == ["yes"]


async def test_cancelling_a_wait_cancels_the_work(engine: Engine) -> None:
    started, cancelled = threading.Event(), threading.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    waiting = asyncio.create_task(engine.wait(work()))
    await asyncio.to_thread(started.wait, 30)
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting
    assert await asyncio.to_thread(cancelled.wait, 30)


async def test_iterating_keeps_the_order_of_all_items(engine: Engine) -> None:
    async def numbers() -> AsyncGenerator[int, None]:
        for number in range(20_000):
            yield number

    assert [number async for number in engine.iterate(numbers())] == list(range(20_000))


async def test_a_slow_reader_makes_the_source_wait(engine: Engine) -> None:
    made = 0

    async def endless() -> AsyncGenerator[int, None]:
        nonlocal made
        while True:
            made += 1
            yield made

    async with contextlib.aclosing(engine.iterate(endless())) as items:
        await anext(items)
        await asyncio.sleep(0.3)
        assert made <= 2 * MOST_BUFFERED


async def test_closing_an_iteration_closes_its_source(engine: Engine) -> None:
    closed = threading.Event()

    async def source() -> AsyncGenerator[int, None]:
        try:
            yield 1
            await asyncio.sleep(60)
        finally:
            closed.set()

    async with contextlib.aclosing(engine.iterate(source())) as items:
        assert await anext(items) == 1
    assert await asyncio.to_thread(closed.wait, 30)


async def test_an_error_of_the_source_comes_after_its_last_item(engine: Engine) -> None:
    async def source() -> AsyncGenerator[int, None]:
        yield 1
        raise LookupError("gone")

    items = engine.iterate(source())
    assert await anext(items) == 1
    with pytest.raises(LookupError):
        await anext(items)


def test_a_function_for_the_main_thread_runs_there_while_it_blocks(engine: Engine) -> None:
    name = engine.run(engine.on_main(lambda: threading.current_thread().name))
    assert name == threading.main_thread().name


async def test_an_async_function_for_the_main_thread_runs_on_the_waiting_loop(engine: Engine) -> None:
    here = asyncio.get_running_loop()

    async def where() -> bool:
        await asyncio.sleep(0)
        return asyncio.get_running_loop() is here

    assert await engine.wait(engine.on_main(where))


def test_a_function_for_the_main_thread_may_raise(engine: Engine) -> None:
    def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError):
        engine.run(engine.on_main(fail))


def test_closing_cancels_what_runs_and_then_cleans_up(engine: Engine) -> None:
    order: list[str] = []
    started = threading.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            order.append("cancelled")

    async def clean_up() -> None:
        order.append("cleaned")

    engine.at_close(clean_up)
    engine.submit(work())
    assert started.wait(30)
    engine.close()
    assert order == ["cancelled", "cleaned"]
    assert not engine.running


def test_a_closed_engine_starts_anew(engine: Engine) -> None:
    engine.run(thread_name())
    engine.close()
    assert engine.run(thread_name()) == "valechat-engine"


def test_the_interpreter_ends_while_work_is_under_way() -> None:
    code = (
        "import asyncio; from valechat.engine import engine\n"
        "async def work():\n"
        "    try: await asyncio.sleep(60)\n"
        "    finally: print('cleaned')\n"
        "engine().submit(work()); engine().run(asyncio.sleep(0.05))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "cleaned\n"
    assert done.stderr == ""
