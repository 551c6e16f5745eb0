"""Ways out of a confinement, tried from inside a real one of each kind, started as every server is."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.sandbox.confinement import Allowed
from valechat.plugins.transports.process import Supervised
from valechat.sandbox import bubblewrap, landlock
from valechat.sandbox.base import Command, Prepared, prepare
from valechat.sandbox.watchdog import Watchdog

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tried with what Linux has")

Wall = Literal["bubblewrap", "landlock"]
WALLS = [
    pytest.param(name, marks=pytest.mark.skipif(bool(module.unavailable()), reason=module.unavailable()))
    for name, module in (("bubblewrap", bubblewrap), ("landlock", landlock))
]
CLOSED = Allowed(file_read=[], file_write=[], network_access=False)


@pytest.fixture(params=WALLS)
def wall(request: pytest.FixtureRequest) -> Wall:
    name: Wall = request.param
    return name


def confined(wall: Wall, code: str, folder: Path, allowed: Allowed = CLOSED, **env: str) -> Prepared:
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    command = Command((sys.executable, "-I", "-c", code), env, str(folder))
    prepared = prepare(command, allowed)
    if wall == "bubblewrap":
        return bubblewrap.confined(prepared, command, allowed)
    return landlock.confined(prepared, command, allowed, temporary)


@asynccontextmanager
async def started(prepared: Prepared) -> AsyncIterator[Supervised]:
    process = await Supervised.start(prepared, plugin="test")
    try:
        yield process
    finally:
        await process.stop()


async def said(prepared: Prepared) -> str:
    """What it printed, started as a server is: under its supervisor."""
    async with started(prepared) as process:
        out = b""
        while piece := await process.stdout.read():
            out += piece
        return out.decode().strip()


TRIED = """
import os, socket, sys
def tried(what, do):
    try:
        if (found := do()) is not None:
            print(what, "WENT THROUGH", found)
    except OSError:
        pass
"""


async def test_every_way_to_a_file_outside_is_closed(wall: Wall, tmp_path: Path) -> None:
    inside, secret = tmp_path / "inside", tmp_path / "secret.txt"
    inside.mkdir()
    secret.write_text("canary")
    (inside / "link").symlink_to(secret)
    (inside / "up").symlink_to("..")
    code = f"""{TRIED}
os.chdir({str(inside)!r})
for path in ("../secret.txt", "link", "up/secret.txt", {str(secret)!r}, "/proc/self/root{secret}",
             "/proc/self/cwd/../secret.txt", "{inside}/../inside/../secret.txt", "//" + {str(secret)!r}):
    # bubblewrap has an empty folder of the server's own where the true one is not seen: what matters is the secret.
    tried(path + " to write", lambda: open(path, "a").write("x") and None)
    tried(path, lambda: "canary" in open(path).read() or None)
tried("hard link", lambda: (os.link({str(secret)!r}, "hard"), "made")[1])
tried("symbolic link", lambda: (os.symlink({str(secret)!r}, "soft"), "canary" in open("soft").read())[1] or None)
for do in (os.unlink, os.rmdir, lambda path: os.rename(path, "mine"), lambda path: os.truncate(path, 0)):
    tried("change", lambda: do({str(secret)!r}))
tried("passwords", lambda: open("/etc/shadow").read())
print("tried")
"""
    allowed = Allowed(file_read=[f"{inside}/**"], file_write=[f"{inside}/**"], network_access=False)
    assert await said(confined(wall, code, tmp_path, allowed)) == "tried"
    assert secret.read_text() == "canary"


async def test_every_way_to_the_network_is_closed(wall: Wall, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "service"))
        unix.listen()
        port = listening.getsockname()[1]
        code = f"""{TRIED}
def connected(family, kind, address):
    with socket.socket(family, kind) as made:
        made.settimeout(2)
        made.connect(address)
        made.send(b"x")
        return "connected"
