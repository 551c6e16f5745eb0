"""A server that runs on this machine, spoken to through its standard input and output.

Unlike the SDK's own transport it reads in linear time and within bounds, takes what is not UTF-8, always
drains what the server complains of, tells when the server ends, and leaves no process behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCMessage

from valechat.plugins.config import LocalServer
from valechat.plugins.transports.base import Context, Link
from valechat.plugins.transports.complaints import BoundedLog, drain
from valechat.plugins.transports.endings import STOPPED
from valechat.plugins.transports.framing import LineReader, NotAMessage, TooLong, messages, refusal, written
from valechat.plugins.transports.launch import launched
from valechat.plugins.transports.pipes import Stream
from valechat.sandbox.base import Prepared
from valechat.sandbox.watchdog import Watchdog

__all__ = ["ServerProcess", "stdio"]

LINE_LIMIT = 64 * 1024 * 1024
"""The most bytes of one message from a server."""

QUEUE = 64
"""Messages that may wait for a server to read them before who sends more has to wait."""

STALLED_SECONDS = 30.0
"""How long a server may leave its input unread before it counts as hung."""

ENDING_SECONDS = 2.0
"""How long a server whose output has ended may take to end too; it is told in milliseconds, but on a busy machine."""

LAST_WORDS_SECONDS = 0.5
"""How long its output is still read once the server has ended, and what was sent is still written when it must."""


class ServerProcess(Protocol):
    """What a platform's process offers."""

    pid: int

    @property
    def stdin(self) -> Stream:
        """Its input."""
        ...

    @property
    def stdout(self) -> Stream:
        """Its output."""
        ...

    @property
    def stderr(self) -> Stream:
        """Its complaints."""
        ...

    async def ended(self) -> str:
        """Waits until the server's process has ended, and says how."""
        ...

    async def stop(self) -> None:
        """Ends it and all it started, within seconds."""
        ...

    def kill(self) -> None:
        """Ends it and all it started, at once and without waiting for it."""
        ...


@asynccontextmanager
async def stdio(
    definition: LocalServer,
    context: Context,
    *,
    line_limit: int = LINE_LIMIT,
    stalled_seconds: float = STALLED_SECONDS,
) -> AsyncIterator[Link]:
    """Starts a server and gives the connection to it; leaving ends it, in seconds, whatever it does.

    Args:
        definition: What to start; its variables are resolved.
        context: Where its log goes.
        line_limit: The most bytes of one message from it.
        stalled_seconds: How long it may leave its input unread.

    Raises:
        InvalidPlugin: The program or the folder does not exist or cannot be used.
        PluginError: The system cannot start another process.
    """
    async with launched(definition, context) as prepared:
        process = await _started(prepared, plugin=definition.id)
        connection = _Connection(process, context, line_limit, stalled_seconds)
        if definition.permissions is not None:
            connection.guard(Watchdog(process.pid, definition.permissions))
        try:
            yield Link(
                read=connection.read,
                write=connection.write,
                ended=connection.ended,
                pid=process.pid,
                sandbox={str(subject): strength for subject, strength in prepared.report.items()},
            )
        finally:
            # Scope and task, because both kinds of cancellation may come, and the server must end all the same.
            with anyio.CancelScope(shield=True):
                await _finished(connection.close())


