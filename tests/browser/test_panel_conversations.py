"""Ten thousand conversations in the panel: found, opened, changed, taken out and in, deleted; and drafts that stay."""

from __future__ import annotations

import json
import re
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Locator, expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.page import NotebookPage
from tests.browser.support.panel import THEMES, ChatPanel
from valechat.ledger.base import Conversation, StoredMessage
from valechat.ledger.sqlite import SqliteLedger
from valechat.messages import Message, TextPart

MANY = 10_000
THINGS = ("penguin", "rainfall", "invoice", "gene", "galaxy", "election", "sensor")
SCROLL = """async (list) => {
    for (let i = 0; i < 60; i += 1) {
        list.scrollTop += 700;
        await new Promise(requestAnimationFrame);
    }
    return list.querySelectorAll("[data-talk]").length;
}"""
CHAT = "import valechat\nchat = valechat.Chat('demo/echo')\nchat"


def fill(home: Path) -> None:
    """Many conversations of the last years, and one with text to look for."""
    ledger = SqliteLedger(home / "ledger")
    now = datetime.now(UTC)
    question = StoredMessage("q", "found", None, Message.user("Where do quinces grow?"), now, None)
    text = "Quinces grow in **warm** <b>valleys</b> of the west, and in gardens behind old mills."
    answer = StoredMessage("a", "found", "q", Message("assistant", (TextPart(text),)), now, "demo/echo")
    head = Conversation("found", "Fruit & gardens", now, now, "demo/echo", tags=("garden", "work"))
    ledger.add_conversation(head, [question, answer])
    ledger.close()
    with sqlite3.connect(home / "ledger" / "ledger.sqlite3") as db:
        rows = []
        for number in range(MANY):
            at = (now - timedelta(minutes=7 * number * (1 + number // 40))).isoformat()
            title = f"{THINGS[number % 7].capitalize()} question {number}"
            tags = json.dumps(["work"] if number % 11 == 0 else [])
            rows.append((f"c{number}", title, at, at, "openai/gpt-5-mini", f"0.00{number % 90 + 10}", tags))
        db.executemany(
            "INSERT INTO conversations (id, title, created_at, updated_at, model, total_cost, tags)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
    db.close()


async def pictured(notebook: NotebookPage, name: str) -> None:
    """The window in light and dark, under `.artefacts/`."""
    for theme in THEMES:
        await notebook.set_theme(theme)
        await notebook.screenshot(f"{name}-{theme.lower()}")


def talk(drawer: Locator, title: str) -> Locator:
    """A conversation's row."""
    return drawer.locator("[data-talk]").filter(has_text=title)


async def test_conversations_are_found_and_changed_among_ten_thousand(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    fill(tmp_path)
    notebook = await lab.open([CHAT], home=tmp_path)
    page = notebook.page
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    await panel.ask("Count to 500")
    await panel.growing()

    # The list, by the keyboard, while an answer arrives.
    await page.keyboard.press("Control+Shift+O")
    drawer = page.get_by_role("dialog", name="Conversations")
    search = drawer.get_by_role("searchbox", name="Search in all conversations")
    await expect(search).to_be_focused()
    await expect(drawer.get_by_role("heading", name="Today")).to_be_visible()
    await expect(talk(drawer, "Count to 500")).to_contain_text("answering")
    drawn = await drawer.locator(".vc-talks-list").evaluate(SCROLL)
    assert 0 < drawn < 80
    await pictured(notebook, "conversations")

    # Search, and open what was found; the answer goes on in its own conversation.
    await search.fill("west valleys")
    found = talk(drawer, "Fruit & gardens")
    await expect(found.locator("mark")).to_have_text(["valleys", "west"])
    await expect(drawer.locator("[data-talk]")).to_have_count(1)
    await expect(found.locator(".vc-talk-snippet b")).to_have_count(0)
    await notebook.screenshot("conversations-search")
    await search.press("Enter")
    await expect(drawer).to_have_count(0)
    await expect(panel.composer).to_be_focused()
    await expect(panel.questions).to_have_text("Where do quinces grow?")

    # A draft stays with its conversation, through a reload too.
    await panel.composer.fill("And how are they cooked?")
    await page.keyboard.press("Control+Shift+O")
    await talk(drawer, "Count to 500").locator(".vc-talk-open").click()
    await panel.finished()
    await expect(panel.answers.last).to_contain_text("500")
    await expect(panel.composer).to_have_value("")
    await panel.composer.fill("half a question")
    await notebook.save()
    await notebook.reload()
    await expect(panel.composer).to_have_value("half a question")

    # Rename and tag in place, by the keyboard.
    await panel.root.get_by_role("button", name="Conversations").click()
    await expect(talk(drawer, "Count to 500")).to_be_visible()
    await search.press("ArrowDown")
    await page.keyboard.press("F2")
    await page.keyboard.type("Counting")
    await page.keyboard.press("Enter")
    await expect(talk(drawer, "Counting").locator(".vc-talk-open")).to_be_focused()
    await talk(drawer, "Counting").get_by_role("button", name="Actions for Counting").click()
    await drawer.get_by_role("button", name="Tags", exact=True).click()
    await page.keyboard.type("numbers,")
    await expect(drawer.get_by_role("button", name="Remove the tag numbers")).to_be_visible()
    await notebook.screenshot("conversations-tags")
    await page.keyboard.press("Escape")
    await expect(talk(drawer, "Counting").locator(".vc-tag")).to_have_text("numbers")

    # Out and in again.
    await talk(drawer, "Counting").get_by_role("button", name="Actions for Counting").click()
    await notebook.screenshot("conversations-actions")
    async with page.expect_download() as downloading:
        await drawer.get_by_role("button", name="JSON").click()
    file = tmp_path / (await downloading.value).suggested_filename
    await (await downloading.value).save_as(file)
    assert file.name == "counting.json"
    await drawer.locator("input[type=file]").set_input_files(file)
    await expect(drawer.get_by_role("status")).to_have_text("1 conversation imported")
    await expect(talk(drawer, "Counting")).to_have_count(2)

    # Delete one after a second thought; Escape goes back to where it was opened.
    await page.keyboard.press("Delete")
    await expect(drawer.get_by_text("What it cost stays")).to_be_visible()
    await notebook.screenshot("conversations-delete")
    await page.keyboard.press("Enter")
    await expect(talk(drawer, "Counting")).to_have_count(1)
    await page.set_viewport_size({"width": 340, "height": 600})
    await notebook.screenshot("conversations-narrow")
    await page.keyboard.press("Escape")
    await expect(drawer).to_have_count(0)
    await expect(panel.root.get_by_role("button", name="Conversations")).to_be_focused()
    assert [error for error in notebook.errors if not re.search("favicon", error)] == []
