"""Take the documentation's pictures in a real JupyterLab, where a server with answers written beforehand is the model.

.venv/bin/python -m scripts.screenshot docs/images [panel compare dock spend plugins]
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, async_playwright, expect

from scripts.scripted_model import PRICES, QUESTION, configure, scripted
from tests.browser.support import chromium
from tests.browser.support.kernels import LOCKED, write_kernelspecs
from tests.browser.support.page import NotebookPage, write_notebook
from tests.browser.support.panel import ChatPanel
from tests.browser.support.server import JupyterServer, serve
from valechat.ledger.base import Bucket, Conversation, Hold, UsageRow
from valechat.ledger.sqlite import SqliteLedger
from valechat.plugins.catalogue import entries
from valechat.plugins.file import PluginsFile
from valechat.usage import Usage

READ = 'import pandas as pd\nimport valechat\n\npenguins = pd.read_csv("penguins.csv")\n'
PANEL = [
    READ + 'valechat.Chat("lab/large", tools=["notebook/query_data"])',
    'valechat.sql("SELECT model, input_tokens, output_tokens, cost FROM usage ORDER BY ts")',
]
COMPARE = [READ + 'valechat.Chat("lab/large")']
DOCK = [
    READ + "penguins.head(3)",
    'penguins.groupby("species")["bill_length_mm"].agg(["mean", "std", "count"]).round(1)',
]
SPEND = ["import valechat\n\nvalechat.spend()"]
PLUGINS = ["import valechat\n\nvalechat.plugin_manager()"]

PENGUINS = """species,bill_length_mm
Adelie,39.1\nAdelie,39.5\nAdelie,40.3\nAdelie,36.7\nAdelie,38.6
Gentoo,46.1\nGentoo,50.0\nGentoo,48.7\nGentoo,46.8\nGentoo,43.4
Chinstrap,46.5\nChinstrap,50.0\nChinstrap,51.3\nChinstrap,45.4\nChinstrap,48.8
"""

FAR = datetime(2126, 1, 1, tzinfo=UTC)

TITLES = (
    "Bill lengths by species",
    "Cleaning the survey data",
    "A forecast for the spring count",
    "Why the join loses rows",
)


@asynccontextmanager
async def opened(
    browser: Browser,
    server: JupyterServer,
    name: str,
    cells: Sequence[str],
    height: int,
    *,
    theme: Literal["Light", "Dark"] = "Light",
) -> AsyncIterator[NotebookPage]:
    """A notebook in a window of its own, the file browser folded away."""
    context = await browser.new_context(viewport={"width": 1100, "height": height}, device_scale_factor=1.5)
    path = server.root / name
    write_notebook(path, cells, LOCKED)
    notebook = NotebookPage(await context.new_page(), server, path)
    await notebook.open()
    await notebook.set_theme(theme)
    await notebook.page.keyboard.press("Control+b")
    await notebook.run(0)
    yield notebook
    await context.close()


async def kept(notebook: NotebookPage, target: Path) -> None:
    """The whole window, once nothing moves any more."""
    await notebook.page.mouse.move(2, 2)
    await notebook.page.wait_for_timeout(700)
    await notebook.page.screenshot(path=target)


async def take_panel(browser: Browser, server: JupyterServer, target: Path) -> None:
    """A question that the model answers by querying the DataFrame, and the ledger's rows of it."""
    async with opened(browser, server, "penguins.ipynb", PANEL, 1080) as notebook:
        panel = ChatPanel(notebook, 0)
        await panel.ask(QUESTION)
        await panel.finished()
        await notebook.run(1)
        await kept(notebook, target)


async def take_compare(browser: Browser, server: JupyterServer, target: Path) -> None:
    """One question to three models."""
    async with opened(browser, server, "compared.ipynb", COMPARE, 860, theme="Dark") as notebook:
        panel = ChatPanel(notebook, 0)
        await panel.root.get_by_role("button", name="Compare models").first.click()
        for model in ("medium", "small"):
            await panel.root.locator(".vc-compare-model").get_by_text(model, exact=True).click()
        await notebook.page.keyboard.press("Escape")
        await panel.ask(QUESTION)
        keep = panel.root.get_by_role("button", name="Go on with this answer")
        await expect(keep).to_have_count(3, timeout=20_000)
        await kept(notebook, target)


