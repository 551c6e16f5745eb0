"""The notebook's variables in the composer, and tools of the notebook, as a person uses them."""

from pathlib import Path

from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.panel import ChatPanel, pictures

CELL = """import pandas as pd, matplotlib.pyplot as plt, valechat
sales = pd.DataFrame({'region': ['North', 'South'] * 500, 'price_eur': range(1000), 'api_key': ['hunter2'] * 1000})
fig, axes = plt.subplots(figsize=(4, 2)); axes.plot(sales.price_eur); axes.set_title('Price'); plt.close(fig)
threshold = 5
open('readings.csv', 'w').write('a,b\\n1,2\\n')
chat = valechat.Chat('demo/echo')
chat"""
STORED = """from valechat.engine import engine
print([part.name for part in engine().run(chat.stored())[0].message.parts[1:]])"""


async def test_variables_are_found_previewed_and_sent_by_keyboard(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    notebook = await lab.open([CELL, STORED], home=home)
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    await expect(panel.composer).to_be_enabled()
    await panel.composer.press_sequentially("Compare @")
    options = panel.root.get_by_role("listbox", name="Attach").get_by_role("option")
    await expect(options.filter(has_text="sales")).to_contain_text("1,000 × 3")
    await expect(options.filter(has_text="readings.csv")).to_be_visible()
    await notebook.screenshot("variables-menu")
    await panel.composer.press_sequentially("sal")
    await panel.composer.press("Enter")
    await panel.composer.press_sequentially("with @fig")
    show = panel.root.get_by_role("button", name="@sales, DataFrame")
    await expect(show).to_contain_text("tokens")
    await expect(panel.root.get_by_role("button", name="@fig, Figure").locator("img")).to_be_visible()
    await show.press("Enter")
    preview = panel.root.get_by_role("region", name="What is sent of @sales")
    await expect(preview).to_contain_text("- price_eur (int64): 0 to 999, mean 499.5")
    await expect(preview).to_contain_text("Hidden, because it looks like a secret: column `api_key`")
    assert "hunter2" not in await preview.inner_text()
    await pictures(panel, "variables-preview")
    await preview.press("Escape")
    await panel.composer.press("Enter")
    await panel.finished()
    await expect(panel.questions.locator(".vc-picture img")).to_be_visible()
    await panel.composer.press("ArrowUp")
    await expect(panel.composer).to_have_value("Compare @sales with @fig")
    await notebook.run(2)
    assert (await notebook.text(2)).strip() == "['@sales', '@fig', '@fig']"


TOOLS = """import valechat
chat = valechat.Chat('demo/echo', tools=['notebook'])
total = 20
chat"""
ASK = 'use the tool run_code with {"code": "answer = total + 22\\nprint(\\"counted\\")\\nanswer"}'


async def test_code_of_a_model_is_shown_asked_about_and_runs_in_the_kernel(
    lab: FrontEndUnderTest, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    notebook = await lab.open([TOOLS, "print(answer)"], home=home)
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    await expect(panel.composer).to_be_enabled()
    await panel.ask(ASK)
    card = panel.root.locator(".vc-tool")
    await expect(card.get_by_role("heading", name="May notebook run run_code?")).to_be_visible()
    await expect(card).to_contain_text('print("counted")')
    await expect(card.get_by_role("button", name="Always for this tool")).to_have_count(0)
    await pictures(panel, "tools-code-asked")
    allow = card.get_by_role("button", name="Allow once")
    await expect(allow).to_be_enabled()
    await allow.click()
    await panel.finished()
    await card.locator("summary").click()
    await expect(card.locator(".vc-tool-result")).to_contain_text("Result: 42")
    await panel.picture("tools-code-ran")
    await panel.root.get_by_role("button", name="Plugins: 1 in use").click()
    await expect(panel.root.get_by_role("switch", name="Use This notebook in this chat")).to_be_checked()
    await notebook.screenshot("tools-menu")
    await notebook.run(2)
    assert (await notebook.text(2)).strip() == "42"
