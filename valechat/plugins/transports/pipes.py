"""One end of a pipe to a server's process, read and written on an event loop.

`Pipe` uses the loop's own waiting. Windows' loops cannot wait for such pipes, or only some of them can
(Jupyter chooses one that cannot), so there `ThreadedPipe` has a thread of its own do the waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, Self, TypeVar

__all__ = ["Pipe", "Stream", "ThreadedPipe"]

T = TypeVar("T")

CHUNK = 256 * 1024
"""The most bytes one read gives."""


class Stream(Protocol):
    """What a transport reads from or writes to."""

    async def read(self) -> bytes:
        """What has come, at least a byte; nothing at the end."""
        ...

    async def write(self, data: bytes) -> None:
        """Returns when all of it is in the pipe.

        Raises:
            OSError: Nobody can read it any more.
        """
        ...

    def close(self) -> None:
        """Closes this end, whatever is under way. May be called twice."""
        ...


class Pipe:
    """A pipe's end that the running loop waits for. Owns its descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None  # the one that watches for something to read
        self._received: list[bytes] = []
        self._ended = descriptor < 0
        if descriptor >= 0:
            os.set_blocking(descriptor, False)

    @classmethod
    def none(cls) -> Self:
        """One that is closed already."""
        return cls(-1)

    async def read(self) -> bytes:
        """See `Stream`."""
        if not self._received and not self._ended:
            self._watch()
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        received = self._received[0] if len(self._received) == 1 else b"".join(self._received)
        self._received.clear()
        return received

    async def write(self, data: bytes) -> None:
        """See `Stream`."""
        rest = memoryview(data)
        while rest:
            if self._descriptor < 0:
                raise BrokenPipeError
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                await self._writable()

    def close(self) -> None:
        """See `Stream`."""
        if self._descriptor < 0:
            return
        self._unwatch()
        self._ended = True
        for waiting in (self._reader, self._writer):
            _wake(waiting)
        if self._writer is not None and not self._writer.get_loop().is_closed():
            self._writer.get_loop().remove_writer(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1

    def abandon(self) -> None:
        """Closes the descriptor alone: in a forked child, whose copy of the loop is not to be touched."""
        descriptor, self._descriptor = self._descriptor, -1
        self._ended = True
        if descriptor >= 0:
            os.close(descriptor)

    def _watch(self) -> None:
        """Watch until more has come than somebody reads: adding and removing for each read costs more than reading."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self._descriptor, self._readable)

    def _unwatch(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None and not loop.is_closed():
            loop.remove_reader(self._descriptor)

    def _readable(self) -> None:
        try:
            data = os.read(self._descriptor, CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._received.append(data)
        self._ended = not data
        if self._ended or sum(map(len, self._received)) >= CHUNK:
            self._unwatch()
        _wake(self._reader)

    async def _writable(self) -> None:
        loop, descriptor = asyncio.get_running_loop(), self._descriptor
        writer = self._writer = loop.create_future()
        loop.add_writer(descriptor, _wake, writer)
        try:
            await writer
        finally:
            self._writer = None
            if self._descriptor == descriptor:
                loop.remove_writer(descriptor)


class ThreadedPipe:
    """A pipe's end for which a daemon thread waits; blocking reads and writes happen only there.

    Args:
        descriptor: Is owned and closed by it.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._closing = threading.Lock()
        self._wanted = threading.Semaphore(0)
        self._work: list[tuple[Callable[[], Any], asyncio.AbstractEventLoop, asyncio.Future[Any]]] = []
        self._closed = False
        threading.Thread(target=self._serve, name="valechat-pipe", daemon=True).start()

    async def read(self) -> bytes:
        """See `Stream`."""
        try:
            return await self._there(partial(os.read, self._descriptor, CHUNK))
        except OSError:  # Windows says the end of a pipe as an error
            return b""

    async def write(self, data: bytes) -> None:
        """See `Stream`."""
        rest = memoryview(data)
        while rest:
            rest = rest[await self._there(partial(os.write, self._descriptor, rest)) :]

    def close(self) -> None:
        """See `Stream`. A thread that is stuck in the pipe closes it when it comes back."""
        self._closed = True
        self._wanted.release()

    async def _there(self, act: Callable[[], T]) -> T:
        if self._closed:
            raise BrokenPipeError
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._work.append((act, loop, done))
        self._wanted.release()
        return await done

    def _serve(self) -> None:
        while True:
            self._wanted.acquire()
            if self._closed or not self._work:
                break
            act, loop, done = self._work.pop(0)
            try:
                told: Callable[[], None] = _told(done, act())
            except OSError as error:
                told = _failed(done, error)
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(told)
        for _, loop, done in self._work:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_failed(done, BrokenPipeError()))
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)


def _told(done: asyncio.Future[T], result: T) -> Callable[[], None]:
    return lambda: None if done.done() else done.set_result(result)


def _failed(done: asyncio.Future[Any], error: OSError) -> Callable[[], None]:
    return lambda: None if done.done() else done.set_exception(error)
