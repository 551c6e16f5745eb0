"""The supervisor by itself: the program, and what it does where there is no subreaper."""

from __future__ import annotations

import marshal
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil
import pytest

from tests.plugins.support import MARKER, described, gone, marked, new_marker
from valechat.plugins.transports import supervisor
from valechat.plugins.transports.supervisor import Supervisor

PROGRAM = Path(supervisor.__file__)
LONG = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]


def sent(job: Mapping[str, object]) -> bytes:
    """A job as the kernel sends it."""
    written = marshal.dumps(dict(job))
    return len(written).to_bytes(4, "big") + written


@contextmanager
def supervised(
    argv: list[str], *, parent: int = 0, cwd: str = "/", **job: object
) -> Iterator[tuple[IO[str], socket.socket]]:
    """A supervisor given a job: what it says, and the lifeline."""
    here, there = socket.socketpair()
    program = [sys.executable, "-I", "-S", str(PROGRAM), str(there.fileno()), str(parent or os.getpid())]
    with here, there, subprocess.Popen(program, pass_fds=[there.fileno()]) as process:
        there.close()
        whole = {"argv": argv, "env": {}, "cwd": cwd, "limits": {}, "mark": "", **job}
        here.sendall(sent(whole))
        with here.makefile() as said:
            yield said, here
        here.close()
        process.wait(60)


def test_it_needs_nothing_but_the_standard_library_and_starts_no_other_program() -> None:
    found = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "importtime", str(PROGRAM)], capture_output=True, text=True, check=False
    )
    imported = {line.rpartition("|")[2].strip() for line in found.stderr.splitlines() if line.startswith("import time")}
    assert {"marshal", "select", "signal"} <= imported
    assert not {"asyncio", "json", "pathlib", "socket", "subprocess", "typing", "valechat"} & imported


def test_it_tells_the_process_the_exit_code_and_then_the_end() -> None:
    with supervised(["/bin/sh", "-c", "exit 5"]) as (said, _):
        started, pid = said.readline().split()
        assert (started, pid.isdigit()) == ("started", True)
        assert said.read() == "exited 5\n"


def test_it_tells_the_signal() -> None:
    with supervised(["/bin/sh", "-c", "kill -8 $$"]) as (said, _):
        assert said.read().splitlines()[1] == "killed 8"


@pytest.mark.parametrize(
    ("argv", "cwd", "step"),
    [
        (["/no/such/program"], "/", "exec 2"),
        (["/etc"], "/", "exec 13"),
        (["/bin/true"], "/no/such/folder", "cwd 2"),
        (["/bin/true", "a\0b"], "/", "exec 22"),
    ],
)
def test_it_tells_the_step_that_failed(argv: list[str], cwd: str, step: str) -> None:
    with supervised(argv, cwd=cwd) as (said, _):
        assert said.read() == f"failed {step}\n"


def test_a_server_that_cannot_join_its_control_group_is_not_started(tmp_path: Path) -> None:
    with supervised(["/bin/true"], group=str(tmp_path / "gone")) as (said, _):
        assert said.read() == "failed limit 2\n"


def test_a_server_is_in_its_control_group_before_it_runs(tmp_path: Path) -> None:
    (tmp_path / "cgroup.procs").touch()
    with supervised(["/bin/cat", str(tmp_path / "cgroup.procs")], group=str(tmp_path)) as (said, _):
        assert said.read().endswith("exited 0\n")
    assert (tmp_path / "cgroup.procs").read_text() == "0"


@pytest.mark.parametrize(("letter", "number"), [(b"T", signal.SIGTERM), (b"K", signal.SIGKILL)])
def test_it_terminates_or_kills_when_told(letter: bytes, number: int) -> None:
    with supervised(LONG) as (said, lifeline):
        said.readline()
        lifeline.send(letter)
        assert said.read() == f"killed {number}\n"


