"""Questions to the user in a real panel: answered with mouse and keyboard, and never by accident."""

import re
from pathlib import Path

from playwright.async_api import expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.panel import ChatPanel, pictures
from tests.xss.corpus import PAYLOADS, Watch, dangers

CHAT = "import valechat\nchat = valechat.Chat('demo/echo')\nchat"

ASKING = """import asyncio
from decimal import Decimal
from valechat.asking import *
from valechat.asking import asker
from valechat.engine import engine

def put(question):
    global asked
    asked = asyncio.run_coroutine_threadsafe(question, engine().loop)

def outcome():
    return asked.result(10)
"""

APPROVAL = """put(asker().approve(Approval(
    plugin="files", tool="write_file", title="Write a file", destructive=True, changed=True,
    description="Create a new file, or overwrite the one that is there. " * 4,
    arguments='{"path": "/home/ada/notes/2026/november.md", "content": "' + "A long line of text. " * 60 + '"}',
)))"""

FORM = """put(asker().fill(Form("travel", "Where do you want to go, and when?", {"type": "object", "properties": {
    "name": {"type": "string", "title": "Traveller", "description": "As in the passport", "minLength": 2},
    "mail": {"type": "string", "format": "email", "title": "E-mail"},
    "when": {"type": "string", "format": "date", "title": "Departure"},
    "bags": {"type": "integer", "title": "Bags", "minimum": 0, "maximum": 3, "default": 1},
    "seat": {"type": "string", "title": "Seat", "enum": ["w", "a"], "enumNames": ["Window", "Aisle"]},
    "meals": {"type": "array", "title": "Meals", "items": {"anyOf": [
        {"const": "v", "title": "Vegetarian"}, {"const": "k", "title": "Kosher"}]}},
    "news": {"type": "boolean", "title": "Send me news", "default": False},
}, "required": ["name", "mail"]})))"""

SAMPLING = """put(asker().approve(SamplingApproval(
    "travel", "openai/gpt-5-mini", "You are a travel agent.", "Summarise these 40 reviews: …", 1500,
    Decimal("0.0312"))))"""

VISIT = """put(asker().visit(Visit("mail", "Sign in to read your mail.",
    "https://login.example/authorize?client_id=valechat&redirect_uri=http%3A%2F%2F127.0.0.1%3A41234%2Fcallback"
    "&response_type=code&scope=mail.read&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", paste=True)))"""


async def asked(lab: FrontEndUnderTest, home: Path, question: str, *more: str) -> ChatPanel:
    """A panel in which a question waits: cell 1 shows it, cell 3 has asked, cell 4 tells the outcome."""
    notebook = await lab.open([CHAT, ASKING, question, "outcome()", *more], home=home)
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    await expect(panel.composer).to_be_visible()
    await expect(panel.root.locator(".vc-models-name")).to_contain_text("echo")
    await notebook.run(2)
    await notebook.run(3)
    await expect(panel.root.locator(".vc-ask")).to_be_visible()
    return panel


async def outcome(panel: ChatPanel) -> str:
    await panel.notebook.run(4)
    return await panel.notebook.text(4)


