"""The panel in a real JupyterLab and a real Notebook 7, from a typed question to a row in the ledger."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.kernels import LOCKED, OLDER
from tests.browser.support.panel import ChatPanel

CHAT = "import valechat\nchat = valechat.Chat('demo/echo')\nchat"
ROWS = "[row for row in valechat.sql('select status, cost_source, cost > 0 from usage').fetchall()]"


async def opened(
    front_end: FrontEndUnderTest, home: Path, *more: str, kernel: str = LOCKED, chat: str = CHAT
) -> ChatPanel:
    """A notebook whose cell 1 shows a panel; `more` cells follow it."""
    notebook = await front_end.open([chat, *more], kernel=kernel, home=home)
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    await expect(panel.composer).to_be_visible()
    return panel


async def test_a_question_is_answered_while_the_answer_is_produced_and_the_next_cell_has_its_cost(
    front_end: FrontEndUnderTest, tmp_path: Path
) -> None:
    panel = await opened(front_end, tmp_path, ROWS)
    await panel.ask("Count to 300")
    await panel.growing(least=80)
    await expect(panel.stop_button).to_be_visible()
    before = len(await panel.answer_text())
    await panel.finished()
    assert len(await panel.answer_text()) > before
    await expect(panel.questions).to_have_text("Count to 300")
    await expect(panel.answers.last.locator(".vc-cost")).to_have_text(re.compile(r"^\$0\.00\d+$"))
    await expect(panel.composer).to_have_value("")
    await panel.notebook.run(2)
    assert await panel.notebook.text(2) == "[('complete', 'priced', True)]"
    assert panel.notebook.errors == []


async def test_stop_keeps_what_had_arrived_and_the_row_says_cancelled(
    front_end: FrontEndUnderTest, tmp_path: Path
) -> None:
    panel = await opened(front_end, tmp_path, ROWS)
    await panel.ask("Count to 500")
    await panel.growing(least=80)
    await panel.stop_button.click()
    await panel.finished()
    await expect(panel.answers.last).to_contain_text("stopped")
    assert len(await panel.answer_text()) >= 80
    await panel.notebook.run(2)
    assert await panel.notebook.text(2) == "[('cancelled', 'estimated', True)]"


@pytest.mark.parametrize("kernel", [LOCKED, OLDER])
async def test_a_click_on_stop_is_answered_while_another_cell_runs(
    lab: FrontEndUnderTest, tmp_path: Path, kernel: str
) -> None:
    panel = await opened(lab, tmp_path, "import time; time.sleep(10)", "'still busy'", kernel=kernel)
    await panel.ask("Count to 500")
    await panel.growing(least=80)
    await panel.notebook.run(2, wait=False)
    await panel.notebook.page.wait_for_timeout(500)
    took = await panel.notebook.page.evaluate(
        """async () => {
            const stop = document.querySelector('.vc-panel button[aria-label="Stop"]');
            const clicked = performance.now();
            stop.click();
            while (!document.querySelector('.vc-answer .vc-figures') && performance.now() - clicked < 30_000) {
                await new Promise((next) => setTimeout(next, 4));
            }
            return performance.now() - clicked;
        }"""
    )
    await expect(panel.answers.last).to_contain_text("stopped")
    assert took < 500
    assert await panel.notebook.cell(2).locator(".jp-InputPrompt").inner_text() == "[*]:"


async def test_a_page_reloaded_in_the_middle_of_an_answer_finds_it_complete(
    front_end: FrontEndUnderTest, tmp_path: Path
) -> None:
    panel = await opened(front_end, tmp_path)
    await panel.notebook.save()
    await panel.ask("Count to 150")
    await panel.growing(least=60)
    await panel.notebook.reload()
    panel = ChatPanel(panel.notebook, 1)
    await panel.finished()
    assert "150" in await panel.answer_text()
    await expect(panel.questions).to_have_text("Count to 150")


async def test_after_a_kernel_restart_the_transcript_is_still_there(
    front_end: FrontEndUnderTest, tmp_path: Path
) -> None:
    panel = await opened(front_end, tmp_path)
    await panel.ask("Remember the word heliotrope")
    await panel.finished()
    saved = await panel.notebook.save()
    (transcript,) = [o for o in saved.cells[1].outputs if "vc-transcript" in str(o.data.get("text/html", ""))]
    assert "heliotrope" in transcript.data["text/markdown"]
    await panel.notebook.restart_kernel()
    await panel.notebook.reload()
    cell = panel.notebook.cell(1)
    await expect(cell.locator(".vc-transcript")).to_contain_text("Remember the word heliotrope")
    await expect(cell.locator(".vc-transcript")).to_be_visible()


async def test_while_the_panel_lives_the_saved_transcript_takes_no_room(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    panel = await opened(lab, tmp_path)
    await panel.ask("Hello")
    await panel.finished()
    transcript = panel.notebook.cell(1).locator(".vc-transcript")
    await expect(transcript).to_have_count(1)
    await expect(transcript).to_be_hidden()


async def test_nothing_said_enters_the_saved_widget_state(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    panel = await opened(lab, tmp_path)
    await panel.ask("The secret word is heliotrope")
    await panel.finished()
    saved = await panel.notebook.save()
    assert "heliotrope" not in str(saved.metadata)


async def test_it_follows_the_theme(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    panel = await opened(lab, tmp_path)
    await panel.ask("Hello")
    await panel.finished()
    colours = {}
    for theme in ("Light", "Dark"):
        await panel.notebook.set_theme(theme)
        ink, paper = await panel.root.evaluate("e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]")
        colours[theme] = (_brightness(ink), _brightness(paper))
        await panel.notebook.screenshot(f"panel-{theme.lower()}")
    await panel.notebook.set_theme("Light")
    (light_ink, light_paper), (dark_ink, dark_paper) = colours["Light"], colours["Dark"]
    assert light_ink < 0.4
    assert light_paper > 0.9
    assert dark_ink > 0.7
    assert dark_paper < 0.2


async def test_shift_enter_begins_a_new_line_and_enter_sends(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    panel = await opened(lab, tmp_path)
    await panel.composer.click()
    await panel.composer.press_sequentially("one")
    await panel.composer.press("Shift+Enter")
    await panel.composer.press_sequentially("two")
    await expect(panel.composer).to_have_value("one\ntwo")
    await expect(panel.questions).to_have_count(0)
    await panel.composer.press("Enter")
    await expect(panel.questions).to_have_text("one\ntwo")


async def test_keys_typed_into_the_composer_reach_no_shortcut_of_the_notebook(
    lab: FrontEndUnderTest, tmp_path: Path
) -> None:
    panel = await opened(lab, tmp_path, "'below'")
    await panel.composer.click()
    await panel.composer.press_sequentially("aabbddxx")
    assert await panel.notebook.source(2) == "'below'"
    await expect(panel.composer).to_have_value("aabbddxx")


async def test_code_can_be_copied_and_inserted_as_a_cell_below(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    panel = await opened(lab, tmp_path, "'last'")
    await panel.ask("Hello")
    await panel.finished()
    await panel.answers.last.get_by_role("button", name="Copy", exact=True).click()
    copied = await panel.notebook.page.evaluate("navigator.clipboard.readText()")
    await panel.answers.last.get_by_role("button", name="Insert below").click()
    assert await panel.notebook.source(2) == copied.rstrip("\n")
    assert "valechat.sql" in copied
    assert await panel.notebook.source(3) == "'last'"


async def test_the_model_menu_shows_what_is_usable_and_the_choice_counts(
    lab: FrontEndUnderTest, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text(
        '[providers.mylab]\nbase_url = "http://127.0.0.1:9/v1"\nmodels = ["scripted"]\n'
        '[prices."mylab/scripted"]\ninput = "1.25"\noutput = "10"\n'
    )
    panel = await opened(lab, tmp_path, "chat.model")
    await panel.root.get_by_role("button", name=re.compile("^Model: ")).click()
    choice = panel.root.get_by_role("option", name=re.compile("scripted"))
    await expect(choice).to_contain_text("$1.25")
    await choice.click()
    await expect(panel.root.locator(".vc-models-name")).to_contain_text("scripted")
    # The click reaches the kernel by another way than the cell does.
    await panel.notebook.run_until(2, "'mylab/scripted'")


async def test_a_chat_shown_twice_is_one_conversation(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    panel = await opened(lab, tmp_path, "chat")
    await panel.notebook.run(2)
    await panel.ask("Hello from the first")
    await panel.finished()
    second = ChatPanel(panel.notebook, 2)
    await expect(second.questions).to_have_text("Hello from the first")
    await second.finished()


def _brightness(colour: str) -> float:
    """0 for black to 1 for white."""
    red, green, blue = (float(number) for number in re.findall(r"[\d.]+", colour)[:3])
    return (0.299 * red + 0.587 * green + 0.114 * blue) / 255