for address in (("127.0.0.1", {port}), ("192.0.2.1", 443)):
    tried(("TCP", address), lambda: connected(socket.AF_INET, socket.SOCK_STREAM, address))
tried("UDP", lambda: connected(socket.AF_INET, socket.SOCK_DGRAM, ("192.0.2.1", 53)))
tried("TCP 6", lambda: connected(socket.AF_INET6, socket.SOCK_STREAM, ("::1", {port})))
tried("file", lambda: connected(socket.AF_UNIX, socket.SOCK_STREAM, {str(tmp_path / "service")!r}))
tried("DNS", lambda: socket.getaddrinfo("example.com", 443))
print("tried")
"""
        assert await said(confined(wall, code, tmp_path)) == "tried"


async def test_nothing_is_inherited_but_the_three_streams(
    wall: Wall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    secret = tmp_path / "secret.txt"
    secret.write_text("canary")
    with secret.open() as kept:
        os.set_inheritable(kept.fileno(), True)
        code = """
import os
for number in range(3, 300):
    try:
        print(number, os.readlink(f"/proc/self/fd/{number}"))
    except OSError:
        pass
print("canary" in str(os.environ), "canary" in open("/proc/self/environ").read())
"""
        assert await said(confined(wall, code, tmp_path)) == "False False"


async def test_ten_thousand_files_are_not_opened(wall: Wall, tmp_path: Path) -> None:
    code = """
import os
kept = []
try:
    while len(kept) < 10_000:
        kept.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    print(error.strerror, len(kept) < 200)
"""
    allowed = Allowed(file_read=[], network_access=False, open_files=200)
    assert await said(confined(wall, code, tmp_path, allowed)) == "Too many open files True"


async def test_one_process_cannot_have_more_memory_than_allowed(wall: Wall, tmp_path: Path) -> None:
    code = """
try:
    kept = bytearray(400 * 2**20)
    print("had it")
except MemoryError:
    print("refused")
"""
    allowed = Allowed(file_read=[], network_access=False, memory_mb=200)
    assert await said(confined(wall, code, tmp_path, allowed)) == "refused"


HUNGRY: list[tuple[str, dict[str, Any], str]] = [
    ("hold = [b'x' * 2**20 for _ in range(60)]", {"memory_mb": 150}, "of memory"),
    ("", {"processes": 6}, "processes; it may be 6"),
]


@pytest.mark.parametrize(("work", "limit", "reason"), HUNGRY, ids=["memory of many processes", "fork bomb"])
async def test_many_processes_together_are_ended_when_over(
    wall: Wall, work: str, limit: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    code = f"""
import os, sys
for _ in range(8):
    if os.fork() == 0:
        {work or "pass"}
        sys.stdin.read()
        os._exit(0)
sys.stdin.read()
"""
    allowed = Allowed(file_read=[], network_access=False, **limit)
    # The number of processes is the watchdog's here, as it is for root, whose processes Linux does not count.
    prepared = confined(wall, code, tmp_path, Allowed(file_read=[], network_access=False))
    async with started(prepared) as process, asyncio.timeout(20):
        assert reason in await Watchdog(process.pid, allowed).exceeded()
        process.kill()
        await process.ended()


async def test_no_other_process_can_be_read_or_killed(wall: Wall, tmp_path: Path) -> None:
    bystander = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE, env={"CANARY": "secret"}
    )
    code = f"""{TRIED}
import ctypes
for name in ("environ", "mem", "maps", "cwd/x", "root/etc/shadow"):
    tried(name, lambda: open("/proc/{bystander.pid}/" + name).read(10))
tried("descriptors", lambda: os.listdir("/proc/{bystander.pid}/fd"))
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(16, {bystander.pid}, 0, 0) == 0:
    print("ptrace WENT THROUGH")
print("tried")
"""
    assert await said(confined(wall, code, tmp_path)) == "tried"
    bystander.kill()
    await bystander.wait()
