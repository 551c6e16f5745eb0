"""axe finds nothing to complain of in any state of the panel, light or dark; each state is kept as a picture.

Rules: WCAG 2.0 to 2.2, A and AA, and axe's best practices. The page around the panel is JupyterLab's business.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.page import NotebookPage
from tests.browser.support.panel import THEMES, ChatPanel, pictures
from tests.notebook.chatserver import ChatServer

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"

CELLS = ["import valechat\nchat = valechat.Chat('lab/coder', tools=['notebook'])\nchat"]

APPROVAL = """import asyncio
from valechat.asking import Approval, asker
from valechat.engine import engine
question = Approval(plugin="files", tool="write_file", title="Write a file", destructive=True, changed=False,
                    description="Create a new file.", arguments='{"path": "/home/ada/november.md"}')
asked = asyncio.run_coroutine_threadsafe(asker().approve(question), engine().loop)
"""

RUN = """async (root) => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const results = await axe.run(root, {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]});
    return results.violations.flatMap((violation) => violation.nodes.map((node) => ({
        rule: violation.id, html: node.html.slice(0, 200), why: node.failureSummary})));
}"""


class Accessibility:
    """Looks at one panel with axe, in both themes."""

    def __init__(self, panel: ChatPanel) -> None:
        self.panel = panel
        self.found: list[str] = []

    async def look(self, state: str) -> None:
        """Note what axe finds in this state; keep a picture of it."""
        for theme in THEMES:
            await self.panel.notebook.set_theme(theme)
            found = await self.panel.root.evaluate(RUN)
            self.found += [f"{state}, {theme}: {json.dumps(one, indent=1)}" for one in found]
            await self.panel.notebook.screenshot(f"state-{state}-{theme.lower()}")


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Path]:
    """A home whose models each answer in their way."""
    server = ChatServer()
    server.configure(tmp_path)
    yield tmp_path
    server.close()


async def _opened(lab: FrontEndUnderTest, home: Path) -> tuple[NotebookPage, ChatPanel, Accessibility]:
    notebook = await lab.open([*CELLS, APPROVAL], home=home)
    await notebook.page.add_script_tag(path=AXE)
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    await expect(panel.composer).to_be_visible()
    return notebook, panel, Accessibility(panel)


@asynccontextmanager
async def _dialog(page: Page, panel: ChatPanel, button: str) -> AsyncIterator[None]:
    await panel.root.get_by_role("button", name=button).first.click()
    yield
    await page.keyboard.press("Escape")


async def test_a_conversation_from_its_first_run_to_a_comparison(lab: FrontEndUnderTest, models: Path) -> None:
    notebook, panel, axe = await _opened(lab, models)
    page = notebook.page
    await axe.look("empty")
    await panel.ask("Write a tiny program.")
    await panel.finished()
    await axe.look("answered")
    await panel.questions.first.hover()
    await panel.answers.last.hover()
    await axe.look("actions")
    async with _dialog(page, panel, "Model: "):
        await axe.look("models")
    async with _dialog(page, panel, "Compare models"):
        for model in ("one", "two"):
            await panel.root.locator(".vc-compare-model").get_by_text(model, exact=True).click()
        await axe.look("choosing")
    await panel.ask("Who are you?")
    await expect(panel.root.get_by_role("button", name="Go on with this answer").last).to_be_visible(timeout=20_000)
    await axe.look("comparison")
    await pictures(panel, "comparison")
    await panel.root.get_by_role("button", name="Go on with this answer").first.click()
    await expect(panel.root.locator(".vc-comparison")).to_have_count(0)
    assert not axe.found, "\n".join(axe.found)


async def test_what_opens_beside_it_and_what_goes_wrong(lab: FrontEndUnderTest, models: Path) -> None:
    notebook, panel, axe = await _opened(lab, models)
    page = notebook.page
    await panel.root.get_by_role("button", name="Settings").click()
    for name in ("This chat", "Models and keys", "Limits", "Appearance"):
        await panel.root.get_by_role("tab", name=name).click()
        await axe.look(f"settings-{name.split()[0].lower()}")
    await page.keyboard.press("Escape")
    async with _dialog(page, panel, "Plugins"):
        await axe.look("plugins")
    await panel.ask("Hello?")
    await panel.finished()
    async with _dialog(page, panel, "Conversations"):
        await axe.look("conversations")
    await notebook.run(2)
    await expect(panel.root.locator(".vc-ask")).to_be_visible()
    await axe.look("asking")
    await panel.root.get_by_role("button", name="Don't allow").click()
    await panel.composer.fill("@")
    await axe.look("mentions")
    await panel.composer.fill("/")
    await axe.look("commands")
    await panel.composer.fill("")
    await notebook.add("chat.model = 'lab/refused'; chat.changed()")
    await notebook.run(3)
    await panel.ask("Are you there?")
    await expect(panel.error).to_be_visible()
    await axe.look("refused")
    await pictures(panel, "refused")
    assert not axe.found, "\n".join(axe.found)


async def test_the_panel_at_twice_the_size_and_without_a_kernel(lab: FrontEndUnderTest, models: Path) -> None:
    notebook, panel, axe = await _opened(lab, models)
    await panel.ask("Write a tiny program.")
    await panel.finished()
    await notebook.page.set_viewport_size({"width": 640, "height": 450})
    await axe.look("zoomed")
    assert await panel.overflowing() == []
    await notebook.page.set_viewport_size({"width": 1280, "height": 900})
    await notebook.restart_kernel()
    await expect(panel.root.locator(".vc-banner")).to_be_visible(timeout=30_000)
    await axe.look("restarted")
    assert not axe.found, "\n".join(axe.found)
