"""What a model, a server or a colleague wrote is drawn in a real Chromium: no script runs, no request leaves."""

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import BrowserContext, expect

from tests.browser.support.bare import bare_panel
from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.panel import ChatPanel
from tests.ledger.samples import usage_row
from tests.plugins import hostile
from tests.providers.faults import EVENT_STREAM, Connection, FaultServer, Script, chunked, head
from tests.xss.corpus import PAYLOADS, Watch, dangers, drawn_dangers, formulas_and_diagrams
from valechat.ids import new_id
from valechat.ledger import open_ledger
from valechat.ledger.base import Conversation, StoredMessage
from valechat.messages import Message, TextPart, ToolCallPart, ToolResultPart
from valechat.notebook.shown import messages_shown
from valechat.notebook.transcript import bundle, transcript_markdown
from valechat.paths import Paths

CONVERSATION = "f" * 32


def said() -> list[StoredMessage]:
    """Every payload as a question, an answer, a tool's arguments and a tool's result."""
    messages: list[Message] = []
    for payload in PAYLOADS:
        call = ToolCallPart(new_id(), "look", json.dumps({"at": payload}))
        messages += (
            Message.user(payload),
            Message("assistant", (TextPart(payload), call)),
            Message("tool", (ToolResultPart(call.id, "look", payload),)),
            Message("assistant", (TextPart(payload),)),
        )
    return chained(messages)


def chained(messages: list[Message]) -> list[StoredMessage]:
    stored: list[StoredMessage] = []
    for message in messages:
        parent = stored[-1].id if stored else None
        stored.append(StoredMessage(new_id(), CONVERSATION, parent, message, datetime.now(UTC), "lab/two"))
    return stored


def store(home: Path, messages: list[Message] | None = None) -> None:
    ledger = open_ledger(Paths(config=home, data=home, state=home / "state"))
    now = datetime.now(UTC)
    ledger.start_conversation(Conversation(CONVERSATION, PAYLOADS[0], now, now, "demo/echo"))
    ledger.add_messages(said() if messages is None else chained(messages))
    ledger.close()


async def test_the_watch_would_see_a_script_run_and_a_request_leave(context: BrowserContext) -> None:
    page = await context.new_page()
    try:
        watch = Watch(page)
        await page.set_content('<img src="https://canary.invalid/x.png"><svg onload=alert(1)>')
        await page.wait_for_load_state("networkidle")
        assert len(await dangers(page.locator("body"))) >= 2
        assert watch.dialogs
        assert "image https://canary.invalid/x.png" in watch.requests
    finally:
        await page.close()


