"""The thread and event loop on which all network and process work runs.

A kernel's own loop stalls while a cell runs, so ValeChat's work lives on one loop in one daemon
thread. Others reach it over three bridges:

* `Engine.submit`: hand over a coroutine, get a `concurrent.futures.Future`.
* `Engine.wait` and `Engine.iterate`: await it from another loop. They wake ten times a second,
  because a stop button does not wake an idle loop.
* `Engine.run`: block until it is done.

Whatever interrupts a waiting bridge cancels the work behind it. A function that belongs on the
main thread (a notebook's own function offered as a tool) comes back through `Engine.on_main`: it
runs inside a bridge that waits there, or on the kernel's loop between cells.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import functools
import inspect
import os
import queue
import threading
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator
from typing import Any, TypeVar

__all__ = ["Engine", "engine"]

T = TypeVar("T")

HEARTBEAT = 0.1
"""Seconds between two looks of a waiting bridge."""

MOST_BUFFERED = 4096
"""Items `iterate` holds for a slow reader before the source has to wait."""


class Engine:
    """One daemon thread with one event loop, started when first used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closing: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._main_calls: queue.SimpleQueue[Callable[[bool], None]] = queue.SimpleQueue()
        self._main_waiters = 0
        self._kernel_loop: asyncio.AbstractEventLoop | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The engine's loop; starts the thread when it is not running."""
        with self._lock:
            if self._loop is None:
                ready = threading.Event()
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._serve, args=(self._loop, ready), name="valechat-engine", daemon=True
                )
                self._thread.start()
                ready.wait()
            return self._loop

    @property
    def running(self) -> bool:
        """Whether the thread has been started and not closed."""
        return self._loop is not None

    def inside(self) -> bool:
        """Whether the caller runs on the engine's thread."""
        return threading.current_thread() is self._thread

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Start a coroutine on the engine's loop, from any thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    async def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Await a coroutine's end from any loop. Cancelling the wait cancels the work."""
        if self.inside():
            return await work
        future = self.submit(work)
        wrapped = asyncio.wrap_future(future)
        try:
            with self._main_served():
                while not wrapped.done():
                    await asyncio.wait({wrapped}, timeout=HEARTBEAT)
                    self._serve_main()
        finally:
            if not future.done():
                future.cancel()
        return wrapped.result()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Block until a coroutine is done. An interrupt cancels it and waits for its clean-up.

        Raises:
            RuntimeError: Called on the engine's own thread, which would wait for itself.
        """
        if self.inside():
            work.close()
            raise RuntimeError("Engine.run was called on the engine's own thread; await the coroutine instead.")
        finished = threading.Event()

        async def tracked() -> T:
            try:
                return await work
            finally:
                finished.set()

        future = self.submit(tracked())
        try:
            with self._main_served():
                while True:
                    with contextlib.suppress(concurrent.futures.TimeoutError):
                        return future.result(timeout=HEARTBEAT)
                    if future.done():
                        return future.result()
                    self._serve_main(blocking=True)
        except BaseException:
            if not future.done():
                future.cancel()
                finished.wait(timeout=5)
            raise

    async def iterate(self, source: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """Run an async generator on the engine's loop and yield its items in the caller's.

        Items are handed over in batches; a reader that falls `MOST_BUFFERED` items behind makes the
        source wait. Closing the iterator closes the source.
        """
        if self.inside():
            async with contextlib.aclosing(source):
                async for item in source:
                    yield item
            return
        here = asyncio.get_running_loop()
        arrived = asyncio.Event()
        items: deque[T] = deque()
        room: asyncio.Event | None = None

        async def pump() -> None:
            nonlocal room
            room = asyncio.Event()
            async with contextlib.aclosing(source):
                async for item in source:
                    items.append(item)
                    if len(items) == 1:
                        here.call_soon_threadsafe(arrived.set)
                    if len(items) >= MOST_BUFFERED:
                        room.clear()
                        await room.wait()

        future = self.submit(pump())
        future.add_done_callback(lambda _: _wake(here, arrived))
        try:
            with self._main_served():
                while True:
                    while items:
                        yield items.popleft()
                        if room is not None and len(items) == MOST_BUFFERED // 2:
                            self.loop.call_soon_threadsafe(room.set)
                    if future.done() and not items:
                        break
                    arrived.clear()
                    if not items and not future.done():
                        with contextlib.suppress(asyncio.TimeoutError):
                            await asyncio.wait_for(arrived.wait(), HEARTBEAT)
                    self._serve_main()
            future.result()
        finally:
            if not future.done():
                future.cancel()

    async def on_main(self, call: Callable[[], Any]) -> Any:
        """Run a function on the main thread, where user code runs; await its result here.

        It runs as soon as a bridge waits on the main thread, or on the kernel's loop between two
        cells. What an `async` function returns is awaited on the kernel's loop. In a program that
        offers neither it runs in a worker thread.
        """
        if self._main_waiters == 0 and self._kernel_loop is None:
            result = await asyncio.to_thread(call)
            return await result if inspect.isawaitable(result) else result
        done: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self._main_calls.put(functools.partial(_perform, call, done))
        if self._kernel_loop is not None:
            self._kernel_loop.call_soon_threadsafe(self._serve_main)
        return await asyncio.wrap_future(done)

    def attach_kernel(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let `on_main` use this loop, which runs on the main thread between cells."""
        self._kernel_loop = loop

    def at_close(self, clean_up: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Await this on the engine's loop when it closes; the last registered comes first."""
        self._closing.append(clean_up)

    def close(self, timeout: float = 5) -> None:
        """Cancel what runs, clean up, end the thread. The engine starts anew when used again."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        closing = asyncio.run_coroutine_threadsafe(self._wind_down(), loop)
        with contextlib.suppress(concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
            closing.result(timeout)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout)

    def _serve(self, loop: asyncio.AbstractEventLoop, ready: threading.Event) -> None:
        asyncio.set_event_loop(loop)
        loop.call_soon(ready.set)
        try:
            loop.run_forever()
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    async def _wind_down(self) -> None:
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        while self._closing:
            await self._closing.pop()()

    @contextlib.contextmanager
    def _main_served(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._main_waiters += 1
        try:
            yield
        finally:
            self._main_waiters -= 1

    def _serve_main(self, *, blocking: bool = False) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        with contextlib.suppress(queue.Empty):
            while True:
                self._main_calls.get_nowait()(blocking)

    def _forget(self) -> None:
        """A forked child has no thread of its parent's."""
        self.__init__()  # type: ignore[misc]  # the one way to be as new


def _perform(call: Callable[[], Any], done: concurrent.futures.Future[Any], blocking: bool) -> None:
    """Run a function on the main thread and hand over what it returns or raises.

    `blocking` says that the loop of this thread, if any, cannot go on until we return.
    """
    if not done.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:
        done.set_exception(error)
        if not isinstance(error, Exception):
            raise
        return
    if inspect.isawaitable(result):
        _finish_awaitable(result, done, blocking)
    else:
        done.set_result(result)


def _finish_awaitable(result: Awaitable[Any], done: concurrent.futures.Future[Any], blocking: bool) -> None:
    async def awaited() -> Any:
        return await result

    def hand_over(task: asyncio.Task[Any]) -> None:
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(task.result())

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        done.set_result(asyncio.run(awaited()))
        return
    task = loop.create_task(awaited())
    task.add_done_callback(hand_over)
    if blocking:
        # A magic waits on this very loop, which can only go on if it is entered again.
        import nest_asyncio

        nest_asyncio.apply(loop)
        loop.run_until_complete(task)


def _wake(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(event.set)


_engine = Engine()
atexit.register(_engine.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_engine._forget)


def engine() -> Engine:
    """The process's engine."""
    return _engine
