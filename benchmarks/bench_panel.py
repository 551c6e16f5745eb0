"""How fast the panel is, beside the naive way and chatlas in the same JupyterLab.

    python benchmarks/bench_panel.py [--seconds 10] [--rounds 3] [--messages 10000] [--turns 240] [--only NAME]

Prints Markdown; benchmarks/README.md keeps what one run printed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
from _statistics import table
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from statistics import median, quantiles
from typing import Any

from _panel_page import WATCH, Lab, Tasks, opened

SELECTORS = {"ValeChat": ".vc-answer .vc-md", "naive": ".bench-naive", "chatlas": ".jp-RenderedMarkdown"}
RATE = 200
PATIENCE = 15.0

SCROLL = """async () => {
    const log = document.querySelector(".vc-log");
    let nodes = 0;
    for (let i = 0; i < 300; i += 1) {
        log.scrollTop -= 120;
        await new Promise((done) => requestAnimationFrame(done));
        nodes = Math.max(nodes, document.querySelectorAll(".vc-panel *").length);
    }
    return nodes;
}"""

# From the kernel's state to the frame after the rows are there.
PAINT = """() => {
    const app = window.jupyterapp;
    const panel = [...app.shell.widgets("main")].find((w) => w.sessionContext);
    window.bench = {};
    panel.sessionContext.iopubMessage.connect((_, message) => {
        if (message.content?.data?.content?.type !== "state" || window.bench.arrived) return;
        window.bench.arrived = performance.now();
        performance.mark("arrived");
        const look = () => {
            const there = document.querySelector(".vc-row");
            requestAnimationFrame(() => {
                if (!there) return look();
                window.bench.painted = performance.now();
                performance.mark("painted");
            });
        };
        look();
    });
}"""


@dataclass(frozen=True, slots=True)
class Streamed:
    """One way's measurement of answers that arrive."""

    lags: list[float]
    messages: float
    complete: str
    ticks: int
    tasks: Tasks


async def stream(lab: Lab, way: str, streams: int, seconds: float, start: int = 0) -> Streamed:
    """Let answers arrive, and watch."""
    cells = [
        f"way = WAYS[{way!r}]()\nway.show({streams})",
        f"thread = feed(way, {streams}, {RATE}, {seconds}, {start})",
    ]
    async with lab.notebook(cells) as notebook:
        page = notebook.page
        await notebook.run(1)
        await page.wait_for_timeout(1500)
        await page.evaluate(WATCH, SELECTORS[way])
        if start:
            await notebook.run(2)
            await page.wait_for_timeout(1900)
        async with lab.traced(notebook) as tasks:
            before = await page.evaluate("window.bench.messages")
            begun = asyncio.get_running_loop().time()
            if not start:
                await notebook.run(2)
            while (passed := asyncio.get_running_loop().time() - begun) < seconds + PATIENCE:
                await asyncio.sleep(0.25)
                if await page.evaluate("window.bench.ended") == streams:
                    break
        found: dict[str, Any] = await page.evaluate("() => { window.bench.stop = true; return window.bench; }")
        ticks = found["messages"] - before
        ended = f"{found['ended']} of {streams}"
        return Streamed(found["lags"], ticks / min(passed, seconds), ended, ticks, tasks[0])


async def streams(lab: Lab, ways: list[str], how: argparse.Namespace, count: int, start: int = 0) -> str:
    """A table of all ways, one after the other in each round."""
    rounds, seconds = how.rounds, how.seconds
    found: dict[str, list[Streamed]] = {way: [] for way in ways}
    for number in range(rounds):
        for way in [*ways[number % len(ways) :], *ways[: number % len(ways)]]:
            found[way].append(await stream(lab, way, count, seconds, start))
    head = [
        "",
        "lag p50, ms",
        "lag p99, ms",
        "longest task, ms",
        "of processor time",
        "tasks > 50 ms",
        "of processor time",
        "processor ms in all",
        "ms a message",
        "messages/s",
        "complete",
        "processor × ValeChat",
    ]
    lines = []
    for way in ways:
        some = found[way]
        lags = sorted(lag for one in some for lag in one.lags)
        cuts = quantiles(lags, n=100) if len(lags) > 1 else [float("nan")] * 99
        ratio = median(one.tasks.cpu / base.tasks.cpu for one, base in zip(some, found[ways[0]], strict=True))
        lines.append(
            [
                way,
                f"{cuts[49]:.0f}",
                f"{cuts[98]:.0f}",
                f"{max(one.tasks.longest for one in some):.0f}",
                f"{max(one.tasks.longest_cpu for one in some):.0f}",
                f"{median(one.tasks.over for one in some):.0f}",
                f"{median(one.tasks.over_cpu for one in some):.0f}",
                f"{median(one.tasks.cpu for one in some):.0f}",
                f"{median(one.tasks.cpu / max(1, one.ticks) for one in some):.1f}",
                f"{median(one.messages for one in some):.0f}",
                ", ".join(one.complete for one in some),
                f"{ratio:.1f}",
            ]
        )
    return table(head, lines)


