"""Calls that may never return, in threads that nobody has to wait for."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["Abandonable"]

T = TypeVar("T")


class Abandonable:
    """Runs blocking calls in daemon threads, each for at most `timeout` seconds.

    A thread of an executor would be waited for at the interpreter's exit; a keychain that waits for
    a password would then keep the kernel from ending. While a call that timed out still hangs, the
    next one times out at once instead of hanging beside it.
    """

    def __init__(self, *, timeout: float, name: str) -> None:
        self._timeout = timeout
        self._name = name
        self._hanging: threading.Thread | None = None

    async def run(self, call: Callable[[], T]) -> T:
        """The call's result, or its error.

        Raises:
            TimeoutError: The call has not returned; what it gives later is dropped.
        """
        if self._hanging is not None and self._hanging.is_alive():
            raise TimeoutError
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def work() -> None:
            try:
                result = call()
            except BaseException as error:  # noqa: BLE001 - it belongs to the waiting task, whatever it is
                finish = _setter(future, error)
            else:
                finish = _resolver(future, result)
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(finish)

        thread = threading.Thread(target=work, name=self._name, daemon=True)
        thread.start()
        try:
            return await asyncio.wait_for(future, self._timeout)
        except TimeoutError:
            self._hanging = thread
            raise


def _resolver(future: asyncio.Future[T], result: T) -> Callable[[], None]:
    return lambda: None if future.done() else future.set_result(result)


def _setter(future: asyncio.Future[T], error: BaseException) -> Callable[[], None]:
    return lambda: None if future.done() else future.set_exception(error)
