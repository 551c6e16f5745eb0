"""The spend dashboard in a real JupyterLab and a real Notebook 7."""

from pathlib import Path

from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest

ASK = "import valechat\nfor n in range(3): valechat.Chat('demo/echo').ask_sync('Count to 3')"


async def test_charts_are_drawn_in_light_and_dark_and_a_query_can_be_inserted_and_run(
    front_end: FrontEndUnderTest, tmp_path: Path
) -> None:
    notebook = await front_end.open([ASK, "valechat.spend()"], home=tmp_path)
    await notebook.run(1)
    await notebook.run(2)
    output = notebook.cell(2)
    charts = output.locator(".vega-embed svg")
    await expect(charts).to_have_count(5, timeout=30_000)
    await notebook.set_theme("Dark")
    await notebook.screenshot(f"spend-{front_end.server.front_end}-dark")
    await notebook.set_theme("Light")
    await notebook.screenshot(f"spend-{front_end.server.front_end}-light")
    await output.get_by_text("Show SQL").first.click()
    await output.get_by_role("button", name="Insert as a cell").first.click()
    await notebook.run(3)
    assert "demo/echo" in await notebook.text(3)
    assert notebook.errors == []
