"""A server's process on Windows: in a job object that only the kernel's process holds open.

When the kernel ends, in whatever way, Windows closes its handles, and with the last handle of the job ends
everything in it: the server and all it started, in whatever process group. So no supervisor is needed.
https://learn.microsoft.com/windows/win32/procthread/job-objects
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import subprocess
import sys
import threading
from contextlib import ExitStack
from typing import Any, Self

from valechat.errors import InvalidCommand, PluginError
from valechat.plugins.transports.endings import STOPPED, exit_sentence
from valechat.plugins.transports.pipes import ThreadedPipe
from valechat.sandbox.base import Prepared

__all__ = ["InJob"]

LEAVING_SECONDS = 1.5
"""How long a server may take to end once its input has."""

KILLING_SECONDS = 2.0
"""How long its end may take to be seen after it was killed."""

CREATE_SUSPENDED = 0x4
CREATE_NEW_PROCESS_GROUP = 0x200
CREATE_NO_WINDOW = 0x08000000

KILL_ON_JOB_CLOSE = 0x2000
EXTENDED_LIMIT_INFORMATION = 9


class _BasicLimits(ctypes.Structure):
    """JOBOBJECT_BASIC_LIMIT_INFORMATION."""

    _fields_ = (
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", ctypes.c_uint32),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", ctypes.c_uint32),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", ctypes.c_uint32),
        ("SchedulingClass", ctypes.c_uint32),
    )


class _ExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION; the six counters between are IO_COUNTERS."""

    _fields_ = (
        ("BasicLimitInformation", _BasicLimits),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


class _Job:
    """A job whose processes end when it is closed, or when this process ends."""

    def __init__(self) -> None:
        self._system = _kernel32()
        self._handle: Any = self._checked(self._system.CreateJobObjectW(None, None))
        limits = _ExtendedLimits()
        limits.BasicLimitInformation.LimitFlags = KILL_ON_JOB_CLOSE
        given = ctypes.byref(limits), ctypes.sizeof(limits)
        self._checked(self._system.SetInformationJobObject(self._handle, EXTENDED_LIMIT_INFORMATION, *given))

    def take(self, process: int) -> None:
        """Puts a process, by its handle, and all it will start into the job."""
        self._checked(self._system.AssignProcessToJobObject(self._handle, ctypes.c_void_p(process)))

    def close(self) -> None:
        """Ends what is in it."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._system.TerminateJobObject(handle, 1)
            self._system.CloseHandle(handle)

    def _checked(self, result: Any) -> Any:
        if not result:
            raise OSError(f"Windows refused with error {_last_error()}")
        return ctypes.c_void_p(result) if isinstance(result, int) else result


class InJob:
    """A running server. `start` makes one; `stop` or `kill` must follow, in any state.

    Attributes:
        stdin: The server's input.
        stdout: Its output.
        stderr: Its complaints.
        pid: Its process.
    """

    def __init__(self, process: subprocess.Popen[bytes], job: _Job, pipes: list[ThreadedPipe]) -> None:
        self.pid = process.pid
        self.stdin, self.stdout, self.stderr = pipes
        self._process = process
        self._job = job
        self._exited = asyncio.Event()
        self._reason = ""
        self._stopping = False
        threading.Thread(
            target=self._wait, args=(asyncio.get_running_loop(),), name="valechat-server", daemon=True
        ).start()

    @classmethod
    def start(cls, prepared: Prepared, *, plugin: str) -> Self:
        """Starts a server, suspended until it is in the job: what it starts can then not escape.

        Raises:
            InvalidCommand: The program cannot be run.
            PluginError: The system refuses the job or has no room for another process.
        """
        import psutil

        with ExitStack() as undo, ExitStack() as theirs:
            try:
                job = _Job()
                undo.callback(job.close)
                process, pipes = _suspended(prepared, undo, theirs)
                job.take(_handle(process))
                psutil.Process(process.pid).resume()
            except FileNotFoundError as error:
                raise InvalidCommand(
                    f"{plugin}: its command cannot be run: {error.strerror}.", plugin=plugin, fix="Correct its command."
                ) from error
            except (OSError, psutil.Error) as error:
                raise PluginError(f"{plugin} could not be started: {error}.") from error
            found = cls(process, job, pipes)
            undo.pop_all()
            return found

    async def ended(self) -> str:
        """Waits until the server's process has ended, and says how."""
        await self._exited.wait()
        return self._reason

    async def stop(self) -> None:
        """Ends the server: its input closed, then the whole job. Takes 4 s at most."""
        self._stopping = True
        try:
            self.stdin.close()
            await self._within(LEAVING_SECONDS)
            self._job.close()
            await self._within(KILLING_SECONDS)
        finally:
            self.kill()

    def kill(self) -> None:
        """Ends everything in the job at once."""
        self._stopping = True
        self._job.close()
        for pipe in (self.stdin, self.stdout, self.stderr):
            pipe.close()

    async def _within(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._exited.wait()

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        code = self._process.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(self._has_ended, code)

    def _has_ended(self, code: int) -> None:
        self._reason = STOPPED if self._stopping else exit_sentence(code)
        self._exited.set()
        self._job.close()  # what it started ends with it


def _suspended(
    prepared: Prepared, undo: ExitStack, theirs: ExitStack
) -> tuple[subprocess.Popen[bytes], list[ThreadedPipe]]:
    """The process, started but not running, and our ends of its pipes."""
    pipes, ends = [], []
    for stream in range(3):
        reading, writing = os.pipe()
        ours, its = (writing, reading) if stream == 0 else (reading, writing)
        theirs.callback(os.close, its)
        pipe = ThreadedPipe(ours)
        undo.callback(pipe.close)
        pipes.append(pipe)
        ends.append(its)
    process = subprocess.Popen(
        list(prepared.argv),
        stdin=ends[0],
        stdout=ends[1],
        stderr=ends[2],
        env=dict(prepared.env),
        cwd=prepared.cwd,
        creationflags=CREATE_SUSPENDED | CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW,
    )
    undo.callback(process.wait)
    undo.callback(process.kill)
    return process, pipes


def _kernel32() -> Any:
    if sys.platform == "win32":
        system = ctypes.WinDLL("kernel32", use_last_error=True)
        system.CreateJobObjectW.restype = ctypes.c_void_p
        return system
    raise OSError("this is not Windows")


def _last_error() -> int:
    if sys.platform == "win32":
        return ctypes.get_last_error()
    return 0


def _handle(process: subprocess.Popen[bytes]) -> int:
    # Opening the process anew by its number would need rights that some policies withhold.
    return int(getattr(process, "_handle", 0))
