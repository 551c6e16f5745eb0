"""The main thread, where user code runs, as the engine's loop sees it.

A notebook's own function offered as a tool must not run beside the user's cells. It waits here until
a bridge waits on the main thread (`served`, `serve`), or until the kernel's loop is free between two
cells (`attach_kernel`).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import inspect
import queue
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

__all__ = ["MainThread"]


class MainThread:
    """A queue of calls for the main thread."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[_Call] = queue.SimpleQueue()
        self._waiters = 0
        self._kernel_loop: asyncio.AbstractEventLoop | None = None

    @property
    def attended(self) -> bool:
        """Whether a wait was announced that will call `serve` now and then."""
        return self._waiters > 0

    def attach_kernel(self, loop: asyncio.AbstractEventLoop) -> None:
        """Use this loop, which runs on the main thread between cells."""
        self._kernel_loop = loop

    async def call(self, function: Callable[[], Any]) -> Any:
        """Run a function on the main thread; await its result here.

        What an `async` function returns is awaited there, on the kernel's loop if there is one, and
        cancelled with this call. In a program that offers no main thread a worker thread runs it.
        """
        if self._waiters == 0 and self._kernel_loop is None:
            result = await asyncio.to_thread(function)
            return await result if inspect.isawaitable(result) else result
        call = _Call(function)
        self._calls.put(call)
        if self._kernel_loop is not None:
            self._kernel_loop.call_soon_threadsafe(self.serve)
        try:
            return await asyncio.wrap_future(call.done)
        except asyncio.CancelledError:
            call.cancel()
            raise

    @contextlib.contextmanager
    def served(self) -> Iterator[None]:
        """Announce a wait on the main thread that will call `serve` now and then."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._waiters += 1
        try:
            yield
        finally:
            self._waiters -= 1

    def serve(self, *, blocking: bool = False) -> None:
        """Run what waits, if this is the main thread.

        `blocking` says that the loop of this thread, if any, cannot go on until we return.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        with contextlib.suppress(queue.Empty):
            while True:
                self._calls.get_nowait().perform(blocking=blocking)


class _Call:
    """One function on its way to the main thread and its result on the way back."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.done: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self._function = function
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None

    def cancel(self) -> None:
        """Give the call up, from any thread. A function that is not `async` runs on to its end."""
        self.done.cancel()
        if self._running is not None:
            loop, task = self._running
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(task.cancel)

    def perform(self, *, blocking: bool) -> None:
        if self.done.cancelled():
            return
        try:
            result = self._function()
        except Exception as error:  # noqa: BLE001  # whatever the function raises is its caller's
            self._hand_over(error=error)
            return
        except BaseException:
            # An interrupt is the main thread's own; a task of the engine would end its loop by it.
            self._hand_over(error=asyncio.CancelledError())
            raise
        if inspect.isawaitable(result):
            self._await(result, blocking=blocking)
        else:
            self._hand_over(result)

    def _await(self, result: Awaitable[Any], *, blocking: bool) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            with contextlib.suppress(asyncio.CancelledError):
                asyncio.run(self._finish(result))
            return
        task = loop.create_task(self._finish(result))
        if blocking:
            # A magic waits on this very loop, which can only go on if it is entered again.
            import nest_asyncio

            nest_asyncio.apply(loop)
            with contextlib.suppress(asyncio.CancelledError):
                loop.run_until_complete(task)

    async def _finish(self, result: Awaitable[Any]) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._running = (asyncio.get_running_loop(), task)
        if self.done.cancelled():
            # A coroutine that nobody awaits would say so in whatever cell runs then.
            if (close := getattr(result, "close", None)) is not None:
                close()
            return
        try:
            self._hand_over(await result)
        except Exception as error:  # noqa: BLE001  # as above
            self._hand_over(error=error)
        except BaseException:
            self._hand_over(error=asyncio.CancelledError())
            raise

    def _hand_over(self, result: Any = None, *, error: BaseException | None = None) -> None:
        if not self.done.set_running_or_notify_cancel():
            return
        if error is not None:
            self.done.set_exception(error)
        else:
            self.done.set_result(result)
