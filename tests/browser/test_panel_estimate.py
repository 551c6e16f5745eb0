"""What a question would cost, and what the limits leave, before it is sent."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.panel import ChatPanel, pictures
from tests.notebook.chatserver import ChatServer

CHAT = "import valechat\nchat = valechat.Chat('lab/two')\nchat"


@pytest.fixture
def server() -> Iterator[ChatServer]:
    server = ChatServer()
    yield server
    server.close()


async def opened(lab: FrontEndUnderTest, home: Path, server: ChatServer, limits: str, chat: str = CHAT) -> ChatPanel:
    server.configure(home)
    with (home / "config.toml").open("a") as file:
        file.write(limits)
    notebook = await lab.open([chat], home=home)
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    await expect(panel.composer).to_be_visible()
    return panel


async def test_while_one_types_the_cost_and_what_is_left_are_told(
    lab: FrontEndUnderTest, tmp_path: Path, server: ChatServer
) -> None:
    panel = await opened(lab, tmp_path, server, '[limits]\ndaily = "5.00"\n')
    line = panel.root.locator(".vc-estimate")
    await panel.composer.press_sequentially("How many rows have missing values?")
    await expect(line).to_have_text(re.compile(r"tokens.*≈ \$0\.00.*\$5.00 left", re.DOTALL))
    await expect(panel.root.locator(".vc-estimate-details")).to_be_hidden()
    await line.hover()
    await expect(panel.root.get_by_role("tooltip")).to_contain_text("resets at 00:00")
    await pictures(panel, "estimate")
    await panel.composer.press("Enter")
    await panel.finished()
    await expect(line).to_have_count(0)
    assert len(server.requests) == 1
    assert panel.notebook.errors == []


async def test_what_does_not_fit_is_said_before_it_is_refused(
    lab: FrontEndUnderTest, tmp_path: Path, server: ChatServer
) -> None:
    panel = await opened(lab, tmp_path, server, '[limits]\ndaily = "0.0001"\n')
    await panel.composer.fill("Too much?")
    await panel.root.locator(".vc-estimate").focus()
    await expect(panel.root.get_by_role("tooltip")).to_contain_text("more than the daily limit leaves")
    await pictures(panel, "estimate-warning")
    assert server.requests == []
