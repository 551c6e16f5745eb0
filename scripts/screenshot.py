"""Take the documentation's pictures in a real JupyterLab.

.venv/bin/python -m scripts.screenshot docs/images
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright, expect

from tests.browser.support import chromium
from tests.browser.support.kernels import LOCKED, write_kernelspecs
from tests.browser.support.page import NotebookPage, write_notebook
from tests.browser.support.panel import ChatPanel
from tests.browser.support.server import JupyterServer, serve
from valechat.plugins.catalogue import entries
from valechat.plugins.file import PluginsFile

PANEL = [
    'import valechat\n\nchat = valechat.Chat("demo/echo")\nchat',
    'valechat.sql("SELECT model, input_tokens, output_tokens, cost, status FROM usage")',
]
PLUGINS = ["import valechat\n\nvalechat.plugin_manager()"]


@asynccontextmanager
async def opened(
    browser: Browser, server: JupyterServer, name: str, cells: Sequence[str], height: int
) -> AsyncIterator[NotebookPage]:
    """A notebook in a window of its own, the file browser folded away."""
    context = await browser.new_context(viewport={"width": 1100, "height": height}, device_scale_factor=1.5)
    path = server.root / name
    write_notebook(path, cells, LOCKED)
    notebook = NotebookPage(await context.new_page(), server, path)
    await notebook.open()
    await notebook.page.keyboard.press("Control+b")
    await notebook.run(0)
    yield notebook
    await context.close()


async def take_panel(browser: Browser, server: JupyterServer, target: Path) -> None:
    """Ask a question in a fresh notebook, and query its row."""
    async with opened(browser, server, "penguins.ipynb", PANEL, 1010) as notebook:
        panel = ChatPanel(notebook, 0)
        await panel.ask("Which columns of my DataFrame have missing values?")
        await panel.finished()
        await notebook.run(1)
        await notebook.page.wait_for_timeout(500)
        await notebook.page.screenshot(path=target)


async def take_plugins(browser: Browser, server: JupyterServer, target: Path) -> None:
    """Three plugins of the catalogue, one without its token; a tool of one is tried."""
    known = {entry.id: entry for entry in entries()}
    file = PluginsFile(server.home / "mcp_plugins.json")
    file.add(known["time"].definition({}))
    file.add(known["filesystem"].definition({"folders": [str(server.root)]}))
    file.add(known["github"].definition({}, known=["GITHUB_PERSONAL_ACCESS_TOKEN"]))
    async with opened(browser, server, "plugins.ipynb", PLUGINS, 1180) as notebook:
        manager = notebook.cell(0).locator(".vcp")
        card = manager.get_by_role("article", name=known["time"].name)
        await expect(card).to_contain_text("Running", timeout=120_000)
        await expect(manager.get_by_role("article", name=known["filesystem"].name)).to_contain_text(
            "Running", timeout=120_000
        )
        await card.get_by_text("Tools (2)").click()
        await card.get_by_role("button", name="Try get_current_time").click()
        await card.get_by_label("timezone").fill("Europe/Berlin")
        await card.get_by_role("button", name="Run").click()
        await expect(card.get_by_role("region", name="Result")).to_contain_text("Berlin")
        await notebook.page.wait_for_timeout(500)
        await notebook.page.screenshot(path=target)


async def take(folder: Path) -> None:
    """Take all of them into a folder that exists."""
    with tempfile.TemporaryDirectory() as place:
        kernelspecs = write_kernelspecs(Path(place) / "kernels")
        async with serve("lab", Path(place) / "lab", kernelspecs) as server, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.SWITCHES))
            await take_panel(browser, server, folder / "panel.png")
            await take_plugins(browser, server, folder / "plugins.png")
            await browser.close()


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1])))
