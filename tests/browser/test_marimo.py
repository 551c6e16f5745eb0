"""The panel in a real marimo, as a person uses it."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import BrowserContext, expect

from tests.browser.support.marimo import notebook, serve

CELLS = ('import valechat\n\nchat = valechat.Chat("demo/echo")', "chat")


async def test_a_chat_in_marimo_answers_and_is_there_after_its_cell_ran_again_and_after_a_reload(
    context: BrowserContext, tmp_path: Path
) -> None:
    path = tmp_path / "notebook.py"
    path.write_text(notebook(*CELLS))
    async with serve(path) as address:
        page = await context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(error.message))
        try:
            await page.goto(address)
            panel = page.locator(".vc-panel")
            composer = panel.get_by_role("textbox", name="Message")
            await composer.fill("Hello")
            await composer.press("Enter")
            await expect(panel.locator(".vc-figures")).to_be_visible(timeout=60_000)
            # There is no notebook to insert into that marimo gives to a widget, so nothing offers to.
            await expect(panel.get_by_role("button", name="Copy", exact=True)).to_be_visible()
            await expect(panel.get_by_role("button", name="Insert below")).to_have_count(0)
            first = await panel.element_handle()
            await page.locator(".cm-content").nth(1).click()
            await page.keyboard.press("Control+Enter")
            await page.wait_for_function("(panel) => !panel.isConnected", arg=first)
            await expect(panel.locator(".vc-answer")).to_contain_text("demonstration model", timeout=30_000)
            await page.reload()
            await expect(panel.locator(".vc-answer")).to_contain_text("demonstration model", timeout=60_000)
            await expect(panel.locator(".vc-question")).to_contain_text("Hello")
            assert errors == []
        finally:
            await page.close()
