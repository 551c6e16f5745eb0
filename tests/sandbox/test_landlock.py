"""What a server behind Landlock and seccomp cannot do, each tried for real, and what it still can."""

from __future__ import annotations

import platform
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sandbox.confinement import Allowed, canary, program, said
from valechat.sandbox import landlock, landlocked
from valechat.sandbox.base import Command, Prepared, prepare

pytestmark = pytest.mark.skipif(bool(landlock.unavailable()), reason=landlock.unavailable())

EVERYTHING_OFF = Allowed(file_read=[], file_write=[], network_access=False)


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """The server's own folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def confined(code: str, allowed: Allowed, temporary: Path) -> Prepared:
    command = Command(program(code), {}, str(temporary))
    return landlock.confined(prepare(command, allowed), command, allowed, temporary)


def run(code: str, temporary: Path, allowed: Allowed = EVERYTHING_OFF) -> str:
    return said(confined(code, allowed, temporary))


def test_a_program_runs_and_can_use_its_own_libraries_and_a_temporary_folder(temporary: Path) -> None:
    code = "import json, ssl, tempfile; print(os.path.dirname(tempfile.NamedTemporaryFile().name))"
    assert run(code, temporary) == str(temporary)


def test_a_file_outside_the_list_cannot_be_read(temporary: Path, tmp_path: Path) -> None:
    assert "PermissionError" in run(f"open({str(canary(tmp_path))!r})", temporary)


def test_a_file_in_the_list_can_be_read_and_not_written(temporary: Path, tmp_path: Path) -> None:
    allowed = replace(EVERYTHING_OFF, file_read=[f"{tmp_path}/**"])
    file = canary(tmp_path)
    assert run(f"print(open({str(file)!r}).read())", temporary, allowed) == "canary"
    assert "PermissionError" in run(f"open({str(file)!r}, 'a')", temporary, allowed)
    assert "PermissionError" in run(f"os.unlink({str(file)!r})", temporary, allowed)
    assert "PermissionError" in run(f"os.truncate({str(file)!r}, 0)", temporary, allowed)


def test_a_folder_that_may_be_written_can_be(temporary: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    code = f"open({str(folder / 'new')!r}, 'w').write('x')"
    run(code, temporary, replace(EVERYTHING_OFF, file_write=[f"{folder}/**"]))
    assert (folder / "new").read_text() == "x"


def test_everything_can_be_read_where_only_writing_is_limited(temporary: Path, tmp_path: Path) -> None:
    file = canary(tmp_path)
    assert run(f"print(open({str(file)!r}).read())", temporary, Allowed(file_write=[])) == "canary"
    assert "PermissionError" in run(f"open({str(file)!r}, 'a')", temporary, Allowed(file_write=[]))


@pytest.mark.parametrize("link", ["symbolic", "hard"])
def test_a_link_leads_to_no_file_outside_the_list(temporary: Path, tmp_path: Path, link: str) -> None:
    file = canary(tmp_path)
    make = "symlink" if link == "symbolic" else "link"
    code = f"os.{make}({str(file)!r}, 'way'); print(open('way').read())"
    assert "Error" in run(code, temporary)


def test_two_dots_lead_nowhere_outside_an_allowed_folder(temporary: Path, tmp_path: Path) -> None:
    canary(tmp_path)
    assert "PermissionError" in run(f"open('{temporary}/../secret.txt')", temporary)


@pytest.mark.parametrize(
    "kind",
    ["AF_INET, socket.SOCK_STREAM", "AF_INET, socket.SOCK_DGRAM", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET"],
)
def test_no_socket_of_any_kind_can_be_made(temporary: Path, kind: str) -> None:
    assert "PermissionError" in run(f"socket.socket(socket.{kind})", temporary, Allowed(network_access=False))


def test_io_uring_does_not_lead_around_it(temporary: Path) -> None:
    code = "libc = ctypes.CDLL(None, use_errno=True); print(libc.syscall(425, 8, bytes(120)), ctypes.get_errno())"
    assert run(code, temporary, Allowed(network_access=False)) == "-1 1"


def test_a_server_that_may_use_the_network_can(temporary: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        code = f"socket.create_connection(('127.0.0.1', {port}), 5); print('connected')"
        assert run(code, temporary, replace(EVERYTHING_OFF, network_access=True)) == "connected"


@pytest.fixture
def bystander() -> Iterator[int]:
    """A process of the same user that has nothing to do with the server."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={"CANARY": "secret"})
    yield process.pid
    assert process.poll() is None
    process.communicate(b"\n")


def test_other_processes_cannot_be_traced(temporary: Path, bystander: int) -> None:
    attach = f"libc = ctypes.CDLL(None, use_errno=True); libc.ptrace(16, {bystander}, 0, 0)"
    code = f"{attach}; print(os.strerror(ctypes.get_errno()))"
    assert run(code, temporary, Allowed(network_access=False)) == "Operation not permitted"


def test_the_environment_of_others_cannot_be_read(temporary: Path, bystander: int) -> None:
    assert "PermissionError" in run(f"open('/proc/{bystander}/environ')", temporary, Allowed(network_access=False))


@pytest.mark.skipif(landlocked.landlock_abi() < 6, reason="Landlock bounds signals since Linux 6.12")
def test_other_processes_cannot_be_killed(temporary: Path, bystander: int) -> None:
    assert "PermissionError" in run(f"os.kill({bystander}, {signal.SIGKILL:d})", temporary)


def test_nothing_may_become_root(temporary: Path) -> None:
    status = run("print([line for line in open('/proc/self/status') if 'NoNewPrivs' in line][0].split()[1])", temporary)
    assert status == "1"
    assert "PermissionError" in run("os.chroot('/')", temporary)


def test_children_are_confined_as_well(temporary: Path, tmp_path: Path) -> None:
    file = canary(tmp_path)
    assert "Permission denied" in run(f"os.system('cat {file} 2>&1')", temporary)


def test_a_program_of_another_architecture_is_ended() -> None:
    instructions = landlocked.filter_program(platform.machine(), network=False)
    assert len(instructions) % 8 == 0
    # Where the architecture is not the filter's, the third instruction ends the process.
    assert instructions[16:24] == bytes.fromhex("0600000000000080")


@pytest.mark.parametrize("machine", sorted(landlocked.NEVER))
def test_each_forbidden_call_jumps_to_the_refusal(machine: str) -> None:
    program = landlocked.filter_program(machine, network=False)
    steps = [program[at : at + 8] for at in range(0, len(program), 8)]
    refusal = len(steps) - 1
    jumps = [(at, step[2]) for at, step in enumerate(steps) if step[0] == 0x15 and at > 1]
    assert len(jumps) == len(landlocked.NEVER[machine]) + len(landlocked.NEVER_ANYWHERE) + 1
    assert {at + 1 + distance for at, distance in jumps} == {refusal}


def test_what_cannot_be_confined_is_not_started(temporary: Path) -> None:
    prepared = confined("print('ran')", EVERYTHING_OFF, temporary)
    tight = ("/usr/bin/prlimit", "--nofile=4:4", "--", *prepared.argv)  # not even a descriptor for the rules
    done = subprocess.run(tight, env=dict(prepared.env), capture_output=True, text=True, check=False)
    assert done.returncode == 126
    assert done.stderr.startswith("The server was not started, because it could not be confined")
    assert done.stdout == ""


def test_the_report_says_what_is_enforced(temporary: Path) -> None:
    report = confined("", EVERYTHING_OFF, temporary).report
    assert (report["files"], report["network"], report["memory"]) == ("enforced", "enforced", "none")
    assert confined("", Allowed(), temporary).report["network"] == "none"
