"""The spend dashboard in a real JupyterLab and a real Notebook 7."""

from pathlib import Path

from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest

FITS = """() => {
    const drawn = [...document.querySelectorAll(".vc-spend .vega-embed svg")];
    return drawn.length === 5 && drawn.every((svg) => {
        const scale = svg.getBoundingClientRect().width / Number(svg.getAttribute("width"));
        const place = svg.closest(".widget-output, .jupyter-widgets-output-area, .jp-OutputArea") ?? svg.parentElement;
        return Math.abs(scale - 1) < 0.02 && svg.getBoundingClientRect().width <= place.clientWidth + 1;
    });
}"""
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


async def test_a_chart_keeps_to_its_place_and_its_letters_keep_their_size(
    front_end: FrontEndUnderTest, tmp_path: Path
) -> None:
    notebook = await front_end.open([ASK, "valechat.spend()"], home=tmp_path)
    await notebook.run(1)
    await notebook.run(2)
    output = notebook.cell(2)
    chart = output.locator(".vega-embed svg").first
    narrow = 720 if front_end.server.front_end == "lab" else 420
    heights = []
    for width in (1400, narrow):
        await notebook.page.set_viewport_size({"width": width, "height": 1000})
        await expect(output.locator(".vega-embed svg")).to_have_count(5, timeout=30_000)
        await notebook.page.wait_for_function(FITS, timeout=30_000)
        label = await chart.locator("text").first.bounding_box()
        assert label is not None
        heights.append(label["height"])
        await notebook.screenshot(f"spend-{front_end.server.front_end}-{width}")
    assert heights[0] == heights[1]


async def test_a_saved_notebook_shows_the_figures_when_it_is_opened_again(
    front_end: FrontEndUnderTest, tmp_path: Path
) -> None:
    notebook = await front_end.open([ASK, "valechat.spend()"], home=tmp_path)
    await notebook.run(1)
    await notebook.run(2)
    static = notebook.cell(2).locator(".vc-spend-static")
    await expect(notebook.cell(2).locator(".vega-embed svg")).to_have_count(5, timeout=30_000)
    await expect(static).to_be_hidden()
    await notebook.save()
    await notebook.restart_kernel()
    await notebook.reload()
    await expect(static).to_be_visible(timeout=30_000)
    await expect(static).to_contain_text("demo/echo")
    await notebook.screenshot(f"spend-{front_end.server.front_end}-reopened")
