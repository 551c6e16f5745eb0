"""What a plugin costs through ValeChat, beside the MCP SDK's own stdio transport with the same server.

    python benchmarks/bench_plugins.py [--rounds 7] [--calls 300] [--servers 20]

Each round asks every way once, beginning with another one each time; the first round is not counted.
Ratios are taken within a round, so that what else the machine does weighs on all alike. Prints Markdown;
benchmarks/README.md keeps what one run printed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
import time
from _statistics import table
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

SERVER = [sys.executable, "-I", "-S", str(Path(__file__).with_name("_mcpserver.py"))]
BIG = 20_000_000
AT_ONCE = 32
FLOOR = "sdk"

Call = Callable[[str, Mapping[str, Any]], Awaitable[str]]


@asynccontextmanager
async def sdk() -> AsyncIterator[Call]:
    """The SDK's transport and session, as its documentation shows them."""
    from mcp import ClientSession
    from mcp.client.stdio import StdioServerParameters, stdio_client

    async with (
        stdio_client(StdioServerParameters(command=SERVER[0], args=SERVER[1:])) as (read, write),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield _calling(session)


@asynccontextmanager
async def transport() -> AsyncIterator[Call]:
    """ValeChat's transport below the SDK's session."""
    from mcp import ClientSession

    from valechat.paths import user_paths
    from valechat.plugins.config import parse
    from valechat.plugins.transports import open_transport
    from valechat.plugins.transports.base import Context

    definition = parse({"id": "bench", "command": SERVER[0], "args": SERVER[1:]})
    context = Context(user_paths(), lambda source, level, text: None)
    async with open_transport(definition, context) as link, ClientSession(link.read, link.write) as session:
        await session.initialize()
        yield _calling(session)


@asynccontextmanager
async def manager() -> AsyncIterator[Call]:
    """All of it: configuration, states, tools listed and checked, answers turned into values."""
    from valechat.services import services

    plugins = services().plugins
    await plugins.add({"id": "bench", "command": SERVER[0], "args": SERVER[1:]})

    async def call(tool: str, arguments: Mapping[str, Any]) -> str:
        return (await plugins.call_tool("bench", tool, arguments)).text

    try:
        yield call
    finally:
        await plugins.remove("bench")
        await plugins.shutdown()


WAYS = {
    "sdk": ("MCP SDK, `stdio_client`", sdk),
    "transport": ("ValeChat's transport, the SDK's session", transport),
    "manager": ("ValeChat, `plugins.call_tool`", manager),
}


def _calling(session: Any) -> Call:
    async def call(tool: str, arguments: Mapping[str, Any]) -> str:
        answer = await session.call_tool(tool, dict(arguments))
        text: str = answer.content[0].text
        return text

    return call


async def measured(name: str, calls: int) -> dict[str, float]:
    """Everything about one server."""
    _, opening = WAYS[name]
    found = {}
    begun = time.perf_counter()
    async with opening() as call:
        found["start_ms"] = (time.perf_counter() - begun) * 1000
        for _ in range(20):
            await call("echo", {"text": "warm"})

        begun, used = time.perf_counter(), time.process_time()
        for number in range(calls):
            assert await call("echo", {"text": str(number)}) == str(number)
        found["call_us"] = (time.perf_counter() - begun) / calls * 1e6
        found["cpu_us"] = (time.process_time() - used) / calls * 1e6

        begun = time.perf_counter()
        for first in range(0, calls, AT_ONCE):
            await asyncio.gather(*(call("echo", {"text": "x"}) for _ in range(first, min(first + AT_ONCE, calls))))
        found["together_us"] = (time.perf_counter() - begun) / calls * 1e6

        begun = time.perf_counter()
        async with _stalls() as stalls:
            assert len(await call("big", {"bytes": BIG})) == BIG
        found["big_ms"] = (time.perf_counter() - begun) * 1000
        found["stall_ms"] = max(stalls) * 1000
        begun = time.perf_counter()
    found["stop_ms"] = (time.perf_counter() - begun) * 1000
    return found


@asynccontextmanager
async def _stalls() -> AsyncIterator[list[float]]:
    """How long the loop kept another task waiting, in seconds."""
    found = [0.0]

    async def watch() -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.001)
            found.append(time.perf_counter() - begun - 0.001)

    watching = asyncio.create_task(watch())
    try:
        yield found
        await asyncio.sleep(0.002)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def many(name: str, servers: int) -> dict[str, float]:
    """Seconds to start so many servers at once, each greeted, and to stop them."""
    _, opening = WAYS[name]
    up, leaving = asyncio.Queue[None](), asyncio.Event()

    async def own() -> None:
        async with opening():
            up.put_nowait(None)
            await leaving.wait()

    begun = time.perf_counter()
    owners = [asyncio.create_task(own()) for _ in range(servers)]
    for _ in owners:
        await up.get()
    started = time.perf_counter()
    leaving.set()
    await asyncio.gather(*owners)
    return {"start_s": started - begun, "stop_s": time.perf_counter() - started}


