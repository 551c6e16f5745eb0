"""What a plugin's sandbox refused is allowed with one click on its card, and taken back there."""

import json
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.plugins import needy
from valechat.sandbox import bubblewrap

pytestmark = pytest.mark.skipif(bool(bubblewrap.unavailable()), reason=bubblewrap.unavailable())


async def test_a_file_that_a_call_was_refused_is_allowed_with_one_click_and_taken_back(
    lab: FrontEndUnderTest, tmp_path: Path
) -> None:
    home, notes = tmp_path / "home", tmp_path / "notes.txt"
    home.mkdir()
    notes.write_text("the notes")
    program, *arguments = needy.command()
    permissions = {"file_read": [], "file_write": [], "network_access": False}
    server = {"id": "files", "command": program, "args": arguments, "permissions": permissions}
    file = home / "mcp_plugins.json"
    file.write_text(json.dumps({"mcp_plugins": {"local_servers": [server], "cloud_services": []}}))
    cell = f"""
import valechat
valechat.plugins.call_tool("files", "read", at={str(notes)!r})
valechat.plugin_manager()
"""
    notebook = await lab.open([cell], home=home)
    await notebook.run(1)
    card = notebook.cell(1).get_by_role("article", name="files")
    offered = card.get_by_role("group", name="files was refused something")
    await expect(offered).to_contain_text(f"Read {notes}", timeout=30_000)
    await notebook.screenshot("grants-offered-light")
    await offered.get_by_role("button", name="Allow reading").click()
    await expect(offered).to_have_count(0, timeout=20_000)
    await expect(card).to_contain_text("Running", timeout=20_000)
    written = json.loads(file.read_text())["mcp_plugins"]["local_servers"][0]["permissions"]
    assert written["file_read"] == [str(notes)]
    await card.get_by_text("About", exact=True).click()
    await expect(card).to_contain_text("files: enforced")
    await notebook.screenshot("grants-given-light")
    await card.get_by_role("button", name="Take back").click()
    await expect(card.get_by_role("button", name="Take back")).to_have_count(0, timeout=20_000)
    assert json.loads(file.read_text())["mcp_plugins"]["local_servers"][0]["permissions"]["file_read"] == []
    assert notebook.errors == []
