"""What `bench_panel.py` measures in the page: JupyterLab in Chromium, watched from within and by tracing."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from tests.browser.support import chromium  # noqa: E402  # the benchmarks are no package of the project's
from tests.browser.support.kernels import LOCKED, write_kernelspecs  # noqa: E402
from tests.browser.support.page import NotebookPage, write_notebook  # noqa: E402
from tests.browser.support.server import JupyterServer, serve  # noqa: E402

__all__ = ["Lab", "Tasks", "opened"]

# Each frame looks at the last block of each answer for the newest time that a token brought along.
WATCH = """(selector) => {
    const seen = new Map();
    const watch = window.bench = { lags: [], messages: 0, ended: 0, stop: false };
    const app = window.jupyterapp;
    const panel = [...app.shell.widgets("main")].find((w) => w.sessionContext);
    panel.sessionContext.iopubMessage.connect((_, message) => {
        if (message.header.msg_type !== "status") watch.messages += 1;
    });
    const look = () => {
        const now = Date.now();
        let ended = 0;
        for (const answer of document.querySelectorAll(selector)) {
            const blocks = [...answer.children].slice(-3);
            const text = (blocks.length ? blocks : [answer]).map((block) => block.textContent).join(" ");
            const newest = [...text.matchAll(/@(\\d{13})/g)].at(-1)?.[1];
            if (newest && seen.get(answer) !== newest) {
                seen.set(answer, newest);
                watch.lags.push(now - Number(newest));
            }
            if (text.includes("END")) ended += 1;
        }
        watch.ended = ended;
        if (!watch.stop) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""


@dataclass(frozen=True, slots=True)
class Tasks:
    """The page's main thread while it was traced.

    Attributes:
        longest: Milliseconds by the clock of its longest task, which other programs' use of the processor stretches.
        over: Tasks of more than 50 ms by the clock.
        longest_cpu: Milliseconds of processor time of the task that took most of it.
        over_cpu: Tasks of more than 50 ms of processor time.
        cpu: Milliseconds of processor time of all tasks.
        painting_cpu: Of those between the page's marks `arrived` and `painted`.
    """

    longest: float
    over: int
    longest_cpu: float
    over_cpu: int
    cpu: float
    painting_cpu: float


class Lab:
    """One JupyterLab and one browser, for notebooks one after the other."""

    def __init__(self, browser: Browser, server: JupyterServer) -> None:
        self.browser = browser
        self._server = server
        self._number = 0

    @asynccontextmanager
    async def notebook(self, cells: Sequence[str]) -> AsyncIterator[NotebookPage]:
        """A notebook with these cells, whose kernel finds what the benchmark finds."""
        self._number += 1
        path = self._server.root / f"bench-{self._number}.ipynb"
        places = [*dict.fromkeys([str(HERE), *sys.path])]
        first = f"import sys\nsys.path[:0] = {places!r}\nfrom _panel_kernel import *"
        write_notebook(path, [first, *cells], LOCKED)
        context = await self.browser.new_context(viewport={"width": 1280, "height": 900})
        notebook = NotebookPage(await context.new_page(), self._server, path)
        await notebook.open()
        await notebook.run(0)
        yield notebook
        await context.close()
        sessions = self._server.call("GET", "sessions")
        assert isinstance(sessions, list)
        for session in sessions:
            self._server.call("DELETE", f"sessions/{session['id']}")

    @asynccontextmanager
    async def traced(self, notebook: NotebookPage) -> AsyncIterator[list[Tasks]]:
        """What the main thread did meanwhile; the list is filled at the end."""
        found: list[Tasks] = []
        await self.browser.start_tracing(page=notebook.page, categories=["toplevel", "blink.user_timing"])
        try:
            yield found
        finally:
            found.append(_tasks(await self.browser.stop_tracing()))


@asynccontextmanager
async def opened() -> AsyncIterator[Lab]:
    """A JupyterLab of its own, in a folder that goes with it."""
    with tempfile.TemporaryDirectory() as place:
        kernelspecs = write_kernelspecs(Path(place) / "kernels")
        async with serve("lab", Path(place) / "lab", kernelspecs) as server, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.SWITCHES))
            yield Lab(browser, server)
            await browser.close()


def _tasks(trace: bytes) -> Tasks:
    events: list[dict[str, Any]] = json.loads(trace)["traceEvents"]
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    marks = {event["name"]: event["ts"] for event in events if event["name"] in ("arrived", "painted")}
    first, last = marks.get("arrived", 0.0), marks.get("painted", 0.0)
    by_thread: dict[tuple[int, int], list[tuple[float, float, bool]]] = {thread: [] for thread in main}
    for event in events:
        thread = (event["pid"], event["tid"])
        if thread in main and event["ph"] == "X" and event["name"].endswith("RunTask"):
            between = event["ts"] + event["dur"] > first and event["ts"] < last
            by_thread[thread].append((event["dur"] / 1000, event.get("tdur", 0) / 1000, between))
    # Other renderers, of an empty tab for example, do next to nothing.
    tasks = max(by_thread.values(), key=lambda some: sum(cpu for _, cpu, _ in some))
    clock, cpu = [one for one, _, _ in tasks], [one for _, one, _ in tasks]
    return Tasks(
        longest=max(clock, default=0),
        over=sum(one > 50 for one in clock),
        longest_cpu=max(cpu, default=0),
        over_cpu=sum(one > 50 for one in cpu),
        cpu=sum(cpu),
        painting_cpu=sum(one for _, one, between in tasks if between),
    )
