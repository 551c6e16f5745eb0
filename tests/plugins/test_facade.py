"""`valechat.plugins`, as a cell uses it."""

from __future__ import annotations

import asyncio
import importlib
import os
import pkgutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import valechat
from tests.plugins.managing import unruly, write_file
from tests.plugins.support import MARKER, no_process_left
from valechat import plugins
from valechat.engine import engine
from valechat.errors import ConfigError, PluginError
from valechat.paths import user_paths


@pytest.fixture
def marker() -> Iterator[str]:
    """Whatever the test starts ends with the engine, as it does with the process."""
    with no_process_left() as found:
        yield found
        engine().close()


def test_plugins_are_added_called_listed_and_removed(marker: str) -> None:
    added = plugins.add(unruly("u", env={MARKER: marker}))
    assert (added.id, added.state, len(added.tools)) == ("u", "running", 13)
    assert plugins.call_tool("u", "echo", {"text": "a"}).text == "a"
    assert plugins.call_tool("u", "echo", text="b").text == "b"
    assert [info.id for info in plugins.list()] == ["u"]
    assert {tool.name for tool in plugins.tools("u")} >= {"echo", "never"}
    assert plugins.disable("u").state == "stopped"
    assert plugins.enable("u").state == "running"
    assert plugins.status("u").state == "running"
    assert plugins.restart("u").state == "running"
    assert plugins.change("u", name="Ursula").name == "Ursula"
    assert plugins.remove("u") == []
    with pytest.raises(PluginError, match="There is no plugin 'u'"):
        plugins.enable("u")


async def awaited(result: Any) -> Any:
    """Types do not tell that it can be awaited."""
    return await result


def test_each_may_be_awaited_as_well(marker: str) -> None:
    async def cell() -> None:
        assert (await awaited(plugins.add(unruly("u", env={MARKER: marker})))).state == "running"
        assert (await awaited(plugins.call_tool("u", "echo", text="a"))).text == "a"
        assert len(await awaited(plugins.list())) == 1
        assert (await awaited(plugins.shutdown()))[0].state == "stopped"

    asyncio.run(cell())


def test_the_functions_reach_the_package_lazily_and_no_module_hides_one() -> None:
    assert valechat.plugins is plugins
    for module in pkgutil.iter_modules(plugins.__path__):
        importlib.import_module(f"valechat.plugins.{module.name}")
    assert all(callable(getattr(plugins, name)) for name in plugins.__all__)


def test_a_call_on_the_engines_own_thread_says_what_to_do() -> None:
    async def wrong() -> None:
        plugins.list()

    with pytest.raises(RuntimeError, match=r"valechat\.plugins\.list waits, so it cannot be called on ValeChat's own"):
        engine().run(wrong())


def test_listing_starts_nothing_and_tools_starts_what_is_enabled(marker: str) -> None:
    env = {MARKER: marker}
    write_file(user_paths().plugins_file, unruly("a", env=env), unruly("b", enabled=False, env=env))
    assert [info.state for info in plugins.list()] == ["stopped", "stopped"]
    assert {tool.plugin for tool in plugins.tools()} == {"a"}


def test_a_broken_file_is_an_error_with_its_line() -> None:
    user_paths().plugins_file.write_text("{\n  nonsense")
    with pytest.raises(ConfigError, match="line 2, column 3"):
        plugins.list()


def test_what_is_listed_is_shown_as_a_table(marker: str) -> None:
    assert repr(plugins.list()) == "There are no plugins yet."
    plugins.add(unruly("u", env={MARKER: marker}, description="Trouble."))
    plugins.add({"id": "other", "command": "no-such-program", "enabled": False})
    first, second = repr(plugins.list()).splitlines()
    assert first == "u      running  stdio  13 tools  Trouble."
    assert second == "other  stopped  stdio"
    assert repr(plugins.status("u")) == "<plugin u, running, 13 tools>"


def test_an_error_is_in_what_is_shown_with_its_fix(marker: str) -> None:
    info = plugins.add({"id": "u", "command": "no-such-program"})
    assert info.problem is not None
    assert repr(info) == f"<plugin u, error: {info.problem.message} {info.problem.fix}>"


def test_several_threads_may_use_it_at_once(marker: str) -> None:
    plugins.add(unruly("u", env={MARKER: marker}))
    answers: dict[int, str] = {}

    def ask(number: int) -> None:
        answers[number] = plugins.call_tool("u", "echo", text=str(number)).text

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: str(number) for number in range(8)}


def test_each_run_is_in_the_ledger(marker: str) -> None:
    plugins.add(unruly("u", env={MARKER: marker}))
    plugins.disable("u")
    plugins.enable("u")
    plugins.shutdown()
    rows = valechat.sql("select plugin, reason, ended_at > started_at from plugin_runs order by started_at").fetchall()
    assert rows == [("u", "stopped", True), ("u", "shutdown", True)]


def test_all_threads_have_one_manager() -> None:
    from valechat.services import services

    found: list[object] = []
    together = threading.Barrier(8)

    def look() -> None:
        together.wait()
        found.append(services().plugins)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(manager) for manager in found}) == 1


FORKING = """
import os
from valechat import plugins
from valechat.engine import engine
from valechat.services import services
assert plugins.initialise()[0].state == "running"
engine().run(services().plugins._hub._recorded())  # SQLite cannot be used after a fork in the middle of a write
child = os.fork()
if not child:
    ours = plugins.list()[0].state, plugins.call_tool("u", "echo", text="child").text
    plugins.shutdown()
    os._exit(0 if ours == ("stopped", "child") else 1)
assert os.waitpid(child, 0)[1] == 0
print(plugins.call_tool("u", "echo", text="parent").text)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only POSIX forks")
def test_a_forked_child_has_servers_of_its_own_and_leaves_its_parents_alone(marker: str) -> None:
    write_file(user_paths().plugins_file, unruly("u", env={MARKER: marker}))
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("parent\n", 0), done.stderr
