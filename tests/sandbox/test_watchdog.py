"""What a watchdog notices of a tree of real processes, and how it judges what it sees."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.sandbox.confinement import Allowed
from valechat.sandbox.watchdog import Seen, Watchdog, take_stock

MB = 1024 * 1024


@contextmanager
def running(code: str) -> Iterator[int]:
    """A program that has said that it is ready, and ends with the test."""
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    try:
        yield process.pid
    finally:
        process.kill()
        process.communicate()


async def noticed(pid: int, allowed: Allowed) -> str:
    async with asyncio.timeout(30):
        return await Watchdog(pid, allowed).exceeded()


async def test_a_memory_hog_is_noticed_with_what_it_used() -> None:
    with running("hog = bytearray(range(256)) * 400_000; print('ready', flush=True); input()") as pid:
        reason = await noticed(pid, Allowed(memory_mb=64))
    assert reason.startswith("The server used 1")
    assert reason.endswith(" MB of memory; it may use 64.")


async def test_children_count_with_their_parent() -> None:
    code = """
import subprocess, sys
hog = "hog = bytearray(range(256)) * 200_000; print('ready', flush=True); input()"
children = [subprocess.Popen([sys.executable, "-c", hog], stdin=-1, stdout=-1) for _ in range(2)]
[child.stdout.readline() for child in children]
print('ready', flush=True); input()
"""
    with running(code) as pid:
        assert "MB of memory" in await noticed(pid, Allowed(memory_mb=80))


async def test_too_many_processes_are_noticed() -> None:
    code = """
import subprocess
children = [subprocess.Popen(["cat"], stdin=-1, stdout=-3) for _ in range(5)]
print('ready', flush=True); input()
"""
    with running(code) as pid:
        assert await noticed(pid, Allowed(processes=4)) == "The server was 6 processes; it may be 4."


async def test_a_server_may_run_so_long_and_no_longer() -> None:
    with running("print('ready', flush=True); input()") as pid:
        assert await noticed(pid, Allowed(wall_seconds=0.6)) == "The server ran for 1 seconds, which is all it may."


def judged(allowed: Allowed, *seen: Seen) -> list[str]:
    watchdog = Watchdog(0, allowed, clock=lambda: 0.0)
    return [watchdog.judge(moment) for moment in seen]


def test_a_busy_moment_is_no_excess_but_busy_seconds_are() -> None:
    moments = [Seen(at=second, processes=1, memory=0, cpu=second * 0.9) for second in range(12)]
    said = judged(Allowed(cpu_percent=50), *moments)
    assert said[:10] == [""] * 10
    assert said[-1] == "The server used 90 % of a processor for 10 seconds; it may use 50 %."


def test_processor_time_is_that_of_the_last_seconds() -> None:
    early = [Seen(at=second, processes=1, memory=0, cpu=min(second, 4)) for second in range(30)]
    assert set(judged(Allowed(cpu_percent=50), *early)) == {""}


def test_a_tree_within_its_limits_is_left_alone() -> None:
    allowed = Allowed(memory_mb=10, cpu_percent=100, processes=2, wall_seconds=60)
    assert judged(allowed, Seen(at=59, processes=2, memory=10 * MB, cpu=0)) == [""]


@pytest.mark.parametrize(
    ("allowed", "needed"), [(Allowed(), False), (Allowed(open_files=5), False), (Allowed(memory_mb=1), True)]
)
def test_there_is_a_watchdog_only_for_what_it_can_watch(allowed: Allowed, needed: bool) -> None:
    assert Watchdog(0, allowed).needed is needed


def test_a_tree_that_has_ended_uses_nothing() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert take_stock(ended.pid, 1.0) == Seen(at=1.0, processes=0, memory=0, cpu=0)