async def many_managed(servers: int) -> dict[str, float]:
    """The same through one manager, as a kernel does it."""
    from valechat.services import services

    plugins = services().plugins
    names = [f"bench{number}" for number in range(servers)]
    for name in names:
        await plugins.add({"id": name, "command": SERVER[0], "args": SERVER[1:], "enabled": False})
    begun = time.perf_counter()
    await plugins.ensure(names)
    started = time.perf_counter()
    assert {plugins.status(name).state for name in names} == {"running"}
    begun_stop = time.perf_counter()
    await plugins.shutdown()
    stopped = time.perf_counter()
    for name in names:
        await plugins.remove(name)
    return {"start_s": started - begun, "stop_s": stopped - begun_stop}


async def rounds(options: argparse.Namespace) -> tuple[Any, Any]:
    """Measurements of one server and of many, one a round."""
    one: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    several: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    names = list(WAYS)
    for number in range(options.rounds + 1):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            alone = await measured(name, options.calls)
            together = await (many_managed(options.servers) if name == "manager" else many(name, options.servers))
            if number:
                one[name].append(alone)
                several[name].append(together)
    return one, several


ONE_HEAD = ("", "start, ms", "a call, µs", "× SDK", "its CPU, µs", "× SDK", f"{AT_ONCE} at once, µs each", "× SDK")
BIG_HEAD = ("", "20 MB, ms", "× SDK", "longest stall of the loop, ms", "stop, ms")


def report(one: Mapping[str, Any], several: Mapping[str, Any], servers: int) -> None:
    """The tables."""
    lines, big, many_lines = [], [], []
    for name, (label, _) in WAYS.items():
        had, floor = one[name], one[FLOOR]
        lines.append([label, _middle(had, "start_ms"), *_pair(had, floor, "call_us", "cpu_us", "together_us")])
        big.append([label, *_pair(had, floor, "big_ms"), _middle(had, "stall_ms"), _middle(had, "stop_ms")])
        many_lines.append([label, *_pair(several[name], several[FLOOR], "start_s", "stop_s", form="{:.2f}")])
    print(f"### One server\n\n{table(ONE_HEAD, lines)}\n")
    print(f"### An answer of 20 MB\n\n{table(BIG_HEAD, big)}\n")
    head = ("", "until all answer, s", "× SDK", "until all are gone, s", "× SDK")
    print(f"### {servers} servers at once\n\n{table(head, many_lines)}\n")


def _pair(had: Sequence[Any], floor: Sequence[Any], *keys: str, form: str = "{:,.0f}") -> list[str]:
    """Medians, each with its ratio to the floor's in the same round: the median, and where all lie."""
    cells = []
    for key in keys:
        ratios = [mine[key] / least[key] for mine, least in zip(had, floor, strict=True)]
        cells += [_middle(had, key, form), f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"]
    return cells


def _middle(had: Sequence[Any], key: str, form: str = "{:,.0f}") -> str:
    return form.format(median(one[key] for one in had))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="how often each way is measured")
    parser.add_argument("--calls", type=int, default=300, help="calls in a row")
    parser.add_argument("--servers", type=int, default=20, help="servers at once")
    options = parser.parse_args()
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine}, mcp {version('mcp')}.")
    print(f"Load average {os.getloadavg()[0]:.1f} at the start.\n" if hasattr(os, "getloadavg") else "")
    with tempfile.TemporaryDirectory() as home:
        os.environ["VALECHAT_HOME"] = home
        report(*asyncio.run(rounds(options)), options.servers)


if __name__ == "__main__":
    main()