def test_a_letter_sent_with_the_job_counts() -> None:
    here, there = socket.socketpair()
    with here, there:
        job = {"argv": LONG, "env": {}, "cwd": "/", "limits": {}, "mark": ""}
        here.sendall(sent(job) + b"K")
        program = [sys.executable, "-I", "-S", str(PROGRAM), str(there.fileno()), str(os.getpid())]
        with subprocess.Popen(program, pass_fds=[there.fileno()]), here.makefile() as said:
            there.close()
            assert said.read().splitlines()[1] == "killed 9"


def test_a_parent_that_is_not_the_named_one_is_gone_already() -> None:
    marker = new_marker()
    with supervised(LONG, parent=1, env={MARKER: marker}) as (said, _):
        assert said.read().splitlines()[1] == "killed 15"
    assert marked(marker) == []


def test_sigterm_to_the_supervisor_ends_the_server_with_it() -> None:
    with supervised(LONG) as (said, _):
        pid = int(said.readline().split()[1])
        keeper = psutil.Process(pid).parent()
        assert keeper is not None
        keeper.terminate()
        assert said.read() == "killed 15\n"


def test_limits_are_set_and_never_above_what_the_process_may(tmp_path: Path) -> None:
    output = tmp_path / "limits"
    program = (
        "import resource as r, sys;"
        "print(*r.getrlimit(r.RLIMIT_NOFILE), *r.getrlimit(r.RLIMIT_CORE), file=open(sys.argv[1], 'w'))"
    )
    limits = {"nofile": [200, 10**9], "core": [0, 0], "unheard_of": [1, 1]}
    with supervised([sys.executable, "-I", "-S", "-c", program, str(output)], limits=limits) as (said, _):
        assert said.read().splitlines()[1] == "exited 0"
    soft, hard, *core = map(int, output.read_text().split())
    assert (soft, core) == (200, [0, 0])
    assert 200 <= hard < 10**9


def test_signals_that_python_ignores_are_not_ignored_by_the_server() -> None:
    with supervised(["/bin/sh", "-c", "kill -PIPE $$; exit 0"]) as (said, _):
        assert said.read().splitlines()[1] == f"killed {int(signal.SIGPIPE)}"


def test_without_proc_the_descendants_come_from_ps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with subprocess.Popen(["/bin/sh", "-c", "sleep 30 & wait"], start_new_session=True) as shell:
        process = psutil.Process(shell.pid)
        while not process.children():
            os.sched_yield()
        assert [child.pid for child in process.children()] == list(supervisor._descendants(shell.pid))
        os.killpg(shell.pid, signal.SIGKILL)


def test_where_nobody_inherits_a_lost_child_it_is_known_by_its_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = ["  101 python serve.py HOME=/Users/me VALECHAT_SERVER=abc", "102 zsh VALECHAT_SERVER=abd", "103 zsh"]
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(supervisor, "_ps", lambda *options: shown)
    assert supervisor._marked("VALECHAT_SERVER=abc") == [101]
    assert supervisor._marked("") == []


def test_killing_again_what_has_ended_does_no_harm() -> None:
    keeper = Supervisor(control=-1, parent=os.getpid())
    with subprocess.Popen(["/bin/true"], start_new_session=True) as process:
        process.wait()
        keeper.server = process.pid
        keeper.signal_group(signal.SIGKILL)


def test_a_lifeline_that_ends_before_the_job_came_starts_nothing() -> None:
    here, there = socket.socketpair()
    program = [sys.executable, "-I", "-S", str(PROGRAM), str(there.fileno()), str(os.getpid())]
    with here, there, subprocess.Popen(program, pass_fds=[there.fileno()]) as process:
        there.close()
        here.sendall(sent({"argv": ["/bin/true"]})[:-1])
        here.close()
        assert process.wait(60) == 0


def test_a_fork_bomb_is_ended() -> None:
    marker = new_marker()
    bomb = "import os, time\nfor _ in range(6): os.fork()\nos.getpgrp() == os.getpid() or os.setsid()\ntime.sleep(600)"
    with supervised([sys.executable, "-I", "-S", "-c", bomb], env={MARKER: marker}) as (said, lifeline):
        said.readline()
        lifeline.send(b"K")
        assert said.read() == "killed 9\n"
    assert described(gone(marker)) == []