async def take_dock(browser: Browser, server: JupyterServer, target: Path) -> None:
    """The panel beside a notebook."""
    async with opened(browser, server, "beside.ipynb", DOCK, 760) as notebook:
        await notebook.run(1)
        await notebook.page.evaluate("jupyterapp.commands.execute('valechat:dock')")
        dock = notebook.page.locator(".vc-docked")
        composer = dock.get_by_role("textbox", name="Message")
        await composer.fill(QUESTION)
        await composer.press("Enter")
        await expect(dock.locator(".vc-figures")).to_be_visible(timeout=60_000)
        await kept(notebook, target)


async def take_spend(browser: Browser, server: JupyterServer, target: Path) -> None:
    """The dashboard over two months of a ledger."""
    fill(server.home)
    async with opened(browser, server, "spend.ipynb", SPEND, 1300) as notebook:
        await expect(notebook.cell(0).locator(".vega-embed svg")).to_have_count(5, timeout=30_000)
        await kept(notebook, target)


def fill(home: Path) -> None:
    """Two months of requests to the scripted models, as they would have been settled."""
    dice = random.Random(2026)  # noqa: S311  # the same figures in each picture, nothing secret
    now = datetime.now(UTC)
    ledger = SqliteLedger(home / "ledger")
    for title in TITLES:
        ledger.start_conversation(Conversation(title, title, now, now, "lab/large"))
    for days in range(60, 0, -1):
        for number in range(dice.randrange(3, 14) if (now - timedelta(days=days)).weekday() < 5 else dice.randrange(3)):
            at, model = now - timedelta(days=days, minutes=7 * number), dice.choice(("large", "medium", "small"))
            given, answered = dice.randrange(2_000, 60_000), dice.randrange(100, 3_000)
            cached = dice.randrange(given) * dice.randrange(2)
            price = dict(zip(("input", "cache_read", "output"), map(Decimal, PRICES[model]), strict=True))
            tokens = {"input": given - cached, "cache_read": cached, "output": answered}
            month = Bucket("all", f"{at:%Y-%m}", FAR)
            request = f"r{days}-{number}"
            ledger.reserve(Hold(request, Decimal(0), (month,), (), now + timedelta(minutes=1)))
            ledger.settle(
                UsageRow(
                    request_id=request,
                    ts=at,
                    day=at.date().isoformat(),
                    billing_period=f"{at:%Y-%m}",
                    provider="lab",
                    model=model,
                    kind="chat",
                    usage=Usage(given, answered, cached, None, 0, {}),
                    cost=sum((count * price[kind] for kind, count in tokens.items()), Decimal(0)) / 1_000_000,
                    cost_source="priced",
                    status="complete",
                    conversation_id=dice.choice(TITLES),
                    unit_prices={kind: str(one) for kind, one in price.items()},
                ),
                (month,),
            )
    ledger.close()


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


TAKEN = {"panel": take_panel, "compare": take_compare, "dock": take_dock, "spend": take_spend, "plugins": take_plugins}


async def take(folder: Path, names: Sequence[str]) -> None:
    """Take these into a folder that exists, each with a JupyterLab and a ledger of its own."""
    async with async_playwright() as playwright, scripted() as model:
        browser = await playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.SWITCHES))
        for name in names:
            with tempfile.TemporaryDirectory() as place:
                kernelspecs = write_kernelspecs(Path(place) / "kernels")
                async with serve("lab", Path(place) / "lab", kernelspecs) as server:
                    configure(server.home, model.url)
                    (server.root / "penguins.csv").write_text(PENGUINS)
                    await TAKEN[name](browser, server, folder / f"{name}.png")
        await browser.close()


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1]), sys.argv[2:] or [*TAKEN]))
