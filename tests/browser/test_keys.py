"""Entering an API key in the notebook: it reaches the keychain and nothing else."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.page import NotebookPage
from tests.browser.support.panel import ChatPanel

KEY = "sk-canary-9d3e"

# A keychain that works without a desktop: keyring's own interface over a file beside the notebook.
KEYCHAIN = """
import json, os
from pathlib import Path
from keyring.backend import KeyringBackend

class Keyring(KeyringBackend):
    priority = 5
    file = Path(os.environ["VALECHAT_HOME"]) / "keychain.json"
    def _all(self):
        return json.loads(self.file.read_text()) if self.file.exists() else {}
    def get_password(self, service, username):
        return self._all().get(f"{service} {username}")
    def set_password(self, service, username, password):
        self.file.write_text(json.dumps({**self._all(), f"{service} {username}": password}))
    def delete_password(self, service, username):
        self.file.write_text("{}")
"""
USE_KEYCHAIN = "import os; os.environ['PYTHON_KEYRING_BACKEND'] = 'desk_keychain.Keyring'\n"


async def opened(lab: FrontEndUnderTest, home: Path, *cells: str) -> NotebookPage:
    (lab.server.root / "desk_keychain.py").write_text(KEYCHAIN)
    notebook = await lab.open(cells, home=home)
    await notebook.run(1)
    return notebook


async def test_a_key_entered_in_the_dialog_is_in_the_keychain_and_not_in_the_notebook(
    lab: FrontEndUnderTest, tmp_path: Path
) -> None:
    notebook = await opened(
        lab, tmp_path, USE_KEYCHAIN + "%load_ext valechat\n%valechat keys set openai", "%valechat keys"
    )
    field = notebook.cell(1).get_by_label("API key for openai")
    await field.fill(KEY)
    await field.press("Enter")
    await expect(notebook.cell(1)).to_contain_text("stored in the keychain")
    await expect(field).to_have_value("")
    assert KEY in (tmp_path / "keychain.json").read_text()
    await notebook.run(2)
    assert "keychain" in str(await notebook.outputs(2))
    await notebook.save()
    assert KEY not in notebook.path.read_text()
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "keychain.json"]
    assert [path for path in left if KEY.encode() in path.read_bytes()] == []


async def test_a_key_entered_in_the_panel_makes_its_models_usable(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    notebook = await opened(lab, tmp_path, USE_KEYCHAIN + "import valechat\nvalechat.Chat('openai/gpt-5-mini')")
    panel = ChatPanel(notebook, 1)
    await panel.ask("Hello")
    field = panel.root.get_by_label("API key for openai").first
    await field.fill(KEY)
    await field.press("Enter")
    await expect(panel.root).to_contain_text("stored in the keychain")
    await expect(panel.composer).to_have_value("Hello")
    assert KEY not in await panel.root.inner_html()


@pytest.mark.parametrize("key", ["two words", "späß"])
async def test_what_cannot_be_a_key_is_refused_with_the_reason(
    lab: FrontEndUnderTest, tmp_path: Path, key: str
) -> None:
    notebook = await opened(lab, tmp_path, USE_KEYCHAIN + "%load_ext valechat\n%valechat keys set openai")
    field = notebook.cell(1).get_by_label("API key for openai")
    await field.fill(key)
    await field.press("Enter")
    await expect(notebook.cell(1)).to_contain_text("This cannot be a key")
    assert not (tmp_path / "keychain.json").exists()


async def test_without_a_keychain_the_dialog_says_what_else_can_be_done(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    notebook = await opened(lab, tmp_path, "%load_ext valechat\n%valechat keys set openai")
    field = notebook.cell(1).get_by_label("API key for openai")
    await field.fill(KEY)
    await field.press("Enter")
    await expect(notebook.cell(1)).to_contain_text("environment variable")
