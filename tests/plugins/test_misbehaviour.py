"""A server may do anything wrong: the manager and the other plugins stay well, and the message says what happened."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.patience import Stopwatch
from tests.plugins.managing import Managed, managed
from valechat.errors import PluginError, ToolFailed
from valechat.plugins.log import MOST_LINES


@pytest.fixture
async def plugins() -> AsyncIterator[Managed]:
    """Beside the one that misbehaves there is one that is well, and must still be so in the end."""
    async with managed() as found:
        before = await found.add("well")
        yield found
        answer = await found.manager.call_tool("well", "echo", {"text": "still here"}, timeout=30)
        assert answer.text == "still here"
        assert found.manager.status("well").pid == before.pid


@pytest.mark.parametrize(
    ("options", "timeout", "message"),
    [
        (["--die-at-start", "3"], 60, "The server ended with exit code 3."),
        (
            ["--die-at-start", "1", "--last-words", "ModuleNotFoundError: No module named 'x'"],
            60,
            "The server ended with exit code 1. Its last words: ModuleNotFoundError: No module named 'x'",
        ),
        (["--silent"], 2, "bad was not done with the handshake after 2 s."),
        (["--deaf"], 8, "bad was not done with listing its tools after 8 s."),
        (["--slow-start", "60"], 2, "bad was not done with the handshake after 2 s."),
    ],
    ids=["dies", "dies with last words", "silent", "deaf", "slow"],
)
async def test_a_server_that_does_not_get_up(plugins: Managed, options: list[str], timeout: int, message: str) -> None:
    info = await plugins.add("bad", *options, timeout=timeout)
    assert info.state == "error"
    assert info.problem is not None
    assert info.problem.message == message
    assert plugins.failures("bad")[0] == message
    await plugins.manager.disable("bad")


@pytest.mark.parametrize(
    ("options", "message"), [(["5"], "exit code 5"), (["0", "--signal", "11"], "SIGSEGV|signal 11")]
)
async def test_a_server_that_dies_during_a_call(plugins: Managed, options: list[str], message: str) -> None:
    await plugins.add("bad", "--die-in-call", *options)
    with pytest.raises(PluginError, match=message):
        await plugins.manager.call_tool("bad", "echo")
    assert (await plugins.until_state("bad", "error")).problem is not None
    await plugins.until_state("bad", "running")


async def test_a_server_that_dies_when_idle(plugins: Managed) -> None:
    await plugins.add("bad", "--die-after", "0.5", "--code", "9")
    info = await plugins.until_state("bad", "error")
    assert info.problem is not None
    assert info.problem.message == "The server ended with exit code 9."


async def test_a_call_that_is_never_answered_fails_in_time_and_the_server_goes_on(plugins: Managed) -> None:
    await plugins.add("bad")
    with pytest.raises(ToolFailed, match="bad took longer than 1 s for the call of never"):
        await plugins.manager.call_tool("bad", "never", timeout=1)
    assert (await plugins.manager.call_tool("bad", "echo", {"text": "x"})).text == "x"


async def test_garbage_on_its_output_is_skipped_and_logged(plugins: Managed) -> None:
    info = await plugins.add("bad", "--garbage")
    assert info.state == "running"
    assert (await plugins.manager.call_tool("bad", "echo", {"text": "x"})).text == "x"
    await plugins.until(lambda: any("Server ready!" in line.text for line in plugins.manager.logs("bad")))


async def test_invalid_utf8_in_an_answer_is_replaced(plugins: Managed) -> None:
    await plugins.add("bad", "--bad-utf8")
    answer = await plugins.manager.call_tool("bad", "echo", {"text": "aZb"})
    assert answer.text.startswith("a\N{REPLACEMENT CHARACTER}")
    assert answer.text.endswith("b")


async def test_a_flood_of_complaints_fills_a_bounded_log_and_nothing_else(plugins: Managed) -> None:
    await plugins.add("bad", "--flood", "-1")
    for number in range(50):
        assert (await plugins.manager.call_tool("bad", "echo", {"text": str(number)}, timeout=30)).text == str(number)
    assert 0 < len(plugins.manager.logs("bad")) <= MOST_LINES
    watch = Stopwatch()
    await plugins.manager.disable("bad")
    assert watch.seconds < 5


async def test_a_server_that_ignores_the_end_of_its_input_and_sigterm_is_ended(plugins: Managed) -> None:
    await plugins.add("bad", "--stubborn", "--children", "plain,setsid,double")
    watch = Stopwatch()
    assert (await plugins.manager.disable("bad")).state == "stopped"
    assert watch.seconds < 5


async def test_a_bad_schema_loses_one_tool_and_says_which_and_why(plugins: Managed) -> None:
    info = await plugins.add("bad", "--bad-schema")
    assert info.state == "running"
    (crooked,) = [tool for tool in info.tools if tool.problem]
    assert crooked.name == "crooked"
    assert "objekt" in crooked.problem
    assert not crooked.offered
    assert len([tool for tool in info.tools if tool.offered]) == 13


async def test_an_answer_of_20_megabytes_arrives(plugins: Managed) -> None:
    await plugins.add("bad")
    answer = await plugins.manager.call_tool("bad", "big", {"bytes": 20_000_000})
    assert len(answer.text) == 20_000_000


async def test_a_thousand_tools_are_listed(plugins: Managed) -> None:
    watch = Stopwatch()
    info = await plugins.add("bad", "--tools", "1000")
    assert len(info.tools) == 1013
    assert len({tool.public_name for tool in plugins.manager.tools()}) == 1026
    assert (await plugins.manager.call_tool("bad", "tool_999", {"a": 1})).text.startswith("tool_999 was called")
    assert watch.seconds < 15


async def test_a_server_that_ignores_unknown_methods_starts_without_delay(plugins: Managed) -> None:
    watch = Stopwatch()
    assert (await plugins.add("bad", "--ignore-unknown", "--no-ping")).state == "running"
    assert watch.seconds < 9


async def test_a_server_that_changes_its_tools_by_itself_is_followed(plugins: Managed) -> None:
    await plugins.add("bad", "--change-after", "0.3")
    await plugins.until(lambda: any(tool.name == "extra" for tool in plugins.manager.tools()))
    assert (await plugins.manager.call_tool("bad", "extra")).text.startswith("extra was called")
