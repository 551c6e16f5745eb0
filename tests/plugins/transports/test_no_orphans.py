"""However a kernel ends, nothing of a server is left: not its children, not theirs in sessions of their own."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil
import pytest

from tests.patience import Stopwatch
from tests.plugins.support import GRACE, described, gone, new_marker, settled

PER_SERVER = 5
"""Supervisor, server, and a plain, a setsid and a double-forked child."""


class Zygote:
    """Makes processes like kernels. See zygote.py."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin
        assert process.stdout
        self._in: IO[str] = process.stdin
        self._out: IO[str] = process.stdout
        self._process = psutil.Process(process.pid)
        self._unheard: deque[str] = deque()

    def begin(self, marker: str, servers: int, how: str) -> int:
        """A new kernel's process, which has only just been made."""
        self._in.write(f"{marker} {servers} {how}\n")
        self._in.flush()
        while not (said := self._line()).startswith("begun "):
            self._unheard.append(said)
        return int(said.split()[1])

    def hear(self) -> str:
        return self._unheard.popleft() if self._unheard else self._line()

    def ready(self) -> int:
        """The process that is ready next."""
        word, pid = self.hear().split()
        assert word == "ready"
        return int(pid)

    def kill_all(self) -> None:
        """Kills every kernel there is, in whatever it does."""
        for kernel in self._process.children():
            with suppress(psutil.NoSuchProcess):
                kernel.kill()

    def _line(self) -> str:
        line = self._out.readline()
        assert line, "The zygote has ended."
        return line.strip()


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    root = Path(__file__).parents[3]
    program = [sys.executable, "-m", "tests.plugins.transports.zygote"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        found = Zygote(process)
        assert found.hear() == "up"
        yield found
        found.kill_all()
        process.kill()


def assert_gone(*markers: str) -> None:
    watch = Stopwatch()
    left = [process for marker in markers for process in gone(marker, within=max(0, GRACE - watch.seconds))]
    said = described(left)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    assert said == []


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(5))
def test_fifty_kernels_killed_leave_nothing(zygote: Zygote, batch: int) -> None:
    markers = [new_marker() for _ in range(10)]
    for marker in markers:
        zygote.begin(marker, 1, "wait")
    kernels = [zygote.ready() for _ in markers]
    assert [len(settled(marker, PER_SERVER)) for marker in markers] == [PER_SERVER] * len(markers)
    for kernel in kernels:
        os.kill(kernel, signal.SIGKILL)
    assert_gone(*markers)


@pytest.mark.slow
def test_a_kernel_killed_with_several_servers_leaves_nothing(zygote: Zygote) -> None:
    marker = new_marker()
    zygote.begin(marker, 4, "wait")
    kernel = zygote.ready()
    assert len(settled(marker, 4 * PER_SERVER)) == 4 * PER_SERVER
    os.kill(kernel, signal.SIGKILL)
    assert_gone(marker)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["os._exit", "sys.exit", "thread"])
def test_a_kernel_that_exits_leaves_nothing(zygote: Zygote, how: str) -> None:
    marker = new_marker()
    zygote.begin(marker, 2, how)
    zygote.ready()
    assert_gone(marker)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGSEGV, signal.SIGHUP])
def test_a_kernel_that_a_signal_ends_leaves_nothing(zygote: Zygote, number: signal.Signals) -> None:
    marker = new_marker()
    zygote.begin(marker, 2, "wait")
    os.kill(zygote.ready(), number)
    assert_gone(marker)


@pytest.mark.slow
def test_copies_of_the_kernel_do_not_keep_its_servers(zygote: Zygote) -> None:
    marker = new_marker()
    zygote.begin(marker, 2, "forked")
    os.kill(zygote.ready(), signal.SIGKILL)
    assert_gone(marker)


@pytest.mark.slow
def test_the_crash_of_a_plugins_owner_leaves_nothing_in_a_kernel_that_lives_on(zygote: Zygote) -> None:
    marker = new_marker()
    zygote.begin(marker, 2, "crash")
    zygote.ready()
    assert zygote.hear() == "crashed"
    assert_gone(marker)


@pytest.mark.slow
def test_kernels_killed_while_their_servers_start_leave_nothing(zygote: Zygote) -> None:
    markers = [new_marker() for _ in range(12)]
    chance = random.Random(5)
    for marker in markers:
        kernel = zygote.begin(marker, 2, "wait")
        time.sleep(chance.uniform(0, 0.25))  # the moment is what matters, and each should be another
        os.kill(kernel, signal.SIGKILL)
    assert_gone(*markers)
