"""The stage itself: real front ends, real kernels, real widgets."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.kernels import LOCKED, OLDER


async def test_a_cell_runs_and_shows_its_value(front_end: FrontEndUnderTest) -> None:
    notebook = await front_end.open(["1 + 1"])
    await notebook.run(0)
    assert await notebook.text(0) == "2"
    await expect(notebook.output(0)).to_have_text("2")


async def test_a_widget_renders_and_its_value_reaches_the_kernel(front_end: FrontEndUnderTest) -> None:
    notebook = await front_end.open(["from ipywidgets import IntSlider\nslider = IntSlider(7)\nslider", "slider.value"])
    await notebook.run(0)
    handle = notebook.output(0).locator(".noUi-handle")
    await expect(handle).to_have_attribute("aria-valuenow", "7.0")
    readout = notebook.output(0).locator(".widget-readout")
    await readout.fill("8")
    await readout.press("Enter")
    await expect(handle).to_have_attribute("aria-valuenow", "8.0")
    await notebook.run(1)
    assert await notebook.text(1) == "8"


@pytest.mark.parametrize(("kernel", "version"), [(LOCKED, "7.4"), (OLDER, "7.3")])
async def test_each_kernel_is_the_ipykernel_that_it_says(
    front_end: FrontEndUnderTest, kernel: str, version: str
) -> None:
    notebook = await front_end.open(["import ipykernel\nprint(ipykernel.__version__)"], kernel=kernel)
    await notebook.run(0)
    assert (await notebook.text(0)).startswith(version)


async def test_what_was_saved_is_there_after_a_reload(front_end: FrontEndUnderTest) -> None:
    notebook = await front_end.open(["answer = 6 * 7\nanswer", "answer"])
    await notebook.run(0)
    saved = await notebook.save()
    assert saved.cells[0].outputs[0].data["text/plain"] == "42"
    await notebook.reload()
    await expect(notebook.output(0)).to_have_text("42")
    await notebook.run(1)
    assert await notebook.text(1) == "42"


async def test_a_restarted_kernel_has_forgotten_its_variables(lab: FrontEndUnderTest) -> None:
    notebook = await lab.open(["answer = 42", "answer"])
    await notebook.run(0)
    await notebook.restart_kernel()
    await notebook.run(1)
    assert "NameError" in await notebook.text(1)


async def test_an_interrupt_ends_a_running_cell(lab: FrontEndUnderTest) -> None:
    notebook = await lab.open(["import time\nprint('started', flush=True)\ntime.sleep(60)"])
    await notebook.run(0, wait=False)
    await expect(notebook.output(0)).to_have_text("started")
    await notebook.interrupt_kernel()
    await notebook.wait_idle(10)
    assert "KeyboardInterrupt" in await notebook.text(0)


LAYOUT_COLOUR = "getComputedStyle(document.documentElement).getPropertyValue('--jp-layout-color0')"


async def test_the_theme_changes_to_dark_and_back(front_end: FrontEndUnderTest) -> None:
    notebook = await front_end.open(["1"])
    await notebook.set_theme("Dark")
    dark = await notebook.page.evaluate(LAYOUT_COLOUR)
    await notebook.set_theme("Light")
    assert await notebook.page.evaluate(LAYOUT_COLOUR) != dark


async def test_a_dark_theme_ends_with_its_test(front_end: FrontEndUnderTest) -> None:
    await (await front_end.open(["1"])).set_theme("Dark")
    await front_end.close(failed=False)
    notebook = await front_end.open(["1"])
    await expect(notebook.page.locator("body")).to_have_attribute("data-jp-theme-light", "true")


async def test_a_notebook_can_have_a_home_of_its_own(lab: FrontEndUnderTest, home: Path) -> None:
    notebook = await lab.open(["import os\nprint(os.environ['VALECHAT_HOME'])"], home=home)
    await notebook.run(1)
    assert (await notebook.text(1)).strip() == str(home)


async def test_opening_a_notebook_leaves_no_error_in_the_console(front_end: FrontEndUnderTest) -> None:
    notebook = await front_end.open(["1"])
    assert notebook.errors == []
