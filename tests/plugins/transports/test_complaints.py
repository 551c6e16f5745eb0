"""The log's bounds."""

from __future__ import annotations

import asyncio
import os

from tests.plugins.transports.servers import Log
from valechat.plugins.transports.complaints import BURST, RATE, BoundedLog, drain
from valechat.plugins.transports.pipes import Pipe


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def bounded() -> tuple[Log, BoundedLog, Clock]:
    log, clock = Log(), Clock()
    return log, BoundedLog(log, "stderr", "info", clock=clock), clock


def test_lines_are_passed_on_as_they_come() -> None:
    log, lines, _ = bounded()
    lines.add("one")
    lines.add("two")
    assert log.lines == [("stderr", "info", "one"), ("stderr", "info", "two")]


def test_what_comes_too_fast_is_counted() -> None:
    log, lines, _ = bounded()
    for number in range(BURST + 1500):
        lines.add(str(number))
    lines.flush()
    assert log.of("stderr") == [str(number) for number in range(BURST)]
    assert log.of("valechat") == ["1,500 lines were left out: too many at once."]


def test_lines_pass_again_when_time_has_passed_and_the_count_comes_first() -> None:
    log, lines, clock = bounded()
    for _ in range(BURST + 1):
        lines.add("flood")
    clock.now += 1
    for _ in range(int(RATE) + 5):
        lines.add("later")
    assert log.lines[BURST] == ("valechat", "warning", "1 line was left out: too many at once.")
    assert log.of("stderr")[BURST:] == ["later"] * int(RATE)


def test_nothing_left_out_says_nothing() -> None:
    log, lines, _ = bounded()
    lines.flush()
    assert log.lines == []


async def drained(*pieces: bytes) -> Log:
    reading, writing = os.pipe()
    log = Log()
    source = Pipe(reading)
    draining = asyncio.create_task(drain(source, BoundedLog(log, "stderr", "info")))
    sink = Pipe(writing)
    for piece in pieces:
        await sink.write(piece)
    sink.close()
    await draining
    source.close()
    return log


async def test_stderr_is_cut_into_lines_and_its_last_needs_no_end() -> None:
    assert (await drained(b"first\r\nsec", b"ond\n\nthird")).of("stderr") == ["first", "second", "third"]


async def test_bytes_that_are_not_utf_8_are_replaced() -> None:
    assert (await drained(b"caf\xe9\n")).of("stderr") == ["caf\ufffd"]


async def test_a_line_without_end_is_cut_and_its_size_said() -> None:
    [line] = (await drained(b"x" * 5_000_000)).of("stderr")
    assert line.endswith("x… (5,000,000 bytes)")
    assert len(line) < 5000
