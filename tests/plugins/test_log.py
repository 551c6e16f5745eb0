"""A plugin's log is bounded, filled from any thread, and told of in small portions."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime

from tests.plugins.support import eventually
from valechat.plugins.base import LogLine
from valechat.plugins.log import LONGEST_LINE, MOST_BYTES, MOST_LINES, MOST_TOLD, PluginLog


def told_to() -> tuple[PluginLog, list[LogLine]]:
    told: list[LogLine] = []
    return PluginLog(told.append), told


async def test_only_the_newest_lines_are_kept() -> None:
    log, _ = told_to()
    for number in range(MOST_LINES + 10):
        log.add("stderr", "info", str(number))
    lines = log.lines()
    assert len(lines) == MOST_LINES
    assert (lines[0].text, lines[-1].text) == ("10", str(MOST_LINES + 9))


async def test_its_size_is_bounded_and_so_is_a_lines() -> None:
    log, _ = told_to()
    for _ in range(300):
        log.add("stderr", "info", "x" * 50_000)
    assert sum(len(line.text) for line in log.lines()) <= MOST_BYTES
    assert {len(line.text) for line in log.lines()} == {LONGEST_LINE + 2}


async def test_of_a_flood_only_the_newest_lines_are_told_of() -> None:
    log, told = told_to()
    for number in range(5_000):
        log.add("stderr", "info", str(number))
    assert told == []
    await eventually(lambda: bool(told))
    assert [line.text for line in told] == [str(number) for number in range(5_000 - MOST_TOLD, 5_000)]
    log.add("stderr", "info", "after")
    await eventually(lambda: told[-1].text == "after")


async def test_lines_of_several_threads_are_all_there_and_told_of_on_the_loop() -> None:
    heard: list[threading.Thread] = []
    log = PluginLog(lambda line: heard.append(threading.current_thread()))

    def complain() -> None:
        for _ in range(100):
            log.add("stderr", "info", "x")

    threads = [threading.Thread(target=complain) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    await eventually(lambda: bool(heard))
    assert len(log.lines()) == 800
    assert set(heard) == {threading.current_thread()}


async def test_last_words_are_the_last_line_on_stderr_since_then() -> None:
    log, _ = told_to()
    log.add("stderr", "info", "of an earlier life")
    since = datetime.now(UTC)
    assert log.last_words(since) == ""
    log.add("stderr", "info", "Traceback")
    log.add("stderr", "info", "ValueError: no")
    log.add("stderr", "info", "   ")
    log.add("valechat", "error", "It ended.")
    assert log.last_words(since) == "ValueError: no"
