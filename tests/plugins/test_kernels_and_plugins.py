"""Plugins in real kernels: they follow each other, and leave nothing however they end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.notebook.kernels import Kernel
from tests.plugins.managing import unruly
from tests.plugins.support import MARKER, eventually, gone, marked, no_process_left

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

CHILDREN = ("--children", "plain,setsid,double", "--stubborn")
KERNELS_OWN_END = 10.0
"""Seconds a kernel that is asked to end may take for it."""


@pytest.fixture
def marker() -> Iterator[str]:
    with no_process_left() as found:
        yield found


@pytest.fixture
def start(tmp_path: Path, home: Path, marker: str) -> Iterator[Callable[[], Kernel]]:
    kernels: list[Kernel] = []

    def started() -> Kernel:
        kernels.append(Kernel(tmp_path, home))
        return kernels[-1]

    yield started
    for kernel in kernels:
        kernel.close()


def added(kernel: Kernel, entry: dict[str, Any]) -> None:
    ran = kernel.run(f"import valechat\nvalechat.plugins.add({entry!r})")
    assert not ran.error, ran.traceback
    assert "running" in ran.text


def test_a_cell_uses_plugins(start: Callable[[], Kernel], marker: str) -> None:
    kernel = start()
    added(kernel, unruly("u", env={MARKER: marker}))
    assert kernel.run("valechat.plugins.call_tool('u', 'echo', text='hello').text").text == "'hello'"
    assert kernel.run("(await valechat.plugins.restart('u'))").text == "<plugin u, running, 13 tools>"
    assert kernel.run("valechat.plugins.list()").text == "u  running  stdio  13 tools"
    kernel.shut_down()


def test_the_stop_button_ends_a_call_that_waits(start: Callable[[], Kernel], marker: str, tmp_path: Path) -> None:
    kernel = start()
    added(kernel, unruly("u", env={MARKER: marker}))
    begun = tmp_path / "begun"
    ran = kernel.run(
        f"valechat.plugins.call_tool('u', 'sleep', seconds=60, begun={str(begun)!r}, timeout=60)",
        when=lambda _: begun.exists(),
    )
    assert ran.error == "KeyboardInterrupt"
    assert ran.seconds < 3
    # The cell does not wait until the server was told, so it may be asked too early.
    asked = kernel.run(
        "import time\n"
        "end = time.monotonic() + 30\n"
        "while (told := valechat.plugins.call_tool('u', 'cancelled').text) == '[]' and time.monotonic() < end:\n"
        "    time.sleep(0.05)\n"
        "len(__import__('json').loads(told))"
    )
    assert asked.text == "1"
    kernel.shut_down()


def test_nothing_is_left_after_a_kernel_was_shut_down(start: Callable[[], Kernel], marker: str) -> None:
    kernel = start()
    added(kernel, unruly("u", *CHILDREN, env={MARKER: marker}))
    assert len(marked(marker)) >= 4
    kernel.shut_down()
    assert gone(marker) == []


def test_nothing_is_left_after_a_kernel_was_restarted(start: Callable[[], Kernel], marker: str) -> None:
    kernel = start()
    added(kernel, unruly("u", *CHILDREN, env={MARKER: marker}))
    kernel._manager.restart_kernel(now=False)
    assert gone(marker) == []
    kernel.client.wait_for_ready(timeout=60)
    assert kernel.run("import valechat; valechat.plugins.list()").text == "u  stopped  stdio"


def test_nothing_is_left_after_kernels_were_killed(start: Callable[[], Kernel], marker: str) -> None:
    entry = unruly("u", *CHILDREN, env={MARKER: marker})
    for starting in (f"add({entry!r})", "initialise()"):
        kernel = start()
        ran = kernel.run(f"import valechat\nvalechat.plugins.{starting}")
        assert "running" in ran.text, ran.traceback
        kernel.run_to_death(f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})")
        assert gone(marker) == []


def test_nothing_is_left_after_a_kernel_was_killed_while_its_plugins_start(
    start: Callable[[], Kernel], marker: str
) -> None:
    kernel = start()
    entry = unruly("u", "--silent", *CHILDREN, env={MARKER: marker})
    pid = kernel.value("__import__('os').getpid()")
    kernel.client.execute(f"import valechat; valechat.plugins.add({entry!r})")
    asyncio.run(eventually(lambda: len(marked(marker)) >= 4))
    os.kill(pid, signal.SIGKILL)
    assert gone(marker) == []


def test_two_kernels_follow_each_other(start: Callable[[], Kernel], marker: str) -> None:
    one, other = start(), start()
    added(one, unruly("u", env={MARKER: marker}))
    until = (
        "import time\n"
        "def until(state):\n"
        "    end = time.monotonic() + 30\n"
        "    while valechat.plugins.status('u').state != state and time.monotonic() < end: time.sleep(0.1)\n"
        "    return valechat.plugins.status('u').state\n"
    )
    assert "running" in other.run("import valechat\nvalechat.plugins.initialise()").text
    for kernel in (one, other):
        assert not kernel.run(until).error
    one.run("valechat.plugins.disable('u')")
    assert other.run("until('stopped')").text == "'stopped'"
    other.run("valechat.plugins.enable('u')")
    assert one.run("until('running')").text == "'running'"
    one.run("valechat.plugins.remove('u')")
    ran = other.run("valechat.plugins.enable('u')")
    assert ran.error == "PluginError"
    assert "another kernel or an editor removed it" in ran.traceback
    one.shut_down()
    other.shut_down()
