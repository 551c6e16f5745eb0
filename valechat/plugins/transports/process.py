"""A server's process under its supervisor, as the kernel sees it. POSIX; `windows` has the same for Windows."""

from __future__ import annotations

import asyncio
import contextlib
import marshal
import os
import shutil
import socket
import subprocess
import sys
import threading
import weakref
from contextlib import ExitStack
from pathlib import Path
from typing import Self
from uuid import uuid4

from valechat.errors import InvalidCommand, InvalidPlugin, PluginError
from valechat.plugins.transports.endings import STOPPED, exit_sentence, signal_sentence
from valechat.plugins.transports.pipes import Pipe
from valechat.plugins.transports.strays import MARK, end_strays
from valechat.sandbox.base import Prepared

__all__ = ["Supervised"]

SUPERVISOR = Path(__file__).with_name("supervisor.py")

STARTING_SECONDS = 30.0
"""How long the supervisor may take to say that it started the server; usually 0.03 s."""

LEAVING_SECONDS = 1.5
"""How long a server may take to end once its input has; and again after SIGTERM."""

KILLING_SECONDS = 2.0
"""How long the killing of a whole tree may take before nobody waits for it any more."""

_LOADER = ("DYLD_", "LD_", "PYTHON")
"""Variables that are the server's business alone: they could keep its supervisor from starting."""

_living: weakref.WeakSet[Supervised] = weakref.WeakSet()


