"""Where the panel lives besides a cell's output: beside the notebook, and in a shadow root as marimo draws it."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.async_api import BrowserContext, expect

from tests.browser.support.bare import bare_panel
from tests.browser.support.front_end import FrontEndUnderTest
from valechat.ledger.base import StoredMessage
from valechat.messages import Message, TextPart
from valechat.notebook.shown import messages_shown

RICH = "So $\\frac{a}{b}$\n\n```mermaid\ngraph LR\n  A --> B\n```"


async def test_the_chat_beside_a_notebook_follows_its_kernel_through_a_restart(lab: FrontEndUnderTest) -> None:
    notebook = await lab.open(["x = 1", "y = 2"], alone=True)
    page = notebook.page
    await page.get_by_role("menuitem", name="View").click()
    await expect(page.get_by_role("menuitem", name="ValeChat")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.evaluate("jupyterapp.commands.execute('launcher:create')")
    await page.locator(".jp-LauncherCard", has_text="ValeChat").click()
    await page.evaluate("jupyterapp.commands.execute('application:close')")
    dock = page.locator(".vc-docked")
    composer = dock.get_by_role("textbox", name="Message")
    await composer.fill("Write $x^2$ and some Python")
    await composer.press("Enter")
    await expect(dock.locator(".vc-figures")).to_be_visible(timeout=60_000)
    # The formula in the answer was brought over the comm of a widget that stands in no cell.
    await expect(dock.locator(".vc-answer .katex-html").first).to_be_visible(timeout=30_000)
    await dock.get_by_role("button", name="Insert below").first.click()
    assert "valechat.sql" in await notebook.source(1)
    await page.evaluate("void jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    await expect(dock.locator(".vc-answer")).to_have_count(0, timeout=60_000)
    await expect(composer).to_be_visible(timeout=60_000)
    assert notebook.errors == []


async def test_formulas_and_diagrams_are_drawn_in_a_shadow_root(context: BrowserContext) -> None:
    turn = [Message.user("?"), Message("assistant", (TextPart(RICH),))]
    stored = [StoredMessage(str(n), "c", None, message, datetime.now(UTC), "lab/two") for n, message in enumerate(turn)]
    panel = await bare_panel(context, messages_shown(stored, {}), shadow=True)
    try:
        image = panel.root.locator(".vc-diagram img")
        await expect(image).to_be_visible(timeout=60_000)
        assert await image.evaluate("(image) => image.naturalWidth") > 20
        fraction = panel.root.locator(".katex-html .vlist-t").first
        # Without KaTeX's rules in the shadow root this would be a plain inline.
        assert await fraction.evaluate("(node) => getComputedStyle(node).display") == "inline-table"
        assert await panel.page.evaluate("document.fonts.check('12px KaTeX_Main')")
        assert panel.errors == []
    finally:
        await panel.page.close()
