"""A provider that is left alone, as a person sees it."""

import re
from pathlib import Path
from typing import Literal

from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.panel import ChatPanel

THEMES: tuple[Literal["Dark"], Literal["Light"]] = ("Dark", "Light")
CHAT = """import stamina; stamina.set_active(False)
import valechat
chat = valechat.Chat('mylab/scripted')
chat"""


async def test_a_provider_that_failed_three_times_is_named_with_its_reason_and_the_seconds_left(
    lab: FrontEndUnderTest, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text(
        '[providers.mylab]\nkind = "openai-compatible"\nbase_url = "http://127.0.0.1:9/v1"\nmodels = ["scripted"]\n'
    )
    notebook = await lab.open([CHAT], home=tmp_path)
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    line = panel.root.locator(".vc-foot .vc-breaker")
    for _ in range(3):
        await expect(line).to_have_count(0)
        await panel.ask("Are you there?")
        await expect(panel.error).to_be_visible()
        await expect(panel.composer).to_have_value("Are you there?")
        await panel.root.get_by_role("button", name="Dismiss").click()
    await expect(line).to_contain_text(re.compile(r"mylab failed several times in a row\. It is tried again in \d+ s"))
    before = await line.locator(".vc-breaker-again").inner_text()
    await expect(line.locator(".vc-breaker-again")).not_to_have_text(before)
    await panel.root.get_by_role("button", name=re.compile("^Model: ")).click()
    await expect(panel.root.get_by_role("group", name="mylab").locator(".vc-breaker")).to_be_visible()
    for theme in THEMES:
        await notebook.set_theme(theme)
        await notebook.screenshot(f"breaker-{theme.lower()}")
