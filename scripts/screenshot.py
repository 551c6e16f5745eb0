"""Take README's picture: the panel in a real JupyterLab, and its cost in the next cell.

.venv/bin/python -m scripts.screenshot docs/images/panel.png
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright

from tests.browser.support import chromium
from tests.browser.support.kernels import LOCKED, write_kernelspecs
from tests.browser.support.page import NotebookPage, write_notebook
from tests.browser.support.panel import ChatPanel
from tests.browser.support.server import serve

CELLS = [
    'import valechat\n\nchat = valechat.Chat("demo/echo")\nchat',
    'valechat.sql("SELECT model, input_tokens, output_tokens, cost, status FROM usage")',
]


async def take(target: Path) -> None:
    """Ask a question in a fresh notebook, query its row, and save the window's picture."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        kernelspecs = write_kernelspecs(Path(folder) / "kernels")
        async with serve("lab", Path(folder) / "lab", kernelspecs) as server, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.SWITCHES))
            context = await browser.new_context(viewport={"width": 1100, "height": 1010}, device_scale_factor=1.5)
            path = server.root / "penguins.ipynb"
            write_notebook(path, CELLS, LOCKED)
            notebook = NotebookPage(await context.new_page(), server, path)
            await notebook.open()
            await notebook.page.keyboard.press("Control+b")
            await notebook.run(0)
            panel = ChatPanel(notebook, 0)
            await panel.ask("Which columns of my DataFrame have missing values?")
            await panel.finished()
            await notebook.run(1)
            await notebook.page.wait_for_timeout(500)
            await notebook.page.screenshot(path=target)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1])))
