"""The panel where each byte takes its time, as from home to a JupyterHub."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest, Pages
from tests.browser.support.panel import ChatPanel
from tests.browser.support.server import JupyterServer
from tests.browser.support.slowlink import SlowLink, slow_link

ONE_WAY = 0.15
"""Seconds; there and back it is more than the 200 ms that are asked for."""


@pytest_asyncio.fixture(loop_scope="session")
async def link(lab_server: JupyterServer) -> AsyncIterator[SlowLink]:
    async with slow_link(lab_server) as found:
        yield found


async def test_an_answer_streams_and_stops_over_a_slow_link(
    lab_server: JupyterServer, link: SlowLink, pages: Pages, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    lab = FrontEndUnderTest(pages, link.server, request.node.name)
    try:
        notebook = await lab.open(["import valechat\nvalechat.Chat('demo/echo')"], home=tmp_path, alone=True)
        link.delay = ONE_WAY
        await notebook.run(1)
        panel = ChatPanel(notebook, 1)
        await panel.ask("Count to 60")
        await panel.growing(least=40)
        await panel.finished()
        assert " 59 60 " in " ".join((await panel.answer_text()).split())
        await panel.ask("Count to 2000")
        await expect(panel.answers).to_have_count(2)
        await panel.growing(least=80)
        await panel.stop_button.click()
        await panel.finished(2)
        await expect(panel.answers.last).to_contain_text("stopped")
        assert notebook.errors == []
    finally:
        lab.server = lab_server  # which answers while this blocks; the link is carried by this very loop
        await lab.close(failed=False)
