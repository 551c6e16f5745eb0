"""The life of one server: states in order, restarts, and that it can be stopped whatever it is doing."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from tests.patience import Stopwatch
from tests.plugins.managing import Managed, managed
from tests.plugins.support import eventually, marked
from valechat.errors import PluginError
from valechat.plugins import health
from valechat.plugins.backoff import HEALTHY_SECONDS


@pytest.fixture
async def plugins() -> AsyncIterator[Managed]:
    async with managed() as found:
        yield found


@pytest.fixture
async def hasty() -> AsyncIterator[Managed]:
    """Where a minute passes in a second."""
    async with managed(times=60) as found:
        yield found


async def test_a_start_goes_through_its_states_one_event_each(plugins: Managed) -> None:
    info = await plugins.add("u")
    assert info.state == "running"
    assert plugins.states("u") == ["starting", "initialising", "running"]


async def test_a_stop_goes_through_its_states_one_event_each(plugins: Managed) -> None:
    await plugins.add("u")
    plugins.events.clear()
    info = await plugins.manager.disable("u")
    assert info.state == "stopped"
    assert plugins.states("u") == ["stopping", "stopped"]


async def test_what_a_server_says_of_itself_is_known_while_it_runs_and_gone_after(plugins: Managed) -> None:
    info = await plugins.add("u")
    assert (info.protocol, info.server, info.instructions) == ("2025-11-25", "unruly 1", "Expect the worst.")
    assert info.capabilities == {"tools", "logging"}
    assert info.pid in [process.pid for process in marked(plugins.marker)]
    assert info.started_at is not None
    stopped = await plugins.manager.disable("u")
    assert (stopped.protocol, stopped.pid, stopped.started_at, stopped.tools) == ("", None, None, ())


async def test_a_server_that_dies_is_started_again_after_a_second(plugins: Managed) -> None:
    first = await plugins.add("u")
    with pytest.raises(PluginError, match=r"exit code 3"):
        await plugins.manager.call_tool("u", "die", {"code": 3})
    await plugins.until_state("u", "running")
    assert plugins.states("u")[-4:] == ["error", "starting", "initialising", "running"]
    assert plugins.manager.status("u").pid != first.pid
    assert plugins.pauses("u") == [1.0]


async def test_while_a_restart_is_due_the_problem_says_which_attempt_and_when(plugins: Managed) -> None:
    await plugins.add("u")
    with pytest.raises(PluginError):
        await plugins.manager.call_tool("u", "die")
    info = await plugins.until_state("u", "error")
    assert info.problem is not None
    assert info.problem.message == "The server ended with exit code 1."
    assert info.problem.fix == "It is started again in 1 s, attempt 1 of 5."
    assert info.problem.retry_at is not None
    assert (info.problem.retry_at - info.problem.at).total_seconds() == 1


async def test_restarts_are_1_2_4_8_and_16_seconds_apart_then_it_is_the_users_turn(hasty: Managed) -> None:
    info = await hasty.add("u", "--die-at-start", "7", "--last-words", "no such table")
    assert info.problem is not None
    assert info.problem.attempt == 0
    await hasty.until(lambda: (p := hasty.manager.status("u").problem) is not None and p.retry_at is None, within=40)
    assert hasty.pauses("u") == [1, 2, 4, 8, 16]
    assert {1, 2, 4, 8, 16} <= set(hasty.clock.slept)
    final = hasty.manager.status("u")
    assert final.state == "error"
    assert final.problem is not None
    assert final.problem.attempt == 5
    assert "exit code 7" in final.problem.message
    assert "no such table" in final.problem.message
    assert final.problem.fix == (
        "It was started again 5 times in vain. Look at its log and mend what is wrong."
        ' Then start it yourself: valechat.plugins.restart("u")'
    )
    assert len(hasty.failures("u")) == 6


async def test_after_a_minute_of_health_restarts_are_counted_afresh(hasty: Managed) -> None:
    await hasty.add("u")
    for _ in range(3):
        await hasty.until_state("u", "running")
        await asyncio.sleep(HEALTHY_SECONDS / hasty.clock.times)
        with pytest.raises(PluginError):
            await hasty.manager.call_tool("u", "die")
        info = await hasty.until_state("u", "error")
        assert info.problem is not None
        assert (info.problem.attempt, info.problem.retry_at is None) == (0, False)


async def test_the_user_can_restart_a_plugin_that_was_given_up(hasty: Managed) -> None:
    await hasty.add("u", "--die-at-start", "1")
    await hasty.until(lambda: (p := hasty.manager.status("u").problem) is not None and p.retry_at is None, within=40)
    info = await hasty.manager.restart("u")
    assert info.problem is not None
    assert (info.problem.attempt, info.problem.retry_at is None) == (0, False)


@pytest.mark.parametrize(
    ("options", "state"),
    [
        (["--slow-start", "600"], "initialising"),
        (["--die-at-start", "1"], "error"),
        ([], "running"),
    ],
)
async def test_a_plugin_can_be_stopped_in_any_state(plugins: Managed, options: list[str], state: str) -> None:
    adding = asyncio.create_task(plugins.add("u", *options))
    await plugins.until(lambda: state in plugins.states("u"))
    info = await plugins.manager.disable("u")
    assert info.state == "stopped"
    assert info.problem is None
    assert (await adding).state == "stopped" or state in ("error", "running")


async def test_a_plugin_can_be_stopped_while_it_is_starting(plugins: Managed) -> None:
    adding = asyncio.create_task(plugins.add("u"))
    await plugins.until(lambda: plugins.states("u") == ["starting"])
    assert (await plugins.manager.disable("u")).state == "stopped"
    assert (await adding).state == "stopped"


async def test_a_stop_does_not_wait_for_a_call_that_hangs_and_tells_its_caller(plugins: Managed) -> None:
    await plugins.add("u")
    call = asyncio.create_task(plugins.manager.call_tool("u", "never"))
    await plugins.manager.call_tool("u", "echo")
    watch = Stopwatch()
    await plugins.manager.disable("u")
    assert watch.seconds < 5
    with pytest.raises(PluginError, match="u was stopped while it was at work"):
        await call


async def test_a_call_under_way_is_told_why_the_server_died(plugins: Managed) -> None:
    await plugins.add("u")
    call = asyncio.create_task(plugins.manager.call_tool("u", "never"))
    await plugins.manager.call_tool("u", "echo")
    with pytest.raises(PluginError, match=r"SIGKILL|signal 9"):
        await plugins.manager.call_tool("u", "die", {"signal": 9})
    with pytest.raises(PluginError, match=r"SIGKILL|signal 9"):
        await call


async def test_a_call_while_it_restarts_waits_for_it(plugins: Managed) -> None:
    await plugins.add("u")
    with pytest.raises(PluginError):
        await plugins.manager.call_tool("u", "die")
    await plugins.until_state("u", "error")
    answer = await plugins.manager.call_tool("u", "echo", {"text": "again"})
    assert answer.text == "again"


async def test_enabling_a_plugin_that_restarts_by_itself_waits_until_it_runs(plugins: Managed) -> None:
    await plugins.add("u", "--slow-start", "0.3")
    with pytest.raises(PluginError):
        await plugins.manager.call_tool("u", "die")
    await plugins.until_state("u", "initialising")
    assert (await plugins.manager.enable("u")).state == "running"
    assert plugins.states("u")[-4:] == ["error", "starting", "initialising", "running"]


async def test_a_call_waits_for_a_restart_no_longer_than_its_own_time(plugins: Managed) -> None:
    await plugins.add("u", "--die-at-start", "4")
    watch = Stopwatch()
    with pytest.raises(PluginError, match="u does not run: The server ended with exit code 4"):
        await plugins.manager.call_tool("u", "echo", timeout=0.3)
    assert watch.seconds < 5


async def test_a_missing_variable_is_not_tried_again_and_says_how_to_set_it(plugins: Managed) -> None:
    info = await plugins.add("u", env={"TOKEN": "${A_TOKEN_OF_MINE}"})
    assert info.state == "error"
    assert info.problem is not None
    assert info.problem.retry_at is None
    assert "A_TOKEN_OF_MINE" in info.problem.message
    assert "valechat keys set A_TOKEN_OF_MINE" in info.problem.fix


async def test_a_program_that_does_not_exist_is_not_tried_again(plugins: Managed) -> None:
    info = await plugins.manager.add({"id": "u", "command": "no-such-program-anywhere"})
    assert info.state == "error"
    assert info.problem is not None
    assert info.problem.retry_at is None
    assert "no-such-program-anywhere" in info.problem.message
    assert info.problem.fix


async def test_a_server_that_never_greets_is_left_after_its_timeout(plugins: Managed) -> None:
    info = await plugins.add("u", "--silent", timeout=3)
    assert info.state == "error"
    assert info.problem is not None
    assert info.problem.message == "u was not done with the handshake after 3 s."
    assert "timeout" in info.problem.fix


async def test_a_server_that_answers_no_pings_any_more_is_started_again(hasty: Managed) -> None:
    info = await hasty.add("u")
    assert info.pid is not None
    os.kill(info.pid, signal.SIGSTOP)
    await hasty.until(lambda: hasty.failures("u"))
    assert hasty.failures("u") == ["The server answers no more (2 pings in a row)."]
    assert (await hasty.until_state("u", "running")).pid != info.pid


async def test_a_server_that_knows_no_pings_but_answers_else_is_left_alone(
    hasty: Managed, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = 60.0  # a second here: enough for the answer also on a machine that does much else
    monkeypatch.setattr(health, "ANSWER_SECONDS", patience)
    await hasty.add("u", "--no-ping")
    await eventually(lambda: hasty.clock.slept.count(patience) >= 6)
    assert hasty.failures("u") == []
    assert hasty.states("u") == ["starting", "initialising", "running"]


async def test_a_server_at_work_is_not_pinged(hasty: Managed) -> None:
    await hasty.add("u")
    call = asyncio.create_task(hasty.manager.call_tool("u", "sleep", {"seconds": 3}))
    await eventually(lambda: hasty.clock.slept.count(30.0) >= 3)
    assert 10.0 not in hasty.clock.slept
    assert (await call).text == "Slept 3 s."


async def test_each_run_is_taken_down_with_its_reason(plugins: Managed) -> None:
    await plugins.add("u")
    await plugins.manager.restart("u")
    with pytest.raises(PluginError):
        await plugins.manager.call_tool("u", "die")
    await plugins.until_state("u", "error")
    await plugins.until_state("u", "running")
    await plugins.manager.disable("u")
    await plugins.manager.enable("u")
    await plugins.manager.shutdown()
    ended = {run.id: run for run in plugins.runs}
    assert [run.reason for run in ended.values()] == ["restarted", "crashed", "stopped", "shutdown"]
    assert all(run.ended_at is not None and run.ended_at > run.started_at for run in ended.values())


async def test_a_start_that_failed_is_taken_down_as_such(plugins: Managed) -> None:
    await plugins.add("u", "--die-at-start", "1")
    await plugins.manager.disable("u")
    assert [run.reason for run in plugins.runs] == ["failed"]