async def long(lab: Lab, messages: int) -> str:
    """Opening a long conversation, scrolling it, and going to its beginning."""
    lines = []
    async with lab.notebook([f"chat = long_conversation({messages})", "chat"]) as notebook:
        page = notebook.page
        await notebook.run(1)
        await page.evaluate(PAINT)
        async with lab.traced(notebook) as opening:
            begun = await page.evaluate("performance.now()")
            await notebook.run(2, wait=False)
            await page.wait_for_function("window.bench.painted", timeout=60_000)
            await page.wait_for_timeout(1500)
        bench = await page.evaluate("window.bench")
        nodes = await page.evaluate("document.querySelectorAll('.vc-panel *').length")
        async with lab.traced(notebook) as scrolling:
            most = await page.evaluate(SCROLL)
        async with lab.traced(notebook) as climbing:
            start = await page.evaluate("performance.now()")
            await page.locator(".vc-log").focus()
            await page.keyboard.press("Home")
            await page.wait_for_selector('.vc-row article[aria-posinset="1"]', timeout=120_000)
            climbed = await page.evaluate("performance.now()") - start
        painted = (
            f"painted {bench['painted'] - bench['arrived']:.0f} ms after the state arrived (of processor time: "
            f"{opening[0].painting_cpu:.0f}), {bench['painted'] - begun:.0f} ms after the cell ran; {nodes:,} nodes"
        )
        for what, tasks, text in (
            ("opening", opening[0], painted),
            ("scrolling 300 × 120 px", scrolling[0], f"at most {most:,} nodes"),
            ("to the first message", climbing[0], f"{climbed / 1000:.1f} s"),
        ):
            lines.append([f"ValeChat, {what}", *_times(tasks), text])
    async with lab.notebook([f"messages = long_list({messages})", "messages"]) as notebook:
        await notebook.run(1)
        async with lab.traced(notebook) as opening:
            await notebook.run(2, wait=False)
            await notebook.page.wait_for_function("window.benchList", timeout=240_000)
        bench = await notebook.page.evaluate("window.benchList")
        text = f"painted {bench['paint']:.0f} ms after the texts arrived; {bench['nodes']:,} nodes"
        lines.append(["naive, opening", *_times(opening[0]), text])
    return table(["", "longest task, ms", "of processor time", "tasks > 50 ms", "of processor time", ""], lines)


async def memory(lab: Lab, turns: int) -> str:
    """What the page keeps after many turns."""
    parts = 4
    cells = ["way = WAYS['ValeChat']()\nway.show(1)", f"turns(way, {turns // parts}, 400).join()"]
    lines = []
    async with lab.notebook(cells) as notebook:
        await notebook.run(1)
        session = await notebook.page.context.new_cdp_session(notebook.page)
        await session.send("Performance.enable")
        for done in range(parts + 1):
            if done:
                await notebook.run(2)
                await notebook.page.wait_for_timeout(1500)
            for _ in range(2):
                await session.send("HeapProfiler.collectGarbage")
            metrics = {one["name"]: one["value"] for one in (await session.send("Performance.getMetrics"))["metrics"]}
            nodes = await notebook.page.evaluate("document.querySelectorAll('.vc-panel *').length")
            lines.append(
                [
                    str(done * (turns // parts)),
                    f"{metrics['JSHeapUsedSize'] / 1e6:.1f}",
                    f"{metrics['Nodes']:,.0f}",
                    f"{nodes:,}",
                ]
            )
    return table(["turns", "heap, MB", "nodes, detached ones too", "nodes in the panel"], lines)


def _times(tasks: Tasks) -> list[str]:
    return [f"{tasks.longest:.0f}", f"{tasks.longest_cpu:.0f}", str(tasks.over), str(tasks.over_cpu)]


def _has(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        print(f"{package} is not installed and left out.\n")
        return False


async def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--turns", type=int, default=240)
    parser.add_argument("--only", choices=["eight", "one", "long", "memory"])
    how = parser.parse_args()
    ways = ["ValeChat", "naive", *(["chatlas"] if _has("chatlas") else [])]
    print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.platform()}, Python {platform.python_version()},")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors at the start.\n")
    async with opened() as lab:
        print(f"Chromium {lab.browser.version}, JupyterLab {version('jupyterlab')}.\n")
        if how.only in (None, "eight"):
            print(f"Eight answers at once, {RATE} tokens a second each, {how.seconds:.0f} s:\n")
            print(await streams(lab, ways, how, 8), "\n", flush=True)
        if how.only in (None, "one"):
            print(f"One answer of 50 KB that goes on, {RATE} tokens a second, {how.seconds:.0f} s:\n")
            print(await streams(lab, ways, how, 1, 50_000), "\n", flush=True)
        if how.only in (None, "long"):
            print(f"A conversation of {how.messages:,} messages:\n")
            print(await long(lab, how.messages), "\n", flush=True)
        if how.only in (None, "memory"):
            print(f"{how.turns} answers of 400 tokens, one after the other:\n")
            print(await memory(lab, how.turns), "\n", flush=True)
    print(f"Load average at the end {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    asyncio.run(main())
