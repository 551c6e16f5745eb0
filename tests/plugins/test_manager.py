"""The manager's verbs, with real servers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from tests.patience import Stopwatch
from tests.plugins.managing import Managed, managed, unruly, write_file
from tests.plugins.support import MARKER, eventually, marked
from valechat.errors import ConfigError, DuplicateId, PluginError, ToolFailed
from valechat.paths import user_paths
from valechat.plugins.base import PluginSet, Progress, ToolsChanged


@pytest.fixture
async def plugins() -> AsyncIterator[Managed]:
    async with managed() as found:
        yield found


def in_file() -> dict[str, bool]:
    """What the file says is enabled."""
    whole = json.loads(user_paths().plugins_file.read_text())
    return {entry["id"]: entry.get("enabled", True) for entry in whole["mcp_plugins"]["local_servers"]}


async def test_initialise_starts_what_is_enabled_and_nothing_else(plugins: Managed) -> None:
    env = {MARKER: plugins.marker}
    write_file(
        user_paths().plugins_file,
        unruly("a", env=env),
        unruly("b", enabled=False, env=env),
        unruly("c", env=env),
    )
    await plugins.manager.initialise()
    assert [(info.id, info.state) for info in plugins.manager.list()] == [
        ("a", "running"),
        ("b", "stopped"),
        ("c", "running"),
    ]


async def test_initialising_twice_changes_nothing(plugins: Managed) -> None:
    await plugins.add("a")
    before = plugins.manager.status("a").pid
    await plugins.manager.initialise()
    await plugins.manager.initialise()
    assert plugins.manager.status("a").pid == before


async def test_twenty_plugins_start_at_once(plugins: Managed) -> None:
    env = {MARKER: plugins.marker}
    slow = [unruly(f"p{number}", "--slow-start", "1", env=env) for number in range(20)]
    write_file(user_paths().plugins_file, *slow)
    watch = Stopwatch()
    await plugins.manager.initialise()
    assert {info.state for info in plugins.manager.list()} == {"running"}
    assert watch.seconds < 15  # one after the other they would take more than 20
    answers = await asyncio.gather(
        *(plugins.manager.call_tool(f"p{number}", "echo", {"text": str(number)}) for number in range(20))
    )
    assert [answer.text for answer in answers] == [str(number) for number in range(20)]


async def test_ensure_starts_a_plugin_that_is_not_enabled_without_enabling_it(plugins: Managed) -> None:
    await plugins.add("a", enabled=False)
    assert plugins.manager.status("a").state == "stopped"
    await plugins.manager.ensure(["a"])
    info = plugins.manager.status("a")
    assert (info.state, info.enabled) == ("running", False)
    assert in_file() == {"a": False}


async def test_ensure_says_which_plugin_there_is_none_of(plugins: Managed) -> None:
    await plugins.add("a", enabled=False)
    with pytest.raises(PluginError, match=r"There is no plugin 'b'\. Known: a\."):
        await plugins.manager.ensure(["a", "b"])


async def test_enabling_and_disabling_is_written_to_the_file(plugins: Managed) -> None:
    await plugins.add("a")
    await plugins.manager.disable("a")
    assert in_file() == {"a": False}
    await plugins.manager.enable("a")
    assert in_file() == {"a": True}


async def test_a_hundred_quick_toggles_end_as_the_last_one_wants_with_no_process_left(plugins: Managed) -> None:
    await plugins.add("a")
    manager = plugins.manager
    wishes = [manager.enable("a") if number % 2 else manager.disable("a") for number in range(99)]
    await asyncio.gather(*wishes, return_exceptions=False)
    assert manager.status("a").state == "stopped"
    assert in_file() == {"a": False}
    await eventually(lambda: not marked(plugins.marker), within=2)
    await manager.enable("a")
    assert manager.status("a").state == "running"


async def test_a_hundred_toggles_one_after_the_other_leave_no_process(plugins: Managed) -> None:
    await plugins.add("a", "--children", "plain")
    for _ in range(50):
        starting = asyncio.create_task(plugins.manager.enable("a"))
        await asyncio.sleep(0)
        await plugins.manager.disable("a")
        await starting
    assert plugins.manager.status("a").state == "stopped"
    await eventually(lambda: not marked(plugins.marker), within=2)


async def test_states_under_quick_toggles_are_those_of_a_life(plugins: Managed) -> None:
    await plugins.add("a")
    for _ in range(10):
        await asyncio.gather(plugins.manager.restart("a"), plugins.manager.disable("a"), plugins.manager.enable("a"))
    follows = {
        "stopped": {"starting"},
        "starting": {"initialising", "stopping", "error"},
        "initialising": {"running", "stopping", "error"},
        "running": {"stopping", "error"},
        "stopping": {"stopped"},
        "error": {"starting", "stopped"},
    }
    states = plugins.states("a")
    assert states[0] == "starting"
    assert all(after in follows[before] for before, after in pairwise(states)), states
    assert plugins.manager.status("a").state == states[-1] == "running"


async def test_a_removed_plugin_is_stopped_and_gone_from_the_file(plugins: Managed) -> None:
    await plugins.add("a")
    await plugins.add("b")
    await plugins.manager.remove("a")
    assert [info.id for info in plugins.manager.list()] == ["b"]
    assert in_file() == {"b": True}
    with pytest.raises(PluginError, match="There is no plugin 'a'"):
        plugins.manager.status("a")


async def test_a_second_plugin_of_the_same_id_is_refused(plugins: Managed) -> None:
    await plugins.add("a")
    with pytest.raises(DuplicateId):
        await plugins.add("a")
    assert plugins.manager.status("a").state == "running"


async def test_a_change_of_its_command_restarts_a_plugin(plugins: Managed) -> None:
    before = await plugins.add("a")
    changed = plugins.definition("a", "--tools", "3")
    after = await plugins.manager.change("a", args=changed["args"])
    assert after.state == "running"
    assert after.pid != before.pid
    assert len(after.tools) == len(before.tools) + 3


async def test_a_change_of_what_it_is_called_or_how_long_calls_take_restarts_nothing(plugins: Managed) -> None:
    before = await plugins.add("a")
    after = await plugins.manager.change("a", name="Anna", call_timeout=0.2)
    assert (after.pid, after.name) == (before.pid, "Anna")
    with pytest.raises(ToolFailed, match=r"Anna took longer than 0\.2 s for the call of never"):
        await plugins.manager.call_tool("a", "never")


async def test_a_tool_that_is_switched_off_is_not_offered_and_stays_off(plugins: Managed) -> None:
    before = await plugins.add("a")
    plugins.events.clear()
    await plugins.manager.switch_tool("a", "echo", False)
    assert [tool.name for tool in plugins.manager.tools() if not tool.offered] == ["echo"]
    assert any(isinstance(event, ToolsChanged) for event in plugins.events)
    assert plugins.manager.status("a").pid == before.pid
    after = await plugins.manager.restart("a")
    assert [tool.name for tool in after.tools if not tool.enabled] == ["echo"]
    await plugins.manager.switch_tool("a", "echo", True)
    assert all(tool.offered for tool in plugins.manager.tools())


async def test_tools_of_two_plugins_have_names_of_their_own(plugins: Managed) -> None:
    await asyncio.gather(plugins.add("a"), plugins.add("b"))
    names = [tool.public_name for tool in plugins.manager.tools()]
    assert len(names) == len(set(names)) == 26
    assert {"a_echo", "b_echo"} <= set(names)


async def test_the_tools_of_a_stopped_plugin_are_gone(plugins: Managed) -> None:
    await asyncio.gather(plugins.add("a"), plugins.add("b"))
    await plugins.manager.disable("a")
    assert {tool.plugin for tool in plugins.manager.tools()} == {"b"}


async def test_a_call_starts_an_enabled_plugin_and_refuses_one_that_is_not(plugins: Managed) -> None:
    env = {MARKER: plugins.marker}
    write_file(user_paths().plugins_file, unruly("a", env=env), unruly("b", enabled=False, env=env))
    assert (await plugins.manager.call_tool("a", "echo", {"text": "hello"})).text == "hello"
    with pytest.raises(PluginError) as refused:
        await plugins.manager.call_tool("b", "echo")
    assert str(refused.value) == 'b does not run. Enable it: valechat.plugins.enable("b")'


async def test_a_call_of_a_tool_that_there_is_none_of_names_the_nearest(plugins: Managed) -> None:
    await plugins.add("a")
    with pytest.raises(PluginError, match=r"a has no tool 'ecko'\. Did you mean 'echo'\?"):
        await plugins.manager.call_tool("a", "ecko")


async def test_progress_is_told_and_pushes_the_timeout_back(plugins: Managed) -> None:
    await plugins.add("a", "--step-seconds", "0.5")
    told: list[Progress] = []
    answer = await plugins.manager.call_tool("a", "progress", {"steps": 8}, timeout=3, on_progress=told.append)
    assert answer.text == "8 steps done."
    assert [(one.done, one.total, one.message) for one in told][:2] == [(1, 8, "Step 1"), (2, 8, "Step 2")]


async def test_a_call_that_takes_too_long_fails_and_the_server_is_told(plugins: Managed) -> None:
    await plugins.add("a")
    with pytest.raises(ToolFailed, match=r"took longer than 0\.3 s for the call of sleep, so it was cancelled"):
        await plugins.manager.call_tool("a", "sleep", {"seconds": 60}, timeout=0.3)
    assert json.loads((await plugins.manager.call_tool("a", "cancelled")).text) != []


async def test_the_server_is_told_of_a_call_that_is_cancelled(plugins: Managed) -> None:
    await plugins.add("a")
    call = asyncio.create_task(plugins.manager.call_tool("a", "sleep", {"seconds": 60}))
    await plugins.manager.call_tool("a", "echo")
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert json.loads((await plugins.manager.call_tool("a", "cancelled")).text) != []


async def test_a_failure_of_the_tools_own_is_an_answer_and_a_refusal_an_error(plugins: Managed) -> None:
    await plugins.add("a")
    assert (await plugins.manager.call_tool("a", "fail")).is_error
    with pytest.raises(PluginError, match=r"a refused the call of refuse: Not with these arguments\."):
        await plugins.manager.call_tool("a", "refuse")


async def test_arguments_that_are_not_json_are_refused_before_they_are_sent(plugins: Managed) -> None:
    await plugins.add("a")
    with pytest.raises(PluginError, match="What was given for the call of echo cannot be written as JSON"):
        await plugins.manager.call_tool("a", "echo", {"text": object()})
    assert (await plugins.manager.call_tool("a", "echo", {"text": "x"})).text == "x"


async def test_a_change_of_its_tools_is_noticed(plugins: Managed) -> None:
    await plugins.add("a")
    await plugins.manager.call_tool("a", "change")
    await plugins.until(lambda: "extra" in [tool.name for tool in plugins.manager.tools()])
    await plugins.manager.call_tool("a", "change")
    await plugins.until(lambda: "extra" not in [tool.name for tool in plugins.manager.tools()])
    assert plugins.states("a") == ["starting", "initialising", "running"]


async def test_what_a_server_complains_of_is_its_log(plugins: Managed) -> None:
    await plugins.add("a")
    await plugins.manager.call_tool("a", "say", {"text": "I am tired"})
    await plugins.until(lambda: "I am tired" in [line.text for line in plugins.manager.logs("a")])


async def test_saving_puts_back_what_has_gone_from_the_file(plugins: Managed) -> None:
    await plugins.add("a")
    user_paths().plugins_file.unlink()
    await plugins.manager.save()
    assert in_file() == {"a": True}
    assert plugins.manager.status("a").state == "running"


async def test_a_file_that_cannot_be_read_is_the_reason_for_an_unknown_plugin(plugins: Managed) -> None:
    user_paths().plugins_file.write_text('{"mcp_plugins": {"local_servers": [}')
    await plugins.manager.initialise()
    assert plugins.manager.list() == []
    with pytest.raises(PluginError, match="line 1, column 36"):
        await plugins.manager.ensure(["a"])
    with pytest.raises(ConfigError, match="line 1, column 36"):
        await plugins.add("a")


async def test_an_entry_that_cannot_be_used_loses_none_of_the_others(plugins: Managed) -> None:
    write_file(user_paths().plugins_file, {"id": "bad", "command": 7}, unruly("a", env={MARKER: plugins.marker}))
    await plugins.manager.initialise()
    assert [(info.id, info.state) for info in plugins.manager.list()] == [("a", "running")]
    assert "command" in plugins.failures("bad")[0]
    with pytest.raises(PluginError, match="command"):
        await plugins.manager.ensure(["bad"])


async def test_a_watcher_that_fails_keeps_no_event_from_the_others(
    plugins: Managed, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: object) -> None:
        raise ValueError("no")

    end = plugins.manager.watch(broken)
    heard: list[object] = []
    plugins.manager.watch(heard.append)
    await plugins.add("a")
    assert any(isinstance(event, PluginSet) for event in heard)
    assert plugins.manager.status("a").state == "running"
    assert "A watcher of plugins failed" in caplog.text
    end()


async def test_after_a_shutdown_nothing_runs_and_the_file_is_as_it_was(plugins: Managed) -> None:
    await plugins.add("a")
    before = user_paths().plugins_file.read_text()
    await plugins.manager.shutdown()
    assert plugins.manager.status("a").state == "stopped"
    assert user_paths().plugins_file.read_text() == before
    await eventually(lambda: not marked(plugins.marker), within=2)


async def test_a_plugin_that_is_removed_and_added_again_is_told_of_as_the_new_one(plugins: Managed) -> None:
    await plugins.add("a", "--stubborn")
    removing = asyncio.create_task(plugins.manager.remove("a"))
    await plugins.until(lambda: not plugins.manager.list())
    plugins.events.clear()
    await plugins.add("a")
    await removing
    assert plugins.states("a") == ["starting", "initialising", "running"]
