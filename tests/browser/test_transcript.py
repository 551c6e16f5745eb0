"""The conversation in the saved notebook, through reloads."""

import asyncio
from pathlib import Path

from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.panel import ChatPanel


def transcript(saved: object) -> str:
    """What the saved notebook holds of the conversation."""
    (found,) = [o.data["text/markdown"] for o in saved.cells[1].outputs if "vc-transcript" in str(o)]  # type: ignore[attr-defined]  # nbformat is untyped
    return str(found)


async def test_turns_after_a_reload_are_in_the_saved_notebook_too(front_end: FrontEndUnderTest, tmp_path: Path) -> None:
    notebook = await front_end.open(["import valechat\nvalechat.Chat('demo/echo')"], home=tmp_path)
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    await panel.ask("Remember heliotrope")
    await panel.finished()
    await notebook.save()
    await notebook.reload()
    panel = ChatPanel(notebook, 1)
    await expect(panel.questions).to_have_text("Remember heliotrope")
    await panel.ask("And now vermilion")
    await panel.finished(answers=2)
    # The transcript follows the panel's own messages by another way.
    async with asyncio.timeout(10):
        while "vermilion" not in str(await notebook.outputs(1)):
            await asyncio.sleep(0.05)
    saved = await notebook.save()
    assert "heliotrope" in transcript(saved)
    assert "vermilion" in transcript(saved)
