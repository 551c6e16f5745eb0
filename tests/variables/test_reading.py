"""Reading variables from the engine's thread, with cells that run and values whose code fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from valechat.engine import Engine
from valechat.errors import ConfigError
from valechat.variables import reading


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], Any]], Any]]:
    """An engine in a kernel whose main thread is in a cell all the time."""
    own = Engine()
    busy = asyncio.new_event_loop()
    own.attach_kernel(busy)
    monkeypatch.setattr(reading, "engine", lambda: own)
    monkeypatch.setattr(reading, "PATIENCE", 0.05)
    yield lambda look: own.submit(reading.read(look, what="`@df`")).result(60)
    own.close()
    busy.close()


def test_a_value_is_read_beside_a_cell_that_does_not_end(kernel: Callable[[Callable[[], Any]], Any]) -> None:
    assert kernel(threading.current_thread) is not threading.main_thread()


def test_what_changes_in_that_moment_is_read_once_more(kernel: Callable[[Callable[[], Any]], Any]) -> None:
    tries: Iterator[RuntimeError | str] = iter([RuntimeError("dictionary changed size during iteration"), "read"])

    def look() -> str:
        found = next(tries)
        if isinstance(found, RuntimeError):
            raise found
        return found

    assert kernel(look) == "read"


def test_a_values_own_fault_is_told_with_its_name(kernel: Callable[[Callable[[], Any]], Any]) -> None:
    def look() -> None:
        raise OSError("no connection")

    with pytest.raises(ConfigError, match="`@df` could not be read: OSError: no connection"):
        kernel(look)


def test_reading_comes_to_an_end(kernel: Callable[[Callable[[], Any]], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SECONDS", 0.2)
    released = threading.Event()
    try:
        with pytest.raises(ConfigError, match=r"could not be read within 0.2 s"):
            kernel(lambda: released.wait(10))
    finally:
        released.set()
