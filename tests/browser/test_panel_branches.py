"""Branches in a real JupyterLab: rewritten, switched, answered again, pinned and deleted; code inserted and run."""

from pathlib import Path

from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.panel import ChatPanel, pictures

CHAT = "import valechat\nchat = valechat.Chat('demo/echo', options={'demo_tokens_per_second': 0})\nchat"


async def test_a_conversation_is_branched_gone_back_to_and_its_code_run(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    notebook = await lab.open([CHAT, "print('end')"], home=tmp_path)
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    await expect(panel.composer).to_be_enabled()
    await panel.ask("First question")
    await panel.finished(1)
    await panel.ask("```python\nprint('ran ' + str(6 * 7))\n```")
    await panel.finished(2)

    # Rewritten by keyboard alone: the buttons show when they have the focus.
    edit = panel.questions.nth(0).get_by_role("button", name="Edit and ask again")
    await edit.focus()
    await expect(panel.questions.nth(0).locator(".vc-acts-quiet").first).to_have_css("opacity", "1")
    await edit.press("Enter")
    field = panel.questions.nth(0).get_by_role("textbox", name="Edit the question")
    await expect(field).to_be_focused()
    await panel.picture("branch-edit")
    await field.fill("Another question")
    await field.press("Control+Enter")
    await panel.finished(1)
    versions = panel.questions.nth(0).get_by_role("group", name="Version 2 of 2")
    await expect(versions).to_be_visible()
    await panel.questions.nth(0).hover()
    await pictures(panel, "branch-versions")

    # Back to the first version, which is whole; the focus stays on the switch.
    await versions.get_by_role("button", name="Previous version").press("Enter")
    await panel.finished(2)
    await expect(panel.questions.nth(0)).to_contain_text("First question")
    await expect(panel.questions.nth(0).get_by_role("button", name="Next version")).to_be_focused()

    # Another answer to the last question, pinned and found again.
    await panel.answers.nth(1).get_by_role("button", name="Ask again", exact=True).click()
    await panel.finished(2)
    await expect(panel.answers.nth(1).get_by_role("group", name="Version 2 of 2")).to_be_visible()
    await panel.questions.nth(0).hover()
    await panel.questions.nth(0).get_by_role("button", name="Pin").click()
    await panel.root.get_by_role("button", name="Jump to latest").click()
    await expect(panel.questions.nth(0)).not_to_be_in_viewport()
    await panel.root.get_by_role("button", name="1 pinned message").click()
    await panel.picture("branch-pins")
    await panel.root.locator(".vc-pin").click()
    await expect(panel.questions.nth(0)).to_be_in_viewport()

    # The code of a question runs in a cell below.
    await panel.questions.nth(1).get_by_role("button", name="Insert and run").click()
    await expect(notebook.cell(2).locator(".jp-OutputArea-output")).to_contain_text("ran 42", timeout=20_000)

    # Deleted for good, once the user is sure.
    await panel.questions.nth(1).hover()
    await panel.questions.nth(1).get_by_role("button", name="Delete question and answer").click()
    await panel.picture("branch-delete")
    await panel.questions.nth(1).get_by_role("button", name="Delete", exact=True).click()
    await panel.finished(1)
    await expect(panel.composer).to_be_focused()
    assert notebook.errors == []
