"""Plugins in a real panel: a real server's tools with consent, its progress, questions, prompts and resources."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.panel import ChatPanel, pictures
from tests.notebook.chatserver import ChatServer
from valechat.plugins.file import PluginsFile

PLUGINS = Path(__file__).parents[1] / "plugins"


@pytest.fixture
def server() -> Iterator[ChatServer]:
    server = ChatServer()
    yield server
    server.close()


async def opened(lab: FrontEndUnderTest, home: Path, server: ChatServer, model: str = "caller") -> ChatPanel:
    """A panel whose chat uses two plugins."""
    server.configure(home)
    file = PluginsFile(home / "mcp_plugins.json")
    file.add({"id": "capable", "name": "Capable", "command": sys.executable, "args": [str(PLUGINS / "capable.py")]})
    file.add({"id": "unruly", "name": "Unruly", "command": sys.executable, "args": [str(PLUGINS / "unruly.py")]})
    chat = f"import valechat\nchat = valechat.Chat('lab/{model}', plugins=['capable', 'unruly'])\nchat"
    notebook = await lab.open([chat, "chat.plugins"], home=home)
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    await expect(panel.composer).to_be_visible()
    return panel


async def test_a_tool_is_asked_about_on_its_card_and_then_runs(
    front_end: FrontEndUnderTest, tmp_path: Path, server: ChatServer
) -> None:
    panel = await opened(front_end, tmp_path, server)
    await panel.ask('capable_add {"a": 2, "b": 3}')
    card = panel.root.locator("details.vc-tool")
    ask = card.locator(".vc-ask")
    await expect(ask).to_be_visible(timeout=60_000)
    await expect(ask).to_contain_text("May capable run add?")
    await expect(ask).to_be_focused()
    await panel.notebook.page.keyboard.press("Enter")
    await pictures(panel, f"tool-approval-{front_end.server.front_end}")
    await ask.get_by_role("button", name="Allow once").click()
    await panel.finished()
    await expect(card.locator(".vc-tool-state")).to_contain_text("done")
    await expect(panel.composer).to_be_focused()
    await card.locator("summary").click()
    await expect(card.locator(".vc-tool-result")).to_contain_text("5")
    await pictures(panel, f"tool-done-{front_end.server.front_end}")
    assert panel.notebook.errors == []


async def test_what_is_always_allowed_is_not_asked_again_and_progress_is_a_bar(
    lab: FrontEndUnderTest, tmp_path: Path, server: ChatServer
) -> None:
    panel = await opened(lab, tmp_path, server)
    await panel.ask('unruly_progress {"steps": 3}')
    await expect(panel.root.locator(".vc-ask")).to_be_visible(timeout=60_000)
    await panel.root.get_by_role("button", name="Always for this plugin").click()
    await panel.finished()
    await panel.ask('unruly_sleep {"seconds": 0.1}')
    await panel.finished(2)
    await expect(panel.root.locator("details.vc-tool")).to_have_count(2)
    await expect(panel.root.locator(".vc-ask")).to_have_count(0)


async def test_a_tool_that_was_not_allowed_did_not_run(
    lab: FrontEndUnderTest, tmp_path: Path, server: ChatServer
) -> None:
    panel = await opened(lab, tmp_path, server)
    await panel.ask('unruly_echo {"text": "secret"}')
    await panel.root.get_by_role("button", name="Don't allow").click(timeout=60_000)
    await panel.finished()
    await expect(panel.root.locator(".vc-tool-failed")).to_have_count(1)


async def test_a_result_of_every_kind_is_drawn_and_a_long_one_is_brought_whole(
    lab: FrontEndUnderTest, tmp_path: Path, server: ChatServer
) -> None:
    panel = await opened(lab, tmp_path, server)
    await panel.ask("capable_everything")
    await panel.root.get_by_role("button", name="Always for this plugin").click(timeout=60_000)
    await panel.finished()
    card = panel.root.locator("details.vc-tool").first
    await card.locator("summary").click()
    await expect(card.locator("img.vc-tool-image")).to_be_visible()
    await expect(card.locator(".vc-tool-result")).to_contain_text("https://example.com/c")
    await expect(card.locator(".vc-tool-path").first).to_contain_text("tool_results")
    await pictures(panel, "tool-result")
    await panel.ask('unruly_big {"bytes": 150000}')
    await panel.root.get_by_role("button", name="Allow once").click()
    await panel.finished(2)
    card = panel.root.locator("details.vc-tool").last
    await card.locator("summary").click()
    await card.get_by_role("button", name="Show all").click()
    await card.get_by_role("button", name="Show more").click()
    await expect(card.locator(".vc-tool-more")).to_have_count(0)
    shown = await card.locator(".vc-tool-result").evaluate("e => e.textContent.replace(/\\s+$/, '').length")
    assert shown >= 150_000


async def test_a_server_asks_for_a_form_in_the_middle_of_its_call(
    lab: FrontEndUnderTest, tmp_path: Path, server: ChatServer
) -> None:
    panel = await opened(lab, tmp_path, server)
    await panel.ask("capable_ask_name")
    await panel.root.get_by_role("button", name="Allow once").click(timeout=60_000)
    form = panel.root.locator(".vc-form")
    await form.get_by_label("Name").fill("Ada")
    await form.get_by_role("button", name="Send").click()
    await panel.finished()
    await expect(panel.answers.last).to_contain_text("accept: Ada")


async def test_the_menu_shows_what_plugins_cost_and_switches_them(
    lab: FrontEndUnderTest, tmp_path: Path, server: ChatServer
) -> None:
    panel = await opened(lab, tmp_path, server)
    await panel.root.get_by_role("button", name="Plugins: 2 in use").click()
    switch = panel.root.get_by_role("switch", name="Use Capable in this chat")
    await switch.uncheck()
    await expect(panel.root.get_by_role("button", name="Plugins: 1 in use")).to_be_visible()
    await panel.notebook.run_until(2, "('unruly',)")
    if not await switch.is_visible():
        await panel.root.get_by_role("button", name="Plugins: 1 in use").click()
    await switch.check()
    await expect(panel.root.locator(".vc-plugin-running", has_text="Capable")).to_contain_text("tools", timeout=60_000)
    for theme in ("Dark", "Light"):
        await panel.notebook.set_theme("Dark" if theme == "Dark" else "Light")
        if not await panel.root.locator(".vc-plugins-menu").is_visible():
            await panel.root.locator(".vc-plugins-button").click()
        await panel.notebook.screenshot(f"plugins-menu-{theme.lower()}")
    await panel.root.get_by_role("button", name="Manage…").click()
    assert "valechat.plugin_manager()" in await panel.notebook.source(2)


async def test_a_prompt_is_a_slash_command_with_the_servers_help(
    front_end: FrontEndUnderTest, tmp_path: Path, server: ChatServer
) -> None:
    panel = await opened(front_end, tmp_path, server, "two")
    await panel.root.get_by_role("button", name="Plugins: 2 in use").click()
    switch = panel.root.get_by_role("switch", name="Use Capable in this chat")
    await switch.uncheck()
    await switch.check()
    await expect(panel.root.locator(".vc-plugin-running", has_text="Capable")).to_be_visible(timeout=60_000)
    await panel.composer.click()
    await panel.composer.press_sequentially("/gr")
    await expect(panel.root.get_by_role("option")).to_contain_text("/greet")
    await panel.notebook.screenshot(f"slash-menu-{front_end.server.front_end}")
    await panel.composer.press("Enter")
    form = panel.root.locator(".vc-arguments")
    await form.get_by_label("name").press_sequentially("A")
    await expect(form.locator("datalist option")).to_have_count(2)
    await pictures(panel, f"slash-form-{front_end.server.front_end}")
    await form.get_by_label("name").fill("Ada")
    await form.get_by_role("button", name="Insert").click()
    await expect(panel.composer).to_have_value("Greet Ada in a kind tone.")
    await panel.root.get_by_role("button", name="Attach from a plugin").click()
    await expect(panel.root.get_by_role("option")).to_have_count(3)
    await panel.notebook.screenshot(f"resources-menu-{front_end.server.front_end}")
    await panel.root.get_by_role("option").filter(has_text="note://first").click()
    await expect(panel.root.locator(".vc-composer .vc-file-name")).to_have_text("first")
    await panel.composer.press("Enter")
    await panel.finished()
    assert "hello" in str(server.requests[-1]["messages"][-1]["content"])
    assert panel.notebook.errors == []
