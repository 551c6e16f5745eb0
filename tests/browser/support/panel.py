"""The chat panel in a cell's output, as a person uses it."""

import asyncio
from typing import Literal

from playwright.async_api import Locator, expect

from tests.browser.support.page import ARTEFACTS, NotebookPage

THEMES: tuple[Literal["Dark"], Literal["Light"]] = ("Dark", "Light")

# What sticks out of the panel and is not cut off by a part that scrolls or hides what is too long.
_OVERFLOWING = """(root) => {
    const right = root.getBoundingClientRect().right + 1;
    const inside = (e) => {
        for (let p = e.parentElement; p && p !== root; p = p.parentElement)
            if (getComputedStyle(p).overflowX !== "visible") return true;
        return false;
    };
    return [...root.querySelectorAll("*")]
        .filter((e) => e.getBoundingClientRect().width > 1 && e.getBoundingClientRect().right > right && !inside(e))
        .map((e) => e.className.baseVal ?? e.className);
}"""


class ChatPanel:
    """The panel in the output of one cell."""

    def __init__(self, notebook: NotebookPage, cell: int) -> None:
        self.notebook = notebook
        self.root: Locator = notebook.cell(cell).locator(".vc-panel")
        self.composer = self.root.get_by_role("textbox", name="Message")
        self.questions = self.root.locator(".vc-question")
        self.answers = self.root.locator(".vc-answer")
        self.stop_button = self.root.get_by_role("button", name="Stop", exact=True)
        self.error = self.root.locator(".vc-error")

    async def ask(self, text: str) -> None:
        """Type a question and send it by Enter."""
        await self.composer.fill(text)
        await self.composer.press("Enter")

    async def finished(self, answers: int = 1) -> None:
        """Until so many answers are there and none is being written."""
        await expect(self.answers).to_have_count(answers, timeout=20_000)
        await expect(self.answers.last.locator(".vc-figures")).to_be_visible(timeout=30_000)
        await expect(self.stop_button).to_have_count(0)

    async def answer_text(self) -> str:
        """The last answer's text as it is on the screen now; empty before its first word."""
        return await self.answers.last.inner_text() if await self.answers.count() else ""

    async def picture(self, name: str) -> None:
        """The panel alone, under `.artefacts/`."""
        ARTEFACTS.mkdir(exist_ok=True)
        await self.root.screenshot(path=ARTEFACTS / f"{name}.png")

    async def overflowing(self) -> list[str]:
        """The classes of what sticks out of the panel on its right."""
        found: list[str] = await self.root.evaluate(_OVERFLOWING)
        return found

    async def growing(self, least: int = 40) -> list[int]:
        """The lengths the last answer had while it was written, until `least` characters were there."""
        lengths: list[int] = []
        async with asyncio.timeout(20):
            while not lengths or lengths[-1] < least:
                lengths.append(len(await self.answer_text()))
                await asyncio.sleep(0.03)  # the screen is what is watched, and it tells nobody when it changes
        return lengths


async def pictures(panel: ChatPanel, name: str) -> None:
    """The panel in light and dark, and at a width of 300 px, under `.artefacts/`."""
    for theme in THEMES:
        await panel.notebook.set_theme(theme)
        await panel.picture(f"{name}-{theme.lower()}")
    await panel.root.evaluate("root => { root.style.width = '300px'; }")
    await panel.picture(f"{name}-narrow")
    assert await panel.overflowing() == []
    await panel.root.evaluate("root => { root.style.width = ''; }")
