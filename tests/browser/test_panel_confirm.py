"""A question that may cost more than agreed is asked about before it leaves."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.panel import ChatPanel, pictures
from tests.notebook.chatserver import ChatServer


@pytest.fixture
def server() -> Iterator[ChatServer]:
    server = ChatServer()
    yield server
    server.close()


async def asked(lab: FrontEndUnderTest, home: Path, server: ChatServer, model: str, limits: str) -> ChatPanel:
    """A panel in which a question waits for the user to agree to its cost."""
    server.configure(home)
    with (home / "config.toml").open("a") as file:
        file.write(limits)
    notebook = await lab.open([f"import valechat\nvalechat.Chat('lab/{model}', max_tokens=500)"], home=home)
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    await panel.ask("A dear question")
    await expect(panel.root.locator(".vc-ask-confirmation")).to_be_visible()
    assert server.requests == []
    return panel


async def test_it_is_sent_when_the_user_agrees(lab: FrontEndUnderTest, tmp_path: Path, server: ChatServer) -> None:
    panel = await asked(lab, tmp_path, server, "dear", '[limits]\nconfirm_above = "0.50"\n')
    await expect(panel.root.locator(".vc-ask")).to_contain_text("At most $0.595")
    await pictures(panel, "ask-confirm")
    await panel.root.locator(".vc-ask").get_by_role("button", name="Send", exact=True).click()
    await panel.finished()
    await expect(panel.root.locator(".vc-ask")).to_have_count(0)
    assert len(server.requests) == 1


async def test_it_is_back_in_the_composer_when_not(lab: FrontEndUnderTest, tmp_path: Path, server: ChatServer) -> None:
    panel = await asked(lab, tmp_path, server, "dear", '[limits]\nconfirm_above = "0.50"\n')
    await panel.root.get_by_role("button", name="Don't send").click()
    await expect(panel.composer).to_have_value("A dear question")
    await expect(panel.composer).to_be_focused()
    await expect(panel.questions).to_have_count(0)
    await expect(panel.error).to_have_count(0)
    assert server.requests == []


async def test_a_price_nobody_knows_is_agreed_to_under_a_limit(
    lab: FrontEndUnderTest, tmp_path: Path, server: ChatServer
) -> None:
    panel = await asked(lab, tmp_path, server, "one", '[limits]\ndaily = "5"\n')
    await expect(panel.root.locator(".vc-ask")).to_contain_text("price unknown")
    await panel.root.locator(".vc-ask").get_by_role("button", name="Send", exact=True).click()
    await panel.finished()
    await expect(panel.answers).to_contain_text("I am one.")


async def test_stop_while_it_waits_sends_nothing(lab: FrontEndUnderTest, tmp_path: Path, server: ChatServer) -> None:
    panel = await asked(lab, tmp_path, server, "dear", '[limits]\nconfirm_above = "0.50"\n')
    await panel.stop_button.click()
    await expect(panel.root.locator(".vc-ask")).to_have_count(0)
    await expect(panel.stop_button).to_have_count(0)
    assert server.requests == []
