"""What a server inside bubblewrap cannot do, each tried for real, and what it still can."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sandbox.confinement import Allowed, canary, program, said
from valechat.errors import ConfigError
from valechat.sandbox import bubblewrap
from valechat.sandbox.base import Command, Prepared, prepare

pytestmark = pytest.mark.skipif(bool(bubblewrap.unavailable()), reason=bubblewrap.unavailable())

AS_NOBODY = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] if os.getuid() == 0 else []
"""Root's processes are not counted."""

EVERYTHING_OFF = Allowed(file_read=[], file_write=[], network_access=False)


def confined(code: str, allowed: Allowed, *, env: dict[str, str] | None = None, cwd: Path | None = None) -> Prepared:
    command = Command(program(code), env or {}, str(cwd or Path.cwd()))
    return bubblewrap.confined(prepare(command, allowed), command, allowed)


def run(code: str, allowed: Allowed = EVERYTHING_OFF) -> str:
    return said(confined(code, allowed))


def test_a_program_runs_and_can_use_its_own_libraries_and_a_temporary_folder() -> None:
    code = "import json, ssl, tempfile; tempfile.TemporaryFile().write(b'x'); print('ran')"
    assert run(code) == "ran"


def test_a_file_outside_the_list_is_not_there(tmp_path: Path) -> None:
    assert "No such file" in run(f"print(open({str(canary(tmp_path))!r}).read())")


def test_a_file_in_the_list_can_be_read_and_not_written(tmp_path: Path) -> None:
    allowed = replace(EVERYTHING_OFF, file_read=[f"{tmp_path}/**"])
    file = canary(tmp_path)
    assert run(f"print(open({str(file)!r}).read())", allowed) == "canary"
    assert "Read-only file system" in run(f"open({str(file)!r}, 'w')", allowed)


def test_a_folder_that_may_be_written_can_be(tmp_path: Path) -> None:
    run(f"open({str(tmp_path / 'new')!r}, 'w').write('x')", replace(EVERYTHING_OFF, file_write=[f"{tmp_path}/**"]))
    assert (tmp_path / "new").read_text() == "x"


def test_everything_can_be_read_where_only_writing_is_limited(tmp_path: Path) -> None:
    file = canary(tmp_path)
    allowed = Allowed(file_write=[])
    assert run(f"print(open({str(file)!r}).read())", allowed) == "canary"
    assert "Read-only file system" in run(f"open({str(file)!r}, 'w')", allowed)


