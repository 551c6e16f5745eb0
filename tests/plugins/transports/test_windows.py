"""Windows' processes, as far as another system can run them: everything but the job object itself.

The job is replaced by one that ends the process it took, which is what Windows does with it.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.patience import Stopwatch
from tests.plugins.unruly import command
from valechat.errors import InvalidCommand, PluginError
from valechat.plugins.transports import windows
from valechat.plugins.transports.windows import InJob
from valechat.sandbox.base import Command, Prepared, prepare

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stands in for what Windows itself has")


class Job:
    """Ends what it took when it is closed."""

    taken: int | None = None

    def take(self, process: int) -> None:
        self.taken = process

    def close(self) -> None:
        taken, self.taken = self.taken, None
        if taken is not None:
            with suppress(ProcessLookupError):
                os.kill(taken, signal.SIGKILL)


def pid(process: subprocess.Popen[bytes]) -> int:
    return process.pid


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_Job", Job)
    monkeypatch.setattr(windows, "_handle", pid)
    for flag in ("CREATE_SUSPENDED", "CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW"):
        monkeypatch.setattr(windows, flag, 0)


def prepared(*options: str) -> Prepared:
    return prepare(Command(tuple(command(*options)), {}, str(Path.cwd())), None)


async def test_a_server_is_spoken_to_over_threads() -> None:
    server = InJob.start(prepared(), plugin="git")
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    await server.stdin.write(json.dumps(ping).encode() + b"\n")
    assert json.loads(await server.stdout.read()) == {"jsonrpc": "2.0", "id": 1, "result": {}}
    await server.stop()
    assert not psutil.pid_exists(server.pid)


async def test_its_exit_code_is_told() -> None:
    server = InJob.start(prepared("--die-at-start", "4"), plugin="git")
    assert await server.ended() == "The server ended with exit code 4."
    await server.stop()


async def test_one_that_ignores_the_end_of_its_input_is_ended() -> None:
    server = InJob.start(prepared("--stubborn"), plugin="git")
    watch = Stopwatch()
    await server.stop()
    assert not psutil.pid_exists(server.pid)
    assert watch.seconds < 5
    assert await server.ended() == "The server was stopped."


async def test_killing_does_not_wait_for_it() -> None:
    server = InJob.start(prepared("--stubborn"), plugin="git")
    server.kill()
    async with asyncio.timeout(30):
        await server.ended()


async def test_a_program_that_does_not_exist_is_told() -> None:
    missing = prepare(Command(("/no/such/program",), {}, str(Path.cwd())), None)
    with pytest.raises(InvalidCommand, match="its command cannot be run"):
        InJob.start(missing, plugin="git")


async def test_a_job_that_is_refused_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []

    class Refusing(Job):
        def take(self, process: int) -> None:
            taken.append(process)
            raise OSError("Windows refused with error 5")

    monkeypatch.setattr(windows, "_Job", Refusing)
    with pytest.raises(PluginError, match="could not be started: Windows refused with error 5"):
        InJob.start(prepared("--stubborn"), plugin="git")
    assert not psutil.pid_exists(taken[0])


@pytest.mark.skipif(ctypes.sizeof(ctypes.c_void_p) != 8, reason="the documented size is that of 64 bits")
def test_the_limits_have_the_size_windows_expects() -> None:
    assert ctypes.sizeof(windows._ExtendedLimits) == 144
    assert windows._ExtendedLimits.JobMemoryLimit.offset == 120