class Supervised:
    """A running server. `start` makes one; `stop` or `kill` must follow, in any state.

    Attributes:
        stdin: The server's input.
        stdout: Its output.
        stderr: Its complaints.
        pid: Its process; 0 before it started.
    """

    def __init__(self, plugin: str) -> None:
        self.plugin = plugin
        self.pid = 0
        self._control, self.stdin, self.stdout, self.stderr = (Pipe.none() for _ in range(4))
        self._keeper: subprocess.Popen[bytes] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._exited, self._gone = asyncio.Event(), asyncio.Event()
        self._reason = ""
        self._stopping = False
        self._mark = uuid4().hex

    @classmethod
    async def start(cls, prepared: Prepared, *, plugin: str) -> Self:
        """Starts a server. Cancelled, it leaves nothing behind.

        Raises:
            InvalidCommand: The program cannot be run.
            InvalidPlugin: The folder cannot be entered.
            PluginError: The system has no room for another process.
        """
        process = cls(plugin)
        try:
            process._spawn(prepared)
            process._listening = asyncio.create_task(process._listen())
            async with asyncio.timeout(STARTING_SECONDS):
                await process._tell(_job(prepared, process._mark))
                await process._started
        except TimeoutError as error:
            process.kill()
            raise PluginError(f"{plugin} did not start within {STARTING_SECONDS:g} s.") from error
        except OSError as error:
            process.kill()
            raise PluginError(
                f"{plugin} could not be started: {error.strerror}.", fix="Close some programs, then restart it."
            ) from error
        except BaseException:
            process.kill()
            raise
        return process

    async def ended(self) -> str:
        """Waits until the server's process has ended, and says how."""
        await self._exited.wait()
        return self._reason

    async def stop(self) -> None:
        """Ends the server: its input closed, then SIGTERM, then SIGKILL to all it started. Takes 5 s at most."""
        self._stopping = True
        try:
            self.stdin.close()
            if not await _within(self._exited, LEAVING_SECONDS):
                await self._tell(b"T")
                await _within(self._exited, LEAVING_SECONDS)
            if not self._exited.is_set():
                await self._tell(b"K")
            await _within(self._gone, KILLING_SECONDS)
        finally:
            self.kill()

    def kill(self) -> None:
        """Lets go of the lifeline: the supervisor ends everything, also when nobody waits for it."""
        self._stopping = True
        for pipe in (self._control, self.stdin, self.stdout, self.stderr):
            pipe.close()
        if self._listening is None:
            self._reap()

    def abandon(self) -> None:
        """In a forked child: let go of what only the parent may hold."""
        for pipe in (self._control, self.stdin, self.stdout, self.stderr):
            pipe.abandon()

    def _spawn(self, prepared: Prepared) -> None:
        with ExitStack() as theirs:
            here, there = socket.socketpair()
            self._control = Pipe(here.detach())
            theirs.callback(there.close)
            _living.add(self)
            ends = []
            for name in ("stdin", "stdout", "stderr"):
                reading, writing = os.pipe()
                ours, its = (writing, reading) if name == "stdin" else (reading, writing)
                setattr(self, name, Pipe(ours))
                theirs.callback(os.close, its)
                ends.append(its)
            python = sys.executable or shutil.which("python3") or "python3"
            program = [python, "-I", "-S", str(SUPERVISOR), str(there.fileno()), str(os.getpid())]
            self._keeper = subprocess.Popen(
                program,
                stdin=ends[0],
                stdout=ends[1],
                stderr=ends[2],
                pass_fds=[there.fileno()],
                env={name: value for name, value in prepared.env.items() if not name.startswith(_LOADER)},
                cwd="/",
                start_new_session=True,  # the stop button's SIGINT is for the kernel's group alone
            )

    async def _listen(self) -> None:
        received = b""
        try:
            while piece := await self._control.read():
                *lines, received = (received + piece).split(b"\n")
                for line in lines:
                    self._hear(*line.decode().split())
        finally:
            if not self._started.done():
                self._start_is(PluginError(f"{self.plugin} could not be started: {await self._last_words()}"))
            self._lost()
            self._reap()

    def _hear(self, word: str, *rest: str) -> None:
        if word == "started":
            self.pid = int(rest[0])
            self._start_is(None)
        elif word == "failed":
            self._start_is(_refusal(self.plugin, rest[0], int(rest[1])))
        else:
            code = int(rest[0])
            said = exit_sentence(code) if word == "exited" else signal_sentence(code)
            self._exit_is(STOPPED if self._stopping else said)

    def _lost(self) -> None:
        """The supervisor is gone: because there is nothing left to do, or because somebody killed it."""
        if self._exited.is_set():
            return
        if not self._stopping:
            # The server ended with it (PR_SET_PDEATHSIG), or never was; what it started has nobody else.
            threading.Thread(target=end_strays, args=(self._mark,), name="valechat-strays", daemon=True).start()
        self._exit_is(STOPPED if self._stopping else "The server's supervisor was ended, and the server with it.")

    async def _last_words(self) -> str:
        """What the supervisor complained of; only when the server never started, and nobody reads its pipe."""
        said = (await self.stderr.read()).decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(said) if line.strip()), "its supervisor ended.")

    def _start_is(self, problem: Exception | None) -> None:
        if self._started.done():
            return
        if problem is None:
            self._started.set_result(None)
        else:
            self._started.set_exception(problem)
            self._started.exception()  # nobody may be waiting for it any more

    def _exit_is(self, reason: str) -> None:
        if not self._exited.is_set():
            self._reason = reason
            self._exited.set()

    async def _tell(self, what: bytes) -> None:
        with contextlib.suppress(OSError):  # it has ended, which is heard elsewhere
            await self._control.write(what)

    def _reap(self) -> None:
        """Waits for the supervisor's end in a thread: it is only milliseconds away."""
        if self._keeper is None:
            return
        loop, keeper = asyncio.get_running_loop(), self._keeper

        def wait() -> None:
            keeper.wait()
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._gone.set)

        threading.Thread(target=wait, name="valechat-reaper", daemon=True).start()


def _job(prepared: Prepared, mark: str) -> bytes:
    job = {
        "argv": list(prepared.argv),
        "env": {**prepared.env, MARK: mark},
        "cwd": prepared.cwd,
        "mark": f"{MARK}={mark}",
        "group": prepared.group,
        "limits": {name: list(pair) for name, pair in prepared.limits.items()},
    }
    written = marshal.dumps(job)
    return len(written).to_bytes(4, "big") + written


def _refusal(plugin: str, step: str, number: int) -> InvalidPlugin | PluginError:
    why = os.strerror(number)
    if step == "exec":
        return InvalidCommand(
            f"{plugin}: its command cannot be run: {why}.",
            plugin=plugin,
            fix="Check that it is a program, and that the interpreter in its first line exists.",
        )
    if step == "cwd":
        return InvalidPlugin(f"{plugin}: its folder (cwd) cannot be entered: {why}.", plugin=plugin)
    return PluginError(f"{plugin} could not be started: {why}.")


async def _within(event: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


def _abandon_all() -> None:
    for process in list(_living):
        process.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
