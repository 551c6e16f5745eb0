"""Makes processes like a kernel, each with plugins open on its engine's thread. Forks them, as imports take seconds.

Reads lines `MARKER SERVERS HOW` and writes `begun PID` for each, and `ready PID` when its servers are up. HOW is
what it does then: `wait`, or one of the ways to end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time

from tests.plugins.support import MARKER
from tests.plugins.transports.servers import Log, unruly
from valechat.engine import engine
from valechat.plugins.transports.stdio import stdio

CHILDREN = "plain,setsid,double"


async def own(marker: str, ready: asyncio.Event, leaving: asyncio.Event) -> None:
    """A server's owner, until told to crash."""
    definition = unruly("--children", CHILDREN, "--stubborn", marker=marker)
    async with stdio(definition, Log().context) as link:
        # An answer shows that the server and its children are up.
        await link.write.send(_ping())
        await link.read.receive()
        ready.set()
        await leaving.wait()
        raise RuntimeError("The owner crashed.")


async def plugins(marker: str, servers: int) -> tuple[list[asyncio.Task[None]], asyncio.Event]:
    leaving = asyncio.Event()
    events = [asyncio.Event() for _ in range(servers)]
    tasks = [asyncio.create_task(own(marker, event, leaving)) for event in events]
    await asyncio.gather(*(event.wait() for event in events))
    return tasks, leaving


async def crash(tasks: list[asyncio.Task[None]], leaving: asyncio.Event) -> None:
    leaving.set()
    await asyncio.gather(*tasks, return_exceptions=True)


def kernel(marker: str, servers: int, how: str) -> None:
    # Also under nohup, which passes on that SIGHUP is ignored.
    for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    tasks, leaving = engine().run(plugins(marker, servers))
    if how == "forked":
        fork_copies()
    say(f"ready {os.getpid()}")
    match how:
        case "os._exit":
            os._exit(3)
        case "sys.exit":
            sys.exit()
        case "thread":
            threading.Thread(target=os._exit, args=(1,)).start()
        case "crash":
            engine().run(crash(tasks, leaving))
            say("crashed")
    time.sleep(600)


def fork_copies() -> None:
    """What outlives the kernel: a copy of it, and a program that was given all its descriptors."""
    if os.fork() == 0:
        time.sleep(30)
        os._exit(0)
    subprocess.Popen(["sleep", "30"], close_fds=False)


def say(line: str) -> None:
    os.write(1, line.encode() + b"\n")


def _ping() -> object:
    from mcp.shared.message import SessionMessage
    from mcp_types import JSONRPCRequest

    return SessionMessage(JSONRPCRequest(jsonrpc="2.0", id=1, method="ping"))


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    say("up")
    while line := sys.stdin.readline():
        marker, servers, how = line.split()
        process = os.fork()
        if process == 0:
            os.environ[f"{MARKER}_KERNEL"] = marker
            kernel(marker, int(servers), how)
        say(f"begun {process}")


if __name__ == "__main__":
    main()
