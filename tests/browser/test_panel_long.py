"""Ten thousand messages in a real panel: few of them are in the page, and all can be reached."""

from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.panel import ChatPanel

MESSAGES = 10_000
NODES = 4_000
"""Far below what all messages would need, which is 150,000."""

KEPT = f"""
from datetime import UTC, datetime
import valechat
from valechat.ledger.base import Conversation, StoredMessage
from valechat.messages import Message, TextPart
from valechat.services import services

at = datetime(2026, 1, 1, tzinfo=UTC)
services().ledger.start_conversation(Conversation("long", "Long", at, at, "demo/echo"))
services().ledger.add_messages([
    StoredMessage(
        f"m{{i}}", "long", f"m{{i - 1}}" if i else None, Message(role, (TextPart(f"Message {{i}}\\n\\n- so on"),)), at
    )
    for i in range({MESSAGES}) for role in [("user", "assistant")[i % 2]]
])
"""
CHAT = 'valechat.Chat("demo/echo", conversation="long")'
SLOW = 60_000
"""Milliseconds a busy machine may take."""


async def test_ten_thousand_messages_open_at_the_newest_and_lead_to_the_first(lab: FrontEndUnderTest) -> None:
    notebook = await lab.open([KEPT, CHAT])
    # All of the panel is in sight, so that what is scrolled to is.
    await notebook.page.set_viewport_size({"width": 1280, "height": 1500})
    await notebook.run(0)
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    first, last = (panel.root.get_by_text(f"Message {number}") for number in (0, MESSAGES - 1))
    await expect(last).to_be_in_viewport(timeout=SLOW)
    await expect(panel.answers.last).to_have_attribute("aria-posinset", str(MESSAGES))
    nodes = "root => root.querySelectorAll('*').length"
    assert await panel.root.evaluate(nodes) < NODES

    log = panel.root.locator(".vc-log")
    await log.focus()
    await log.press("Home")
    await expect(panel.root.locator('[aria-posinset="1"]')).to_be_in_viewport(timeout=SLOW)
    await expect(first).to_be_in_viewport(timeout=SLOW)
    assert await panel.root.evaluate(nodes) < NODES
    await expect(last).to_have_count(0)

    await log.press("End")
    await expect(last).to_be_in_viewport(timeout=SLOW)
    assert await panel.root.evaluate(nodes) < NODES
    assert notebook.errors == []