async def test_a_tool_is_allowed_by_a_click_and_its_question_goes(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    panel = await asked(lab, tmp_path, APPROVAL)
    await pictures(panel, "ask-approval")
    await panel.root.get_by_role("button", name="Always for this tool").click()
    await expect(panel.root.locator(".vc-ask")).to_have_count(0)
    assert await outcome(panel) == "'always_tool'"
    assert panel.notebook.errors == []


async def test_a_tool_is_allowed_by_keyboard_and_enter_alone_allows_nothing(
    lab: FrontEndUnderTest, tmp_path: Path
) -> None:
    panel = await asked(lab, tmp_path, APPROVAL)
    card = panel.root.locator(".vc-ask")
    await expect(card.get_by_role("button", name="Allow once")).to_be_enabled()
    await card.focus()
    await panel.notebook.page.keyboard.press("Enter")
    await panel.notebook.page.keyboard.press("Space")
    await expect(card).to_be_visible()
    await panel.composer.press_sequentially("meanwhile")
    await expect(card).to_be_visible()
    await card.focus()
    await panel.notebook.page.keyboard.press("Tab")
    await panel.notebook.page.keyboard.press("Tab")
    await expect(card.get_by_role("button", name="Allow once")).to_be_focused()
    await panel.notebook.page.keyboard.press("Enter")
    await expect(card).to_have_count(0)
    assert await outcome(panel) == "'once'"


async def test_a_question_is_still_there_after_a_reload(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    panel = await asked(lab, tmp_path, APPROVAL)
    await panel.notebook.save()
    await panel.notebook.reload()
    panel = ChatPanel(panel.notebook, 1)
    await panel.root.get_by_role("button", name="Don't allow").click()
    assert await outcome(panel) == "'no'"


async def test_a_form_is_filled_in_and_what_is_wrong_is_told_at_its_field(
    lab: FrontEndUnderTest, tmp_path: Path
) -> None:
    panel = await asked(lab, tmp_path, FORM)
    form = panel.root.locator(".vc-form")
    await form.get_by_label("Traveller").fill("Ada")
    await form.get_by_label("E-mail").fill("ada")
    await form.get_by_label("Bags").fill("4")
    await form.get_by_role("button", name="Send").click()
    await expect(form.locator(".vc-form-problem")).to_have_text(["Write an e-mail address.", "The most is 3."])
    await pictures(panel, "ask-form")
    await form.get_by_label("E-mail").fill("ada@example.org")
    await form.get_by_label("Bags").fill("2")
    await form.get_by_label("Departure").fill("2026-12-24")
    await form.get_by_label("Seat").select_option("Window")
    await form.get_by_label("Kosher").check()
    await form.get_by_label("Send me news").check()
    await form.get_by_role("button", name="Send").click()
    await expect(panel.root.locator(".vc-ask")).to_have_count(0)
    assert await outcome(panel) == (
        "Filled(action='accept', values={'name': 'Ada', 'mail': 'ada@example.org', 'when': '2026-12-24', "
        "'bags': 2, 'seat': 'w', 'meals': ['k'], 'news': True})"
    )
    assert panel.notebook.errors == []


async def test_a_plugin_that_wants_a_model_asked_is_refused(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    panel = await asked(lab, tmp_path, SAMPLING)
    await expect(panel.root.locator(".vc-ask")).to_contain_text("at most $0.0312")
    await pictures(panel, "ask-sampling")
    await panel.root.get_by_role("button", name="Don't allow").click()
    assert await outcome(panel) == "'no'"


async def test_a_sign_in_opens_in_a_tab_of_its_own_and_takes_the_address_where_it_ended(
    lab: FrontEndUnderTest, tmp_path: Path
) -> None:
    panel = await asked(lab, tmp_path, VISIT)
    await pictures(panel, "ask-visit")
    link = panel.root.get_by_role("link", name="Open in a new tab")
    assert await link.get_attribute("rel") == "noopener noreferrer"
    await panel.root.get_by_label(re.compile("paste its address")).fill("http://127.0.0.1:41234/callback?code=abc")
    await panel.root.get_by_role("button", name="Use this address").click()
    assert await outcome(panel) == "'http://127.0.0.1:41234/callback?code=abc'"


async def test_a_question_that_is_moot_goes_by_itself(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    panel = await asked(lab, tmp_path, VISIT, "asked.cancel()")
    await panel.notebook.run(5)
    await expect(panel.root.locator(".vc-ask")).to_have_count(0)


async def test_a_question_out_of_sight_is_noticed(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    panel = await asked(lab, tmp_path, APPROVAL, *["'filler'\n" + "\n" * 60] * 3)
    note = panel.notebook.page.locator(".vc-asked-note")
    await expect(note).to_have_count(0)
    await panel.notebook.cell(7).scroll_into_view_if_needed()
    await expect(note).to_contain_text("files is asking in")
    await panel.notebook.screenshot("ask-noticed")
    await note.get_by_role("button", name="Show").click()
    await expect(panel.root.locator(".vc-ask")).to_be_in_viewport()
    await expect(note).to_have_count(0)
    await panel.root.get_by_role("button", name="Never").click()
    assert await outcome(panel) == "'never'"


FLOOD = """import json
def fields(one):
    return {{one: {{"type": "string", "title": one, "description": one, "default": one, "enum": [one, "x"]}},
             one + "2": {{"type": "string", "title": one, "default": one}},
             one + "3": {{"type": "array", "items": {{"enum": [one]}}, "default": [one]}}}}

ask = asker()
kinds = [
    lambda one: ask.approve(Approval(one, one, json.dumps({{one: one}}), title=one, description=one)),
    lambda one: ask.approve(SamplingApproval(one, one, one, one, 10, None)),
    lambda one: ask.fill(Form(one, one, {{"properties": fields(one), "required": [one]}})),
    lambda one: ask.confirm(Confirmation(one, None, one)),
]
for number, one in enumerate({payloads!r}):
    put(kinds[number % 4](one))
    put(ask.visit(Visit(one, one, one, paste=True)))
"""


async def test_what_is_asked_is_drawn_harmlessly(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    notebook = await lab.open([CHAT, ASKING, FLOOD.format(payloads=PAYLOADS)], home=tmp_path)
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    await expect(panel.composer).to_be_visible()
    await notebook.run(2)
    watch = Watch(notebook.page)
    await notebook.run(3, wait=False)
    await expect(panel.root.locator(".vc-ask")).to_have_count(2 * len(PAYLOADS), timeout=120_000)
    await panel.composer.fill("Still here")
    assert await dangers(panel.root) == []
    assert (watch.dialogs, watch.requests) == ([], [])