class _Connection:
    """The work between a process's pipes and the session's streams."""

    def __init__(self, process: ServerProcess, context: Context, line_limit: int, stalled_seconds: float) -> None:
        self._process = process
        self._lines = LineReader(line_limit)
        self._stalled_seconds = stalled_seconds
        self._skipped = BoundedLog(context.log, "valechat", "warning")
        self._incoming, self.read = _stream(0)
        self.write, self._outgoing = _stream(QUEUE)
        self._reason = ""
        self._over = asyncio.Event()
        complaints = BoundedLog(context.log, "stderr", "info")
        self._draining = asyncio.create_task(drain(process.stderr, complaints))
        self._reading = asyncio.create_task(self._receive())
        self._sending = asyncio.create_task(self._send())
        self._tasks = [self._draining, self._reading, self._sending, asyncio.create_task(self._attend())]
        for task in self._tasks:
            task.add_done_callback(self._failed)

    def guard(self, watchdog: Watchdog) -> None:
        """End the server when it takes more than it may."""
        if watchdog.needed:
            self._tasks.append(asyncio.create_task(self._guard(watchdog)))
            self._tasks[-1].add_done_callback(self._failed)

    async def ended(self) -> str:
        """See `Link.ended`."""
        await self._over.wait()
        return self._reason

    async def close(self) -> None:
        """Ends the server and everything here."""
        self.read.close()
        self.write.close()
        try:
            await asyncio.wait({self._sending}, timeout=LAST_WORDS_SECONDS)
            await self._process.stop()
        finally:
            self._process.kill()
            self._end(STOPPED)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for stream in (self._incoming, self._outgoing):
                stream.close()

    async def _attend(self) -> None:
        """Waits for the process's end, and lets what it wrote before arrive first."""
        reason = await self._process.ended()
        await asyncio.wait({self._draining, self._reading}, timeout=LAST_WORDS_SECONDS)
        self._end(reason)

    async def _guard(self, watchdog: Watchdog) -> None:
        self._end(await watchdog.exceeded())
        self._process.kill()

    async def _receive(self) -> None:
        while data := await self._process.stdout.read():
            for line in self._lines.feed(data):
                for message in self._messages(line):
                    await self._deliver(message)
        self._skipped.flush()
        # A server that has closed its output and lives on is of no use; one that ends says so better itself.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ENDING_SECONDS):
                self._end(await self._process.ended())
        self._end("The server closed its output.")

    async def _deliver(self, message: SessionMessage) -> None:
        # The session is gone, or goes: the rest is read all the same, or the server could not write its last.
        with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            await self._incoming.send(message)

    def _messages(self, line: bytes | TooLong) -> Iterator[SessionMessage]:
        for found in [line] if isinstance(line, TooLong) else messages(line):
            if isinstance(found, NotAMessage | TooLong):
                why = _complaint(found)
                self._skipped.add(why)
                answer = refusal(found, why)
                if answer is not None:
                    yield SessionMessage(answer)
            else:
                yield SessionMessage(found)

    async def _send(self) -> None:
        try:
            async for message in self._outgoing:
                try:
                    line = written(message.message)
                except (ValueError, TypeError, RecursionError) as error:
                    await self._refuse(message.message, f"This cannot be sent as JSON: {error}")
                    continue
                async with asyncio.timeout(self._stalled_seconds):
                    await self._process.stdin.write(line)
        except TimeoutError:
            self._end(f"The server has not read its input for {self._stalled_seconds:g} s.")
        except OSError:
            return  # the process has closed its input, and its end is told elsewhere

    async def _refuse(self, message: JSONRPCMessage, why: str) -> None:
        answer = refusal(message, why)
        if answer is not None:
            await self._deliver(SessionMessage(answer))

    def _failed(self, task: asyncio.Task[None]) -> None:
        """A fault of ours must end the connection, not leave everybody waiting."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._end(f"The connection failed: {type(error).__name__}: {error}")

    def _end(self, reason: str) -> None:
        if not self._over.is_set():
            self._reason = reason
            self._over.set()
            self._incoming.close()


async def _started(prepared: Prepared, *, plugin: str) -> ServerProcess:
    if sys.platform == "win32":
        from valechat.plugins.transports.windows import InJob

        return InJob.start(prepared, plugin=plugin)
    from valechat.plugins.transports.process import Supervised

    return await Supervised.start(prepared, plugin=plugin)


async def _finished(work: Coroutine[Any, Any, None]) -> None:
    """Awaits work to its end, and is cancelled only then."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                break
            cancelled = error
    if cancelled is not None:
        raise cancelled


def _stream(size: int) -> tuple[MemoryObjectSendStream[SessionMessage], MemoryObjectReceiveStream[SessionMessage]]:
    return anyio.create_memory_object_stream[SessionMessage](size)


def _complaint(what: NotAMessage | TooLong) -> str:
    if isinstance(what, TooLong):
        return f"A message of {what.size:,} bytes was left out: it is larger than allowed."
    if what.request is not None:
        return f"An answer was not valid and was left out: {what.text}"
    return f"Output that is no message was left out: {what.text}"
