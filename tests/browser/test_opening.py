"""A notebook that somebody else saved is opened, and nothing of ours runs."""

import nbformat
from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.kernels import LOCKED

TRANSCRIPT = '<div class="vc-transcript"><p>Kept words</p><img src="x" onerror="window.hurt = 1"></div>'


def saved() -> nbformat.NotebookNode:
    """A notebook with a panel, its transcript and widget state, as another user's JupyterLab leaves it."""
    model = {
        "model_name": "AnyModel",
        "model_module": "anywidget",
        "model_module_version": "~0.9.*",
        "state": {"_esm": "window.hurt = 2; export default {render() { window.hurt = 3; }}", "_css": ""},
    }
    notebook: nbformat.NotebookNode = nbformat.v4.new_notebook()
    cell = nbformat.v4.new_code_cell("import valechat\nvalechat.Chat('demo/echo', plugins=['git'])", execution_count=1)
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "f00", "version_major": 2, "version_minor": 0}}
    cell.outputs = [
        nbformat.v4.new_output("display_data", data={**view, "text/plain": "ValeChat panel"}),
        nbformat.v4.new_output("display_data", data={"text/html": TRANSCRIPT, "text/markdown": "Kept words"}),
    ]
    notebook.cells = [cell]
    state = {"version_major": 2, "version_minor": 0, "state": {"f00": model}}
    notebook.metadata = {
        "kernelspec": {"name": LOCKED, "display_name": "Python 3", "language": "python"},
        "widgets": {"application/vnd.jupyter.widget-state+json": state},
    }
    return notebook


async def test_opening_it_shows_what_was_said_and_starts_sends_and_runs_nothing(lab: FrontEndUnderTest) -> None:
    notebook = await lab.open(["0"], alone=True)
    nbformat.write(saved(), notebook.path)
    await notebook.reload()
    await expect(notebook.cell(0)).to_contain_text("Kept words")
    asking = await notebook.add("import sys; print(In[1:-1], 'valechat' in sys.modules)")
    await notebook.run(asking)
    assert (await notebook.text(asking)).strip() == "[] False"
    assert await notebook.page.evaluate("window.hurt") is None
