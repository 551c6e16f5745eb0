"""The manager follows `mcp_plugins.json`, whoever changes it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.plugins.managing import Managed, managed, write_file
from valechat.errors import ConfigError, PluginError
from valechat.paths import user_paths
from valechat.plugins.base import PluginFailed
from valechat.plugins.file import PluginsFile


@pytest.fixture
async def plugins() -> AsyncIterator[Managed]:
    async with managed(times=5) as found:
        yield found


async def started(plugins: Managed, *entries: dict[str, Any]) -> dict[str, int | None]:
    write_file(user_paths().plugins_file, *entries)
    await plugins.manager.initialise()
    return pids(plugins)


def pids(plugins: Managed) -> dict[str, int | None]:
    return {info.id: info.pid for info in plugins.manager.list()}


async def test_only_the_plugin_that_changed_restarts(plugins: Managed) -> None:
    a, b = plugins.definition("a"), plugins.definition("b")
    before = await started(plugins, a, b)
    write_file(user_paths().plugins_file, a, plugins.definition("b", "--tools", "1"))
    await plugins.until(lambda: len(plugins.manager.status("b").tools) == 14)
    after = pids(plugins)
    assert after["a"] == before["a"]
    assert after["b"] != before["b"]
    assert plugins.states("a") == ["starting", "initialising", "running"]


async def test_a_change_that_needs_no_restart_restarts_nothing(plugins: Managed) -> None:
    a = plugins.definition("a")
    before = await started(plugins, a)
    write_file(user_paths().plugins_file, {**a, "name": "Another name", "tools_off": ["echo"], "unknown": 1})
    await plugins.until(lambda: plugins.manager.status("a").name == "Another name")
    assert pids(plugins) == before
    assert [tool.name for tool in plugins.manager.tools() if not tool.offered] == ["echo"]


async def test_a_plugin_that_is_added_starts_and_one_that_is_removed_stops(plugins: Managed) -> None:
    a, b, c = (plugins.definition(name) for name in "abc")
    await started(plugins, a, b)
    write_file(user_paths().plugins_file, c, b)
    await plugins.until(lambda: "c" in pids(plugins) and plugins.manager.status("c").state == "running")
    assert [info.id for info in plugins.manager.list()] == ["c", "b"]


async def test_a_plugin_that_is_disabled_in_the_file_stops_and_comes_back(plugins: Managed) -> None:
    a = plugins.definition("a")
    await started(plugins, a)
    write_file(user_paths().plugins_file, {**a, "enabled": False})
    await plugins.until_state("a", "stopped")
    write_file(user_paths().plugins_file, a)
    await plugins.until_state("a", "running")


async def test_a_broken_file_is_told_of_with_its_line_and_leaves_the_plugins_alone(plugins: Managed) -> None:
    a = plugins.definition("a")
    before = await started(plugins, a)
    whole = user_paths().plugins_file.read_text()
    user_paths().plugins_file.write_text(whole.replace('"id"', 'id"', 1))
    await plugins.until(lambda: plugins.failures(""))
    assert "line 5, column" in plugins.failures("")[0]
    assert "not valid JSON" in plugins.failures("")[0]
    assert pids(plugins) == before
    assert plugins.manager.problem is not None
    assert (await plugins.manager.call_tool("a", "echo", {"text": "well"})).text == "well"
    with pytest.raises(ConfigError, match="line 5"):
        await plugins.manager.reload()


async def test_a_mended_file_is_followed_again(plugins: Managed) -> None:
    a, b = plugins.definition("a"), plugins.definition("b")
    before = await started(plugins, a)
    user_paths().plugins_file.write_text("{")
    await plugins.until(lambda: plugins.failures(""))
    write_file(user_paths().plugins_file, a, b)
    await plugins.until(lambda: "b" in pids(plugins) and plugins.manager.status("b").state == "running")
    assert pids(plugins)["a"] == before["a"]
    assert plugins.manager.problem is None


async def test_a_broken_file_is_told_of_once(plugins: Managed) -> None:
    await started(plugins, plugins.definition("a"))
    user_paths().plugins_file.write_text("{")
    await plugins.until(lambda: plugins.failures(""))
    user_paths().plugins_file.write_text("{ ")
    for _ in range(3):
        with pytest.raises(ConfigError):
            await plugins.manager.reload()
    told = [event.error.message for event in plugins.events if isinstance(event, PluginFailed)]
    assert len(told) == len(set(told)) <= 2


async def test_an_entry_that_breaks_leaves_its_plugin_running_as_it_was(plugins: Managed) -> None:
    a, b = plugins.definition("a"), plugins.definition("b")
    before = await started(plugins, a, b)
    write_file(user_paths().plugins_file, {**a, "timeout": -1}, b)
    await plugins.until(lambda: plugins.failures("a"))
    assert "timeout" in plugins.failures("a")[0]
    assert pids(plugins) == before


async def test_a_file_that_an_editor_takes_away_for_a_moment_stops_nothing(plugins: Managed) -> None:
    a = plugins.definition("a")
    before = await started(plugins, a)
    text = user_paths().plugins_file.read_text()
    user_paths().plugins_file.unlink()
    user_paths().plugins_file.write_text(text)
    await plugins.manager.call_tool("a", "echo")
    assert pids(plugins) == before
    assert plugins.states("a") == ["starting", "initialising", "running"]


async def test_following_ends_without_a_word_when_python_does_and_has_no_thread_left(
    plugins: Managed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refused = asyncio.Event()
    loop = asyncio.get_running_loop()

    def no_thread(_file: PluginsFile) -> bool:
        loop.call_soon_threadsafe(refused.set)
        raise RuntimeError("cannot schedule new futures after shutdown")

    await started(plugins, plugins.definition("a"))
    monkeypatch.setattr(PluginsFile, "changed", no_thread)
    await asyncio.wait_for(refused.wait(), 30)
    refused.clear()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(refused.wait(), 0.5)  # two looks would have come
    assert "could not be followed" not in caplog.text


async def test_reloading_takes_in_the_file_at_once(plugins: Managed) -> None:
    await started(plugins, plugins.definition("a"))
    write_file(user_paths().plugins_file, plugins.definition("a"), plugins.definition("b", enabled=False))
    await plugins.manager.reload()
    assert list(pids(plugins)) == ["a", "b"]


async def test_two_managers_follow_each_other(plugins: Managed) -> None:
    async with managed(times=5) as others:
        await started(plugins, plugins.definition("a"))
        await others.manager.initialise()
        assert others.manager.status("a").state == "running"
        await plugins.manager.disable("a")
        await others.until_state("a", "stopped")
        await others.manager.enable("a")
        await plugins.until_state("a", "running")
        await others.manager.switch_tool("a", "echo", False)
        await plugins.until(lambda: any(not tool.offered for tool in plugins.manager.tools()))


async def test_enabling_a_plugin_that_another_kernel_removed_says_so(plugins: Managed) -> None:
    async with managed() as others:
        await started(plugins, plugins.definition("a"))
        await others.manager.remove("a")
        with pytest.raises(PluginError, match=r"a is not in mcp_plugins\.json any more: another kernel or an editor"):
            await plugins.manager.enable("a")


async def test_what_is_only_ensured_follows_the_file_but_nothing_else_starts(plugins: Managed) -> None:
    a = plugins.definition("a")
    write_file(user_paths().plugins_file, a, plugins.definition("b"))
    await plugins.manager.ensure(["a"])
    write_file(user_paths().plugins_file, {**a, "enabled": False}, plugins.definition("b"), plugins.definition("c"))
    await plugins.until_state("a", "stopped")
    assert [(info.id, info.state) for info in plugins.manager.list()] == [
        ("a", "stopped"),
        ("b", "stopped"),
        ("c", "stopped"),
    ]


async def test_the_file_keeps_what_a_manager_does_not_know(plugins: Managed) -> None:
    write_file(user_paths().plugins_file, {**plugins.definition("a"), "icon": "🦆"})
    await plugins.manager.disable("a")
    entry = json.loads(user_paths().plugins_file.read_text())["mcp_plugins"]["local_servers"][0]
    assert (entry["icon"], entry["enabled"]) == ("🦆", False)


async def test_a_plugin_that_was_used_here_comes_back_when_another_enables_it_but_not_after_a_shutdown(
    plugins: Managed,
) -> None:
    a = plugins.definition("a")
    write_file(user_paths().plugins_file, a)
    await plugins.manager.ensure(["a"])
    write_file(user_paths().plugins_file, {**a, "enabled": False})
    await plugins.until_state("a", "stopped")
    write_file(user_paths().plugins_file, a)
    await plugins.until_state("a", "running")
    await plugins.manager.shutdown()
    write_file(user_paths().plugins_file, {**a, "enabled": False})
    await plugins.manager.reload()
    write_file(user_paths().plugins_file, a)
    await plugins.manager.reload()
    assert plugins.manager.status("a").state == "stopped"
