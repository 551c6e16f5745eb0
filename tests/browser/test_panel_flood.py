"""A reply of 10 MB, sent faster than any screen can show it: the page stays awake."""

import re
from pathlib import Path

from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.panel import ChatPanel
from tests.chatwire import DONE, said
from tests.providers.faults import FaultServer, stream

LONG = ("Lorem **ipsum** dolor sit amet, `code` 0123456789.\n\n" * 200_000)[:10_000_000]
EVENTS = said(*(LONG[start : start + 500] for start in range(0, len(LONG), 500)))
PIECES = [b"".join(EVENTS[start : start + 100]) for start in range(0, len(EVENTS), 100)]

WATCH = """() => {
    window.clicks = 0;
    const button = document.querySelector(".vc-panel .vc-clip");
    button.addEventListener("click", (event) => { window.clicks += 1; event.preventDefault(); });
    document.querySelector(".vc-panel input[type=file]").addEventListener("click", (event) => event.preventDefault());
    const click = () => {
        button.click();
        if (!window.enough) setTimeout(click, 20);
    };
    setTimeout(click, 20);
}"""
"""Clicks again and again, 20 ms after the last click was answered, and counts."""


async def test_clicks_are_answered_while_10_mb_arrive_and_the_rest_comes_on_demand(
    lab: FrontEndUnderTest, tmp_path: Path
) -> None:
    async with FaultServer(stream(*PIECES, DONE)) as server:
        (tmp_path / "config.toml").write_text(
            f'[providers.mylab]\nkind = "openai-compatible"\nbase_url = "{server.url}/v1"\nmodels = ["fast"]\n'
        )
        chat = "import valechat\nchat = valechat.Chat('mylab/fast')\nchat"
        notebook = await lab.open([chat, "valechat.sql('select status from usage').fetchall()"], home=tmp_path)
        await notebook.run(1)
        panel = ChatPanel(notebook, 1)
        await expect(panel.composer).to_be_visible()
        await notebook.page.evaluate(WATCH)
        await panel.ask("Go")
        before = await notebook.page.evaluate("window.clicks")
        await notebook.page.wait_for_function("document.querySelector('.vc-panel .vc-more')", timeout=60_000)
        more = panel.answers.last.get_by_role("button", name=re.compile("Show more"))
        await expect(more).to_have_text(re.compile(r"9,900,000 characters left"), timeout=60_000)
        after = await notebook.page.evaluate("() => { window.enough = true; return window.clicks; }")
        await notebook.screenshot("flood")
        await more.click()
        await expect(more).to_have_text(re.compile(r"9,800,000 characters left"))
        await expect(panel.answers.last.locator(".vc-rest")).to_have_count(1)
        await notebook.run(2)
        assert await notebook.text(2) == "[('complete',)]"
        saved = await notebook.save()
        assert len(str(saved)) < 1_000_000
    assert after - before > 5