def test_a_symbolic_link_in_an_allowed_folder_leads_nowhere_outside_it(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(canary(tmp_path))
    allowed = replace(EVERYTHING_OFF, file_read=[f"{inside}/**"])
    assert "No such file" in run(f"print(open({str(inside / 'link')!r}).read())", allowed)


def test_two_dots_lead_nowhere_outside_an_allowed_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    canary(tmp_path)
    allowed = replace(EVERYTHING_OFF, file_read=[f"{inside}/**"])
    assert "No such file" in run(f"print(open('{inside}/../secret.txt').read())", allowed)


def test_an_allowed_folder_may_be_named_by_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    canary(real)
    link.symlink_to(real)
    allowed = replace(EVERYTHING_OFF, file_read=[f"{link}/**"])
    assert run(f"print(open('{link}/secret.txt').read())", allowed) == "canary"


def test_a_pattern_stands_for_what_matches_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    canary(tmp_path)
    allowed = replace(EVERYTHING_OFF, file_read=[f"{tmp_path}/*.csv"])
    assert run(f"print(os.listdir({str(tmp_path)!r}))", allowed) == "['a.csv']"


def test_home_is_empty_but_for_what_is_allowed(tmp_path: Path) -> None:
    canary(tmp_path)
    assert (
        said(confined("print(os.listdir(os.path.expanduser('~')))", EVERYTHING_OFF, env={"HOME": str(tmp_path)}))
        == "[]"
    )


def test_passwords_of_the_system_are_not_there() -> None:
    assert "No such file" in run("open('/etc/shadow')")


@pytest.fixture
def service() -> Iterator[int]:
    """Another program's service on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize("allowed", [EVERYTHING_OFF, Allowed(network_access=False)], ids=["no files", "all files"])
def test_no_service_on_this_machine_can_be_reached(service: int, allowed: Allowed) -> None:
    assert "refused" in run(f"socket.create_connection(('127.0.0.1', {service}), 5)", allowed)


def test_no_other_machine_can_be_reached_by_tcp() -> None:
    assert "unreachable" in run("socket.create_connection(('192.0.2.1', 443), 5)")


def test_no_other_machine_can_be_reached_by_udp() -> None:
    assert "unreachable" in run("socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))")


def test_no_name_can_be_looked_up() -> None:
    assert "gaierror" in run("socket.getaddrinfo('example.com', 443)")


def test_no_socket_without_a_file_can_be_reached() -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("\0valechat-canary")
        listening.listen()
        assert "refused" in run("socket.socket(socket.AF_UNIX).connect('\\0valechat-canary')")


def test_a_server_that_may_use_the_network_can(service: int) -> None:
    code = f"socket.create_connection(('127.0.0.1', {service}), 5); print('connected')"
    assert run(code, replace(EVERYTHING_OFF, network_access=True)) == "connected"


@pytest.fixture
def bystander() -> Iterator[int]:
    """A process of the same user that has nothing to do with the server."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={"CANARY": "secret"})
    yield process.pid
    assert process.poll() is None
    process.communicate(b"\n")


def test_other_processes_cannot_be_seen(bystander: int) -> None:
    assert run(
        f"print([int(name) for name in os.listdir('/proc') if name.isdigit()] == [1, 2], {bystander})"
    ).startswith("True")


def test_other_processes_cannot_be_killed(bystander: int) -> None:
    assert "No such process" in run(f"os.kill({bystander}, signal.SIGKILL)", Allowed(network_access=False))


def test_other_processes_cannot_be_traced(bystander: int) -> None:
    attached = (
        f"libc = ctypes.CDLL(None, use_errno=True); print(libc.ptrace(16, {bystander}, 0, 0), ctypes.get_errno())"
    )
    assert run(attached, Allowed(network_access=False)) == "-1 3"


def test_the_environment_of_others_cannot_be_read(bystander: int) -> None:
    assert "No such file" in run(f"open('/proc/{bystander}/environ')", Allowed(network_access=False))


def test_a_key_in_the_environment_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    assert run("print('sk-canary' in str(os.environ), open('/proc/self/environ').read().count('canary'))") == "False 0"


def test_the_environment_of_bubblewrap_itself_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    assert "sk-canary" not in run("print(open('/proc/1/environ').read())")


def test_nothing_may_become_root_or_mount() -> None:
    assert run("libc = ctypes.CDLL(None); print(libc.mount(b'/', b'/tmp', None, 4096, None))") in ("-1", "exit 1")
    assert "not permitted" in run("os.chroot('/')")


def test_a_fork_bomb_ends_at_its_limit() -> None:
    bomb = "for i in $(seq 200); do sleep 20 & done"
    allowed = replace(EVERYTHING_OFF, processes=40)
    command = Command(("/bin/bash", "-c", bomb), {}, "/")
    prepared = bubblewrap.confined(prepare(command, allowed), command, allowed)
    done = subprocess.run(
        [*AS_NOBODY, *prepared.argv], env=dict(prepared.env), cwd="/", capture_output=True, text=True, check=False
    )
    assert "Resource temporarily unavailable" in done.stderr


def test_nothing_outlives_bubblewrap(tmp_path: Path) -> None:
    code = f"""
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import time; time.sleep(1); open({str(tmp_path / "late")!r}, "w")
        os._exit(0)
    os._exit(0)
print('left')
"""
    assert run(code, replace(EVERYTHING_OFF, file_write=[f"{tmp_path}/**"])) == "left"
    threading.Event().wait(1.5)
    assert not (tmp_path / "late").exists()


def test_the_report_says_what_is_enforced() -> None:
    report = confined("", EVERYTHING_OFF).report
    assert (report["files"], report["network"], report["memory"]) == ("enforced", "enforced", "none")
    assert confined("", Allowed(memory_mb=10)).report["files"] == "none"


def test_a_path_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ConfigError, match="`/nowhere/at/all` in `file_read` does not exist"):
        confined("", replace(EVERYTHING_OFF, file_read=["/nowhere/at/all"]))


def test_a_relative_path_is_an_error() -> None:
    with pytest.raises(ConfigError, match="not an absolute path"):
        confined("", replace(EVERYTHING_OFF, file_write=["data/**"]))


def test_the_working_folder_is_the_commands_where_it_may_be_seen(tmp_path: Path) -> None:
    seen = confined("print(os.getcwd())", replace(EVERYTHING_OFF, file_read=[str(tmp_path)]), cwd=tmp_path)
    assert said(seen) == os.fspath(tmp_path)
    assert said(confined("print(os.getcwd())", EVERYTHING_OFF, cwd=tmp_path)) == "/dev/shm"
