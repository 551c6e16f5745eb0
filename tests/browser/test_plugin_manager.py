"""The plugin manager in a real JupyterLab, over real servers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from playwright.async_api import Locator, expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.page import NotebookPage
from tests.browser.test_keys import KEYCHAIN, USE_KEYCHAIN

UNRULY = Path(__file__).parents[1] / "plugins" / "unruly.py"
SECRET = "ghp_canary_5b1c"
OPEN = "import valechat\nvalechat.plugin_manager()"


def write_plugins(home: Path, *servers: dict[str, object]) -> Path:
    file = home / "mcp_plugins.json"
    file.write_text(json.dumps({"mcp_plugins": {"local_servers": list(servers), "cloud_services": []}}, indent=2))
    return file


def unruly(plugin: str = "unruly", *options: str, **fields: object) -> dict[str, object]:
    return {"id": plugin, "command": sys.executable, "args": ["-I", "-S", str(UNRULY), *options], **fields}


async def opened(lab: FrontEndUnderTest, home: Path) -> tuple[NotebookPage, Locator]:
    notebook = await lab.open([OPEN], home=home)
    await notebook.run(1)
    manager = notebook.cell(1).locator(".vcp")
    await expect(manager.get_by_role("button", name="Settings")).to_be_enabled(timeout=20_000)
    return notebook, manager


async def pictured(notebook: NotebookPage, name: str) -> None:
    """The state in both themes, for a person to look at."""
    await notebook.set_theme("Dark")
    await notebook.screenshot(f"plugins-{name}-dark")
    await notebook.set_theme("Light")
    await notebook.screenshot(f"plugins-{name}-light")


async def test_a_plugin_is_enabled_tried_and_disabled_in_its_card(front_end: FrontEndUnderTest, tmp_path: Path) -> None:
    file = write_plugins(tmp_path, unruly(name="Unruly server", description="Misbehaves on demand.", enabled=False))
    notebook, manager = await opened(front_end, tmp_path)
    card = manager.get_by_role("article", name="Unruly server")
    await expect(card).to_contain_text("Disabled")
    await card.get_by_role("button", name="Enable Unruly server").click()
    await expect(card).to_contain_text("Running", timeout=20_000)
    await expect(card).to_contain_text("13 tools · ")
    await card.get_by_text("Tools (13)").click()
    await card.get_by_role("button", name="Try echo").click()
    await card.get_by_label("text").fill("hello there")
    await card.get_by_role("button", name="Run").click()
    await expect(card.get_by_role("region", name="Result")).to_contain_text("hello there")
    await pictured(notebook, f"tried-{front_end.server.front_end}")
    await card.get_by_role("switch", name="Offer die to models").click()
    await expect(card).to_contain_text("12 of 13 tools on")
    assert json.loads(file.read_text())["mcp_plugins"]["local_servers"][0]["tools_off"] == ["die"]
    await card.get_by_role("button", name="Disable Unruly server").click()
    await expect(card).to_contain_text("Disabled")
    assert json.loads(file.read_text())["mcp_plugins"]["local_servers"][0]["enabled"] is False
    assert "hello there" not in str(await notebook.save())
    assert notebook.errors == []


async def test_after_a_reload_of_the_page_the_manager_is_there_again(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    write_plugins(tmp_path, unruly(name="Unruly server"))
    notebook, manager = await opened(lab, tmp_path)
    await expect(manager.get_by_role("article", name="Unruly server")).to_contain_text("Running", timeout=20_000)
    await notebook.save()
    await notebook.reload()
    card = notebook.cell(1).get_by_role("article", name="Unruly server")
    await expect(card).to_contain_text("13 tools", timeout=20_000)
    await card.get_by_role("button", name="Disable Unruly server").click()
    await expect(card).to_contain_text("Disabled", timeout=10_000)


async def test_an_error_says_what_to_do_and_when_it_is_tried_again(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    write_plugins(
        tmp_path,
        unruly("dies", "--die-at-start", "3"),
        {"id": "missing", "name": "Not installed", "command": "no-such-program-anywhere"},
        unruly("asks", name="Needs a token", env={"SERVICE_TOKEN": "${SERVICE_TOKEN}"}),
    )
    notebook, manager = await opened(lab, tmp_path)
    await expect(manager.get_by_role("article", name="dies")).to_contain_text("Retrying, attempt", timeout=20_000)
    await expect(manager.get_by_role("article", name="Not installed")).to_contain_text("not installed")
    asks = manager.get_by_role("article", name="Needs a token")
    await expect(asks).to_contain_text("SERVICE_TOKEN")
    await expect(asks.get_by_label("Value of SERVICE_TOKEN")).to_be_visible()
    await pictured(notebook, "errors")


async def test_a_missing_secret_entered_in_the_card_is_nowhere_but_in_the_keychain(
    lab: FrontEndUnderTest, tmp_path: Path
) -> None:
    (lab.server.root / "desk_keychain.py").write_text(KEYCHAIN)
    write_plugins(tmp_path, unruly("asks", env={"SERVICE_TOKEN": "${SERVICE_TOKEN}"}))
    notebook = await lab.open([USE_KEYCHAIN + OPEN], home=tmp_path)
    await notebook.run(1)
    card = notebook.cell(1).get_by_role("article", name="asks")
    field = card.get_by_label("Value of SERVICE_TOKEN")
    await field.fill(SECRET, timeout=20_000)
    await field.press("Enter")
    await expect(card).to_contain_text("Running", timeout=20_000)
    assert SECRET in (tmp_path / "keychain.json").read_text()
    await notebook.save()
    assert SECRET not in notebook.path.read_text()
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "keychain.json"]
    assert [path for path in left if SECRET.encode() in path.read_bytes()] == []


async def test_the_log_the_configuration_and_facts_unfold_and_stay_live(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    write_plugins(tmp_path, unruly("unruly", env={"API_TOKEN": "sk-canary-77", "MODE": "fast"}))
    notebook, manager = await opened(lab, tmp_path)
    card = manager.get_by_role("article", name="unruly")
    await expect(card).to_contain_text("Running", timeout=20_000)
    await card.get_by_text("Log", exact=True).click()
    await card.get_by_text("Configuration", exact=True).click()
    await expect(card.get_by_label("Entry in the file, secrets hidden")).to_contain_text('"MODE": "fast"')
    await expect(card).not_to_contain_text("sk-canary-77")
    await card.get_by_label("Timeout of a call, seconds").fill("2.5")
    await card.get_by_role("button", name="Save").click()
    await expect(card.get_by_label("Entry in the file, secrets hidden")).to_contain_text('"call_timeout": 2.5')
    await card.get_by_text("About", exact=True).click()
    await expect(card).to_contain_text("2025-11-25")
    await pictured(notebook, "parts")
    await card.get_by_text("Tools (13)").click()
    await card.get_by_role("button", name="Try say").click()
    await card.get_by_label("text").fill("\x1b[31mred words\x1b[0m on stderr")
    await card.get_by_role("button", name="Run").click()
    await expect(card.get_by_role("log")).to_contain_text("red words on stderr", timeout=10_000)
    await card.get_by_role("button", name="Try never").click()
    await card.locator(".vcp-tool", has_text="Does not answer").get_by_role("button", name="Run").click()
    await expect(card).to_contain_text("took longer than 2.5 s", timeout=10_000)
    saved = await notebook.save()
    assert "red words" not in str(saved)
    assert "sk-canary-77" not in str(saved)


async def test_plugins_are_added_from_the_catalogue_as_json_and_by_form(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    catalogue = tmp_path / "catalogue"
    catalogue.mkdir()
    entry = {
        "id": "own",
        "name": "Our own server",
        "description": "Made for this test.",
        "inputs": [{"name": "mode", "title": "Mode", "description": "Any word."}],
        "server": {"command": sys.executable, "args": ["-I", "-S", str(UNRULY)], "env": {"MODE": "{mode}"}},
    }
    (catalogue / "own.json").write_text(json.dumps({"plugins": [entry]}))
    notebook, manager = await opened(lab, tmp_path)
    await expect(manager).to_contain_text("No plugins yet")
    await pictured(notebook, "empty")
    await manager.get_by_role("button", name="Choose one from the catalogue").click()
    await manager.get_by_label("Search the catalogue").fill("made for this")
    await manager.get_by_role("button", name="Add Our own server").click()
    await manager.get_by_role("button", name="Add and start").click()
    await expect(manager).to_contain_text("This is needed.")
    await manager.get_by_label("Mode").fill("quiet")
    await pictured(notebook, "catalogue")
    await manager.get_by_role("button", name="Add and start").click()
    await expect(manager.get_by_role("article", name="Our own server")).to_contain_text("Running", timeout=20_000)

    await manager.get_by_role("button", name="Add", exact=True).click()
    await manager.get_by_role("tab", name="Catalogue").press("ArrowRight")
    await manager.get_by_role("tab", name="Form").press("ArrowRight")
    pasted = {"mcpServers": {"pasted": {"command": sys.executable, "args": ["-I", "-S", str(UNRULY)]}}}
    await manager.get_by_label("JSON of one or more servers").fill(json.dumps(pasted))
    await manager.get_by_role("button", name="Add and start").click()
    await expect(manager.get_by_role("article", name="pasted")).to_contain_text("Running", timeout=20_000)

    await manager.get_by_role("button", name="Add", exact=True).click()
    await manager.get_by_role("tab", name="Form").click()
    await pictured(notebook, "form")
    await manager.get_by_label("ID", exact=True).fill("pasted")
    await manager.get_by_label("Command").fill(f'{sys.executable} -I -S "{UNRULY}" --tools 5')
    await manager.get_by_role("button", name="Add and start").click()
    await expect(manager.get_by_role("alert")).to_contain_text('There is a plugin "pasted" already.')
    await manager.get_by_label("ID", exact=True).fill("formed")
    await manager.get_by_role("button", name="Add and start").click()
    await expect(manager.get_by_role("article", name="formed")).to_contain_text("18 tools", timeout=20_000)

    await manager.get_by_role("button", name="Remove formed").click()
    await manager.get_by_role("group", name="Remove formed").get_by_role("button", name="Remove").click()
    await expect(manager.get_by_role("article", name="formed")).to_have_count(0)
    assert "formed" not in (tmp_path / "mcp_plugins.json").read_text()
    assert notebook.errors == []


async def test_servers_of_another_program_are_found_and_imported(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    project = {"servers": {"theirs": {"command": sys.executable, "args": ["-I", "-S", str(UNRULY)]}}}
    (lab.server.root / ".vscode").mkdir(exist_ok=True)
    (lab.server.root / ".vscode" / "mcp.json").write_text(json.dumps(project))
    notebook, manager = await opened(lab, tmp_path)
    await manager.get_by_role("button", name="Import from another program").click()
    await expect(manager).to_contain_text("theirs", timeout=10_000)
    await pictured(notebook, "import")
    form = manager.locator(".vcp-foreign", has_text=".vscode")
    await form.get_by_role("button", name="Import").click()
    await expect(manager.get_by_role("article", name="theirs")).to_contain_text("Running", timeout=20_000)
    await manager.get_by_role("button", name="Settings").click()
    await expect(manager).to_contain_text("mcp_plugins.json")
    await pictured(notebook, "settings")


async def test_all_of_it_works_by_keyboard_and_fits_a_narrow_column(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    write_plugins(tmp_path, unruly("large", "--tools", "1000", name="A server with a very long name indeed"))
    notebook, manager = await opened(lab, tmp_path)
    card = manager.get_by_role("article")
    await expect(card).to_contain_text("1,013 tools", timeout=30_000)
    await manager.get_by_role("button", name="Settings").focus()
    keyboard = notebook.page.keyboard
    await keyboard.press("Tab")
    await expect(card.get_by_role("button", name="Restart")).to_be_focused()
    for _ in range(2):
        await keyboard.press("Tab")
    await expect(card.get_by_role("button", name="Disable")).to_be_focused()
    await keyboard.press("Tab")
    await keyboard.press("Enter")
    await expect(card.get_by_role("listitem")).to_have_count(100, timeout=10_000)
    await keyboard.press("Tab")
    await keyboard.type("number 999")
    await expect(card.get_by_role("listitem")).to_have_count(1)
    outline = await card.get_by_role("searchbox").evaluate("one => getComputedStyle(one).outlineStyle")
    assert outline != "none"
    await notebook.page.evaluate("width => (document.querySelector('.vcp').style.width = width)", "300px")
    overflowing = await manager.evaluate(
        "root => [...root.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right"
        " > root.getBoundingClientRect().right + 1).map((one) => one.className)"
    )
    assert overflowing == []
    await pictured(notebook, "narrow")


async def test_a_broken_file_is_shown_and_leaves_running_plugins_alone(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    file = write_plugins(tmp_path, unruly("steady"))
    _, manager = await opened(lab, tmp_path)
    card = manager.get_by_role("article", name="steady")
    await expect(card).to_contain_text("Running", timeout=20_000)
    good = file.read_text()
    file.write_text(good[:-3])
    await expect(manager.get_by_role("alert").first).to_contain_text("this is not valid JSON", timeout=10_000)
    await expect(card).to_contain_text("Running")
    file.write_text(good)
    await expect(manager.get_by_role("alert")).to_have_count(0, timeout=10_000)
