"""What the panel shows when a model server fails: what happened, what to do, and the text still there."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.panel import ChatPanel
from tests.providers import faults

CHAT = "import valechat\nvalechat.Chat('mylab/scripted')"
ROWS = "valechat.sql('select status, cost_source, cost = 0 from usage').fetchall()"
WORDS = [b'data: {"choices":[{"index":0,"delta":{"content":"Half an"}}]}\n\n']
KEY = "sk-canary-5f1c"

REFUSALS = {
    "wrong key": (
        faults.whole(b'{"error": {"message": "Incorrect API key: %s"}}' % KEY.encode(), status=401),
        "Incorrect API key",
        "[('failed', 'priced', True)]",
    ),
    "unknown model": (
        faults.whole(b'{"error": {"message": "The model scripted does not exist"}}', status=404),
        "does not exist",
        "[('failed', 'priced', True)]",
    ),
    "server that hangs": (
        faults.hanging(begun=False),
        "sent nothing complete for 2 s",
        "[('failed', 'estimated', False)]",
    ),
}

BREAKS = {
    "connection cut in the middle": (faults.cut_stream(*WORDS), "broke off"),
    "half a JSON line": (faults.stream(*WORDS, b'data: {"choices":[{"ind'), "broke off"),
}


async def asked(front_end: FrontEndUnderTest, home: Path, url: str) -> ChatPanel:
    """A panel on a model of a server at `url`, with a question sent."""
    (home / "config.toml").write_text(
        f'[providers.mylab]\nbase_url = "{url}/v1"\napi_key = "{KEY}"\nmodels = ["scripted"]\ntimeout = 2\n'
        '[prices."mylab/scripted"]\ninput = "1.25"\noutput = "10"\n'
    )
    notebook = await front_end.open([CHAT, ROWS], home=home)
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    await panel.ask("What is the answer?")
    return panel


async def row(panel: ChatPanel) -> str:
    await panel.notebook.run(2)
    return await panel.notebook.text(2)


@pytest.mark.parametrize("fault", REFUSALS)
async def test_a_question_that_found_no_answer_is_back_in_the_composer_with_the_reason(
    lab: FrontEndUnderTest, tmp_path: Path, fault: str
) -> None:
    script, words, expected = REFUSALS[fault]
    async with faults.FaultServer(script) as server:
        panel = await asked(lab, tmp_path, server.url)
        await expect(panel.error).to_contain_text(words)
        await expect(panel.composer).to_have_value("What is the answer?")
        await expect(panel.questions).to_have_count(0)
        assert KEY not in await panel.root.inner_text()
        assert await row(panel) == expected


async def test_a_server_that_is_down_is_tried_again_and_then_said(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    async with faults.FaultServer(faults.whole()) as server:
        url = server.url
    panel = await asked(lab, tmp_path, url)
    await expect(panel.root.get_by_text("Retrying in").first).to_be_visible()
    await expect(panel.error).to_contain_text("mylab", timeout=20_000)
    await expect(panel.composer).to_have_value("What is the answer?")
    assert await row(panel) == "[('failed', 'priced', True)]"


@pytest.mark.parametrize("fault", BREAKS)
async def test_an_answer_that_breaks_off_is_kept_with_the_reason(
    lab: FrontEndUnderTest, tmp_path: Path, fault: str
) -> None:
    script, words = BREAKS[fault]
    async with faults.FaultServer(script) as server:
        panel = await asked(lab, tmp_path, server.url)
        await panel.finished()
        await expect(panel.answers.last).to_contain_text("Half an")
        await expect(panel.answers.last).to_contain_text(words)
        assert await row(panel) == "[('failed', 'estimated', False)]"


async def test_a_stop_closes_the_connection_at_once(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(faults.FaultServer(faults.hanging(*WORDS)))
        panel = await asked(lab, tmp_path, server.url)
        await expect(panel.answers.last).to_contain_text("Half an")
        assert not server.client_left.is_set()
        await panel.stop_button.click()
        async with asyncio.timeout(1):
            await server.client_left.wait()


async def test_a_missing_key_offers_to_enter_one(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    notebook = await lab.open(["import valechat\nvalechat.Chat('openai/gpt-5-mini')"], home=tmp_path)
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    await panel.ask("Hello")
    await expect(panel.error).to_contain_text("No key was found for openai")
    await expect(panel.composer).to_have_value("Hello")
    await expect(panel.root.get_by_label("API key for openai")).to_be_visible()


async def test_a_limit_says_what_is_left_and_when_it_resets(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[limits]\ndaily = "0.000001"\n')
    notebook = await lab.open(["import valechat\nvalechat.Chat('demo/echo')", ROWS], home=tmp_path)
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    await panel.ask("Hello")
    await expect(panel.error).to_contain_text("The daily limit of")
    await expect(panel.error).to_contain_text("resets at")
    await expect(panel.composer).to_have_value("Hello")
    assert await row(panel) == "[]"
