"""A server over its pipes: what it may do wrong, and that the connection, the loop and the log stay well."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import suppress
from pathlib import Path

import anyio
import mcp
import psutil
import pytest
from mcp import ClientSession
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCNotification

from tests.patience import Stopwatch
from tests.plugins.support import described, eventually, gone, marked, new_marker, settled
from tests.plugins.transports.servers import Log, opened, unruly
from valechat.errors import InvalidPlugin, PluginError
from valechat.plugins.transports.base import Link
from valechat.plugins.transports.stdio import stdio

EVERY_KIND = "plain,setsid,double"


async def ending(link: Link) -> str:
    assert link.ended is not None
    return await link.ended()


async def test_a_server_answers_and_its_process_is_known() -> None:
    async with opened() as server:
        assert await server.call("echo", text="Grüße, 你好 🙂") == "Grüße, 你好 🙂"
        assert psutil.Process(server.link.pid).is_running()


async def test_many_calls_run_at_once() -> None:
    async with opened() as server:
        calls = [server.call("echo", text=str(number)) for number in range(200)]
        assert await asyncio.gather(*calls) == [str(number) for number in range(200)]


async def test_an_answer_of_twenty_megabytes_arrives_in_linear_time() -> None:
    async with opened() as server:
        watch = Stopwatch()
        assert len(await server.call("big", bytes=20_000_000)) == 20_000_000
        assert watch.seconds < 5  # 0.4 s on an idle machine, 14 s when lines are cut in quadratic time


async def test_an_answer_over_the_limit_fails_its_call_and_the_next_one_is_answered() -> None:
    async with opened(line_limit=100_000) as server:
        with pytest.raises(mcp.MCPError, match="larger than allowed"):
            await server.call("big", bytes=200_000)
        assert await server.call("echo", text="still here") == "still here"
        assert [line for line in server.log.of("valechat") if "200," in line]


async def test_what_is_no_message_is_logged_and_skipped() -> None:
    async with opened("--garbage") as server:
        assert await server.call("echo", text="through the noise") == "through the noise"
        logged = "\n".join(server.log.of("valechat"))
        assert "Server ready!" in logged
        assert '{"half":' in logged
        assert "not UTF-8" in logged


async def test_what_is_not_utf_8_is_replaced() -> None:
    async with opened("--bad-utf8") as server:
        assert await server.call("echo", text="a Z b") == "a \ufffd\ufffd b"


async def test_stderr_is_the_log() -> None:
    async with opened("--last-words", "Listening to you.") as server:
        await server.call("say", text="grumble")
        await eventually(lambda: server.log.of("stderr") == ["Listening to you.", "grumble"])


async def test_a_flood_of_complaints_keeps_nobody_waiting_and_fills_no_memory() -> None:
    process = psutil.Process()
    async with opened("--flood", "-1") as server:
        await server.call("echo", text="warm")
        before, begun = process.memory_info().rss, time.perf_counter()
        longest = 0.0
        while time.perf_counter() - begun < 2:
            sent = Stopwatch()
            await server.call("echo", text="x")
            longest = max(longest, sent.seconds)
        assert longest < 1
        assert process.memory_info().rss - before < 20_000_000
        assert len(server.log.lines) < 400


async def test_a_server_that_dies_at_the_start_says_its_last_words_and_its_exit_code() -> None:
    log = Log()
    async with stdio(unruly("--die-at-start", "3", "--last-words", "No such database."), log.context) as link:
        assert await ending(link) == "The server ended with exit code 3."
        assert log.of("stderr") == ["No such database."]


async def test_an_idle_servers_death_is_told() -> None:
    async with opened("--die-after", "0.3", "--code", "7") as server:
        assert await server.ended() == "The server ended with exit code 7."


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (9, "The server was killed by signal 9 (out of memory?)."),
        (11, "The server was killed by signal 11 (SIGSEGV)."),
    ],
)
async def test_a_death_in_a_call_fails_the_call_and_tells_the_signal(number: int, sentence: str) -> None:
    async with opened() as server:
        with pytest.raises(mcp.MCPError, match="Connection closed"):
            await server.call("die", signal=number)
        assert await server.ended() == sentence


async def test_a_server_whose_program_is_missing_something_is_told_from_one_that_failed() -> None:
    definition = unruly().model_copy(update={"command": "/bin/sh", "args": ["-c", "exec no-such-program"]})
    async with stdio(definition, Log().context) as link:
        assert await ending(link) == "The server ended with exit code 127 (a program it needs was not found)."


async def test_a_server_that_closes_its_output_has_ended() -> None:
    definition = unruly().model_copy(update={"args": ["-c", "import os, time; os.close(1); time.sleep(60)"]})
    async with stdio(definition, Log().context) as link:
        assert await ending(link) == "The server closed its output."


async def test_a_server_that_does_not_read_is_given_up() -> None:
    async with opened("--deaf", stalled_seconds=0.5) as server:
        calls = [asyncio.create_task(server.call("echo", text="x" * 10_000)) for _ in range(100)]
        assert await server.ended() == "The server has not read its input for 0.5 s."
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(answer) for answer in answers} == {mcp.MCPError}


async def test_a_silent_server_is_left_by_its_caller_in_time() -> None:
    log, watch = Log(), Stopwatch()
    async with stdio(unruly("--silent"), log.context) as link, ClientSession(link.read, link.write) as session:
        with anyio.move_on_after(0.3) as scope:
            await session.initialize()
        assert scope.cancelled_caught
    assert watch.seconds < 3


async def test_a_thousand_tools_are_listed() -> None:
    async with opened("--tools", "1000") as server:
        assert len((await server.session.list_tools()).tools) > 1000


async def test_leaving_ends_the_server_at_once_when_it_ends_with_its_input() -> None:
    marker = new_marker()
    async with opened(marker=marker) as server:
        watch = Stopwatch()
    assert marked(marker) == []
    assert watch.seconds < 1
    assert await server.ended() == "The server was stopped."


async def test_what_was_sent_before_leaving_arrives(tmp_path: Path) -> None:
    up, counted = tmp_path / "up", tmp_path / "lines"
    program = (
        f"import sys, time; open({str(up)!r}, 'w').close(); time.sleep(0.2);"
        f"open({str(counted)!r}, 'w').write(str(len(list(sys.stdin))))"
    )
    definition = unruly().model_copy(update={"args": ["-c", program]})
    notice = SessionMessage(JSONRPCNotification(jsonrpc="2.0", method="x", params={"text": "x" * 10_000}))
    async with stdio(definition, Log().context) as link:
        await eventually(up.exists)
        for _ in range(40):
            await link.write.send(notice)
    assert counted.read_text() == "40"


@pytest.mark.slow
async def test_leaving_ends_what_ignores_every_request_to_end() -> None:
    marker = new_marker()
    watch = Stopwatch()
    async with opened("--stubborn", "--children", EVERY_KIND, marker=marker):
        assert len(settled(marker, 5)) == 5
        watch = Stopwatch()
    assert described(marked(marker)) == []
    assert watch.seconds < 6


async def test_children_of_a_server_that_ends_by_itself_end_with_it() -> None:
    marker = new_marker()
    async with opened("--children", EVERY_KIND, marker=marker) as server:
        assert len(settled(marker, 5)) == 5
        with pytest.raises(mcp.MCPError):
            await server.call("die")
        await server.ended()
        assert described(gone(marker)) == []


async def test_a_cancelled_owner_leaves_nothing() -> None:
    marker, up = new_marker(), asyncio.Event()

    async def own() -> None:
        async with opened("--children", EVERY_KIND, marker=marker):
            up.set()
            await asyncio.sleep(600)

    owner = asyncio.create_task(own())
    await up.wait()
    owner.cancel()
    with pytest.raises(asyncio.CancelledError):
        await owner
    assert described(marked(marker)) == []


@pytest.mark.parametrize("moment", [0, 0.005, 0.02, 0.04, 0.06, 0.1])
async def test_an_owner_cancelled_while_starting_leaves_nothing(moment: float) -> None:
    marker = new_marker()

    async def own() -> None:
        async with opened("--children", "double", marker=marker):
            await asyncio.sleep(600)

    owner = asyncio.create_task(own())
    await asyncio.sleep(moment)
    owner.cancel()
    with pytest.raises(asyncio.CancelledError):
        await owner
    assert described(gone(marker)) == []


async def test_an_owner_cancelled_again_while_it_stops_leaves_nothing() -> None:
    marker, up = new_marker(), asyncio.Event()

    async def own() -> None:
        async with opened("--stubborn", marker=marker):
            up.set()
            await asyncio.sleep(600)

    owner = asyncio.create_task(own())
    await up.wait()
    for _ in range(3):
        owner.cancel()
        await asyncio.sleep(0.1)
    with pytest.raises(asyncio.CancelledError):
        await owner
    assert described(marked(marker)) == []


async def test_a_server_gets_its_three_pipes_and_no_other_descriptor() -> None:
    async with opened() as first, opened() as second:
        for server in (first, second):
            found = json.loads(await server.call("environment"))["descriptors"]
            assert {number for number, what in found.items() if what} == {"0", "1", "2"}
            assert all(what.startswith("pipe:") for what in found.values() if what)


async def test_no_process_of_a_server_holds_the_kernels_end_of_anothers_lifeline() -> None:
    marker = new_marker()
    async with opened(marker=marker), opened(marker=marker), opened(marker=marker):
        own = sockets(psutil.Process())
        assert len(own) >= 3
        assert [sockets(process) & own for process in settled(marker, 6)] == [set()] * 6


def sockets(process: psutil.Process) -> set[str]:
    """The sockets a process has open, by name."""
    found = set()
    for entry in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # the descriptor that lists them
            found.add(str(entry.readlink()))
    return {name for name in found if name.startswith("socket:")}


async def test_a_server_has_a_session_of_its_own() -> None:
    async with opened() as server:
        found = json.loads(await server.call("environment"))
        assert found["session"] == found["group"] == found["pid"]


async def test_a_server_sees_no_key_of_the_kernels_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    async with opened() as server:
        assert "canary" not in await server.call("environment")


async def test_a_server_gets_the_variables_of_its_definition_and_its_permissions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PROJECT", "valley")
    definition = unruly(env={"TOKEN": "its own"}, permissions={"env_access": ["PROJECT", "ABSENT"]})
    async with stdio(definition, Log().context) as link, ClientSession(link.read, link.write) as session:
        await session.initialize()
        answer = await session.call_tool("environment", {})
        found = json.loads(getattr(answer.content[0], "text", ""))["environment"]
        assert (found["TOKEN"], found["PROJECT"], "ABSENT" in found) == ("its own", "valley", False)


async def test_a_server_starts_in_its_folder(tmp_path: Path) -> None:
    definition = unruly(cwd=str(tmp_path))
    async with stdio(definition, Log().context) as link, ClientSession(link.read, link.write) as session:
        await session.initialize()
        answer = await session.call_tool("environment", {})
        assert json.loads(getattr(answer.content[0], "text", ""))["cwd"] == str(tmp_path)


async def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidPlugin, match=r"its folder .*nowhere does not exist"):
        async with stdio(unruly(cwd=str(tmp_path / "nowhere")), Log().context):
            pass


async def test_a_file_that_is_no_program_is_named(tmp_path: Path) -> None:
    program = tmp_path / "server"
    program.write_bytes(b"\x00 no program")
    program.chmod(0o755)
    with pytest.raises(InvalidPlugin, match="its command cannot be run"):
        async with stdio(unruly().model_copy(update={"command": str(program)}), Log().context):
            pass


async def test_a_server_of_python_takes_an_interrupt_of_the_kernel_for_nothing() -> None:
    async with opened() as server:
        parent = psutil.Process(server.link.pid).parent()
        assert parent is not None
        assert parent.cmdline()[0] == sys.executable
        parent.send_signal(2)
        assert await server.call("echo", text="unmoved") == "unmoved"


async def test_servers_one_after_the_other_leave_no_descriptor_open() -> None:
    async with opened():
        pass
    before = psutil.Process().num_fds()
    for _ in range(25):
        async with stdio(unruly("--die-at-start", "0"), Log().context) as link:
            await ending(link)
    await eventually(lambda: psutil.Process().num_fds() <= before)


async def test_half_a_surrogate_pair_in_an_argument_does_no_harm() -> None:
    async with opened() as server:
        assert await server.call("echo", text="a\ud83d") == "a?"
        assert await server.call("echo", text="fine") == "fine"


async def test_a_killed_supervisor_takes_the_server_and_all_it_started_with_it() -> None:
    marker = new_marker()
    async with opened("--children", EVERY_KIND, "--stubborn", marker=marker) as server:
        supervisor = psutil.Process(server.link.pid).parent()
        assert supervisor is not None
        supervisor.kill()
        assert await server.ended() == "The server's supervisor was ended, and the server with it."
        assert described(gone(marker)) == []


async def test_a_python_that_does_not_run_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'libpython3.so is missing' >&2\nexit 1\n")
    broken.chmod(0o755)
    definition = unruly()
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(PluginError, match=r"unruly could not be started: libpython3\.so is missing"):
        async with stdio(definition, Log().context):
            pass
