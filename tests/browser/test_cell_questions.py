"""Questions of a running cell in a real JupyterLab: buttons below it, answered while it runs."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.test_plugin_manager import unruly, write_plugins

QUESTION = '%%valechat demo/echo --tools unruly_echo\nuse the tool unruly_echo with {"text": "said by the plugin"}'


async def test_a_models_call_is_allowed_by_a_button_below_the_waiting_cell(
    lab: FrontEndUnderTest, tmp_path: Path
) -> None:
    write_plugins(tmp_path, unruly(enabled=False))
    notebook = await lab.open(["%load_ext valechat", QUESTION, QUESTION], home=tmp_path)
    await notebook.run(1)
    await notebook.run(2, wait=False)
    cell = notebook.cell(2)
    question = cell.get_by_role("group", name="May unruly run echo?")
    await expect(question).to_contain_text("said by the plugin", timeout=20_000)
    await notebook.screenshot("question-in-a-cell")
    await question.get_by_role("button", name="Allow once").click(timeout=10_000)
    await expect(cell).to_contain_text("unruly_echo answered: said by the plugin", timeout=10_000)
    await expect(cell).to_contain_text("Allowed, this once: unruly echo")
    await expect(cell.locator(".vc-questions")).to_have_count(0)
    await notebook.wait_idle()
    assert notebook.errors == []


async def test_a_refusal_by_a_button_reaches_the_model_and_an_await_can_be_answered_too(
    lab: FrontEndUnderTest, tmp_path: Path
) -> None:
    write_plugins(tmp_path, unruly(enabled=False))
    ask = (
        "import valechat\n"
        "chat = valechat.Chat('demo/echo', plugins=['unruly'])\n"
        'reply = await chat.ask(\'use the tool unruly_echo with {"text": "never said"}\')\n'
        "print(reply.text)"
    )
    notebook = await lab.open([ask], home=tmp_path)
    await notebook.run(1, wait=False)
    cell = notebook.cell(1)
    question = cell.get_by_role("group", name="May unruly run echo?")
    await expect(question).to_contain_text("never said", timeout=20_000)
    await question.get_by_role("button", name="Don't allow").click(timeout=10_000)
    await expect(cell).to_contain_text("Not allowed, this once: unruly echo", timeout=10_000)
    await notebook.wait_idle()
