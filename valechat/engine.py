"""The thread and event loop on which all network and process work runs.

A kernel's own loop stalls while a cell runs, so ValeChat's work lives on one loop in one daemon
thread. Others reach it over three bridges:

* `Engine.submit`: hand over a coroutine, get a `concurrent.futures.Future`.
* `Engine.wait` and `Engine.iterate`: await it from another loop. They wake ten times a second,
  because a stop button does not wake an idle loop.
* `Engine.run`: block until it is done.

Whatever interrupts a waiting bridge cancels the work behind it. A function that belongs on the
main thread (a notebook's own function offered as a tool) comes back through `Engine.on_main`.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import os
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, TypeVar

from valechat.handover import Handover
from valechat.mainthread import MainThread

__all__ = ["Engine", "engine"]

T = TypeVar("T")

HEARTBEAT = 0.1
"""Seconds between two looks of a waiting bridge."""

CLEAN_UP_SECONDS = 5.0
"""How long a bridge waits for the clean-up of work it cancelled: settling a request, closing a connection."""


class Engine:
    """One daemon thread with one event loop, started when first used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closing: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._main = MainThread()

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

    @property
    def attended(self) -> bool:
        """Whether somebody waits on the main thread, a running cell for one, where `on_main` runs at once."""
        return self._main.attended

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
        ended = asyncio.Event()
        here = asyncio.get_running_loop()

        async def tracked() -> T:
            try:
                return await work
            finally:
                with contextlib.suppress(RuntimeError):
                    here.call_soon_threadsafe(ended.set)

        with self._main.served():
            future = self.submit(tracked())
            try:
                while not ended.is_set():
                    with contextlib.suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(ended.wait(), HEARTBEAT)
                    self._main.serve()
                return await asyncio.wrap_future(future)
            except BaseException:
                if not ended.is_set():
                    future.cancel()
                    with contextlib.suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(ended.wait(), CLEAN_UP_SECONDS)
                raise

    def run(self, work: Coroutine[Any, Any, T], *, each_beat: Callable[[], None] | None = None) -> T:
        """Block until a coroutine is done. An interrupt cancels it and waits for its clean-up.

        `each_beat` is called here, ten times a second while it waits.

        Raises:
            RuntimeError: Called on the engine's own thread, which would wait for itself.
        """
        if self.inside():
            work.close()
            raise RuntimeError("Engine.run was called on the engine's own thread; await the coroutine instead.")
        finished, abandoned = threading.Event(), threading.Event()
        task: list[asyncio.Task[Any]] = []

        async def tracked() -> T:
            task.extend(filter(None, [asyncio.current_task()]))
            try:
                if abandoned.is_set():
                    work.close()
                    raise asyncio.CancelledError
                return await work
            finally:
                finished.set()

        with self._main.served():
            try:
                future = self.submit(tracked())
                while True:
                    with contextlib.suppress(concurrent.futures.TimeoutError):
                        return future.result(timeout=HEARTBEAT)
                    if future.done():
                        return future.result()
                    self._main.serve(blocking=True)
                    if each_beat is not None:
                        each_beat()
            except BaseException:
                # An interrupt can come anywhere, so the work is found by its task, not by our future.
                abandoned.set()
                self.loop.call_soon_threadsafe(lambda: [running.cancel() for running in task])
                finished.wait(CLEAN_UP_SECONDS)
                raise

    async def iterate(self, source: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """Run an async generator on the engine's loop and yield its items in the caller's.

        A reader that falls too far behind makes the source wait. Closing the iterator closes the source
        and waits for its clean-up.
        """
        if self.inside():
            async with contextlib.aclosing(source):
                async for item in source:
                    yield item
            return
        handover = Handover(source)
        with self._main.served():
            future = self.submit(handover.pump())
            try:
                while not handover.over:
                    for item in await handover.batch(HEARTBEAT):
                        yield item
                    self._main.serve()
                future.result()
            finally:
                if not handover.over:
                    future.cancel()
                    await handover.ended(CLEAN_UP_SECONDS)

    async def on_main(self, call: Callable[[], Any]) -> Any:
        """Run a function on the main thread, where user code runs; see `MainThread.call`."""
        return await self._main.call(call)

    def attach_kernel(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let `on_main` use this loop, which runs on the main thread between cells."""
        self._main.attach_kernel(loop)

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
            await asyncio.gather(self._closing.pop()(), return_exceptions=True)

    def forget(self) -> None:
        """Be as new: a forked child has no thread of its parent's."""
        Engine.__init__(self)


_engine = Engine()
atexit.register(_engine.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_engine.forget)


def engine() -> Engine:
    """The process's engine."""
    return _engine