async def test_a_conversation_full_of_scripts_is_drawn_harmlessly(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    store(tmp_path)
    cell = f"import valechat\nvalechat.Chat('demo/echo', conversation={CONVERSATION!r})"
    notebook = await lab.open([cell], home=tmp_path, alone=True)
    watch = Watch(notebook.page)
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    await expect(panel.questions.last).to_be_visible()
    log = panel.root.get_by_role("region", name="Conversation", exact=True)
    await log.focus()
    await log.press("Home")
    await expect(panel.root.locator('[aria-posinset="1"]')).to_be_visible(timeout=60_000)
    # A page that is printed draws all of it.
    await notebook.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    await expect(panel.questions).to_have_count(len(PAYLOADS), timeout=60_000)
    await notebook.page.wait_for_load_state("networkidle")
    assert await dangers(notebook.cell(1).locator(".jp-OutputArea")) == []
    assert (watch.dialogs, watch.requests) == ([], [])


async def test_scripts_in_formulas_and_diagrams_are_drawn_harmlessly(context: BrowserContext) -> None:
    panel = await bare_panel(context, messages_shown(chained([Message.user("?"), said_in_forms()]), {}))
    try:
        watch = Watch(panel.page)
        await expect(panel.root.get_by_text("The end.", exact=True)).to_have_count(1, timeout=60_000)
        await expect(panel.root.locator("[aria-busy=true]")).to_have_count(0, timeout=120_000)
        drawn = panel.root.locator(".vc-diagram img")
        assert await drawn.count() > 20
        assert await panel.root.locator(".vc-math .katex").count() > 50
        assert await dangers(panel.root) == []
        assert await drawn_dangers(drawn) == []
        assert (watch.dialogs, watch.requests, panel.errors) == ([], [], [])
    finally:
        await panel.page.close()


def said_in_forms() -> Message:
    return Message("assistant", (TextPart(formulas_and_diagrams()),))


def paced(text: str) -> Script:
    """An answer in pieces of five characters, so slowly that the panel draws many states in between."""

    async def script(connection: Connection) -> None:
        await connection.send(head(200, EVENT_STREAM))
        for start in range(0, len(text), 5):
            delta = {"choices": [{"index": 0, "delta": {"content": text[start : start + 5]}}]}
            await connection.send(chunked(b"data: " + json.dumps(delta).encode() + b"\n\n"))
            await asyncio.sleep(0.002)
        await connection.send(chunked(b"data: [DONE]\n\n"), b"0\r\n\r\n")

    return script


async def test_scripts_split_across_the_pieces_of_a_stream_never_run(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    # An unclosed tag or fence swallows what follows it, so each answer holds few of them.
    answers = ["\n\n".join(PAYLOADS[first::20]) for first in range(20)]
    async with FaultServer(*map(paced, answers)) as server:
        (tmp_path / "config.toml").write_text(
            f'[providers.mylab]\nbase_url = "{server.url}/v1"\nmodels = ["scripted"]\n'
            '[prices."mylab/scripted"]\ninput = "0"\noutput = "0"\n'
        )
        notebook = await lab.open(["import valechat\nvalechat.Chat('mylab/scripted')"], home=tmp_path, alone=True)
        await notebook.run(1)
        panel = ChatPanel(notebook, 1)
        watch = Watch(notebook.page)
        for number in range(len(answers)):
            await panel.ask("Go on.")
            await panel.finished(number + 1)
        assert await dangers(panel.root) == []
        assert (watch.dialogs, watch.requests) == ([], [])


async def test_the_transcript_of_a_saved_notebook_is_harmless_where_nothing_sanitises(context: BrowserContext) -> None:
    page = await context.new_page()
    try:
        watch = Watch(page)
        await page.set_content(bundle(transcript_markdown(said()), "mark")["text/html"])
        await page.wait_for_load_state("networkidle")
        assert await dangers(page.locator("body")) == []
        assert (watch.dialogs, watch.requests) == ([], [])
    finally:
        await page.close()


ANSWERED = """
import valechat.notebook.formats as formats
from valechat.reply import Reply
from valechat.usage import Usage
from IPython.display import publish_display_data
payloads = {payloads!r}
for payload in payloads:
    reply = Reply(text=payload, model="lab/two", usage=Usage(), cost=None, status="complete", request_ids=())
    for name in ("markdown", "html", "text"):
        publish_display_data(formats.FORMATS[name].finish(reply).bundle)
"""


async def test_an_answer_in_a_cells_output_is_drawn_harmlessly_in_each_format(
    lab: FrontEndUnderTest, tmp_path: Path
) -> None:
    answers = [*PAYLOADS, formulas_and_diagrams()]
    notebook = await lab.open([ANSWERED.format(payloads=answers)], home=tmp_path, alone=True)
    watch = Watch(notebook.page)
    await notebook.run(1)
    await notebook.cell(1).get_by_role("button", name="Show more outputs").click()
    await expect(notebook.cell(1).locator(".jp-OutputArea-child")).to_have_count(3 * len(answers), timeout=60_000)
    await notebook.page.wait_for_load_state("networkidle")
    assert notebook.errors == []
    # In plain text, of any program, JupyterLab makes links of all that looks like an address.
    drawn = notebook.cell(1).locator('.jp-OutputArea-output:not([data-mime-type="text/plain"])')
    assert await drawn.count() >= 2 * len(PAYLOADS)
    assert await dangers(drawn) == []
    assert (watch.dialogs, [one for one in watch.requests if "/static/lab/" not in one]) == ([], [])


EVERYWHERE = """
%load_ext valechat
import valechat
from IPython.display import Markdown, display
from valechat.exports.markdown import as_markdown
from valechat.services import services
ledger = services().ledger
display(Markdown(as_markdown(ledger, [head.id for head in ledger.conversations()])))
%valechat list
%valechat sql select content from messages
board = valechat.plugin_manager(); display(board)
valechat.spend()
"""


def spend(home: Path, names: list[str]) -> None:
    """Requests to providers, and to models, with these names."""
    ledger = open_ledger(Paths(config=home, data=home, state=home / "state"))
    now = datetime.now(UTC)
    for number, name in enumerate(names):
        day = {"ts": now, "day": f"{now:%Y-%m-%d}", "billing_period": f"{now:%Y-%m}", "conversation_id": CONVERSATION}
        named = {"provider": name} if number % 2 else {"model": name}
        ledger.settle(usage_row(new_id(), f"0.{number + 1:02d}", **day, **named), [])
    ledger.close()


async def test_a_server_a_table_an_export_and_a_dashboard_full_of_scripts_are_drawn_harmlessly(
    lab: FrontEndUnderTest, tmp_path: Path
) -> None:
    store(tmp_path)
    few = [payload for payload in PAYLOADS[::7] if "\0" not in payload]
    spend(tmp_path, few)
    (tmp_path / "payloads.json").write_text(json.dumps(few), encoding="utf-8")
    server: dict[str, object] = {
        "id": "hostile",
        "name": few[0],
        "description": "\n".join(few),
        "command": sys.executable,
    }
    server["args"] = ["-I", "-S", hostile.PROGRAM, str(tmp_path / "payloads.json")]
    entries = {"mcp_plugins": {"local_servers": [server], "cloud_services": []}}
    (tmp_path / "mcp_plugins.json").write_text(json.dumps(entries), encoding="utf-8")
    notebook = await lab.open([EVERYWHERE], home=tmp_path, alone=True)
    watch = Watch(notebook.page)
    missing: list[str] = []
    notebook.page.on("response", lambda got: missing.append(got.url) if got.status == 404 else None)
    await notebook.run(1)
    card = notebook.cell(1).locator(".vcp-card")
    await expect(card).to_contain_text("Running", timeout=30_000)
    await expect(notebook.cell(1).locator(".vega-embed canvas, .vega-embed svg").first).to_be_visible(timeout=30_000)
    for part in ("Tools", "Configuration", "Log", "About"):
        await card.locator("details.vc-fold > summary", has_text=part).first.click()
    await card.get_by_role("button", name="Try tool_0").click()
    await card.get_by_role("button", name="Run").click()
    await expect(card.get_by_role("region", name="Result")).to_be_visible(timeout=20_000)
    await notebook.page.wait_for_load_state("networkidle")
    assert missing == []
    assert await dangers(notebook.cell(1).locator(".jp-OutputArea")) == []
    # The front end's own letters, when the dashboard is the first to need them.
    asked = [one for one in watch.requests if "/static/lab/" not in one]
    assert (watch.dialogs, asked) == ([], [])
