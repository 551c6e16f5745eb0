"""A table that a function gave, drawn in a real browser: it scrolls in its card, and fits a narrow panel."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.async_api import BrowserContext, expect

from tests.browser.support.bare import bare_panel
from tests.browser.test_accessibility import AXE, RUN
from valechat.ledger.base import StoredMessage
from valechat.messages import Message, ToolCallPart, ToolResultPart
from valechat.notebook.shown import messages_shown
from valechat.tablehead import TableColumn, TableHead

ROWS = 50
LABELS = TableColumn("region", "", tuple(f"row {n}" for n in range(ROWS)), label=True)
NUMBERS = [
    TableColumn(f"m{n}", "float64", tuple(f"{place}.{n:02d}" for place in range(ROWS)), number=True) for n in range(12)
]
TABLE = TableHead("pandas DataFrame", 1204, 12, (LABELS, *NUMBERS))

_WHERE = """(node) => {
    const frame = node.closest(".vc-sheet-frame").getBoundingClientRect();
    const box = node.getBoundingClientRect();
    return [Math.round(box.left - frame.left), Math.round(box.top - frame.top)];
}"""


async def test_a_table_scrolls_in_its_card_with_names_and_labels_in_sight(context: BrowserContext) -> None:
    turn = [
        Message.user("?"),
        Message("assistant", (ToolCallPart("c1", "sales", '{"year": 2026}'),)),
        Message("tool", (ToolResultPart("c1", "sales", "schema", table=TABLE),)),
    ]
    stored = [StoredMessage(str(n), "c", None, message, datetime.now(UTC), "lab/two") for n, message in enumerate(turn)]
    panel = await bare_panel(context, messages_shown(stored, {}))
    try:
        await panel.root.evaluate("(root) => { root.style.width = '300px'; }")
        frame = panel.root.locator(".vc-sheet-frame")
        await expect(frame).to_be_visible()
        last = frame.locator("tbody tr").last
        await last.locator("td").last.scroll_into_view_if_needed()
        await expect(last.locator("td").last).to_be_in_viewport()
        assert await frame.evaluate("(node) => node.scrollLeft > 0 && node.scrollTop > 0")
        assert await frame.locator("thead th").first.evaluate(_WHERE) == [1, 1], "inside the frame's line"
        assert (await last.locator("th").evaluate(_WHERE))[0] == 1
        # The panel itself does not scroll sideways: only the frame does.
        assert await panel.root.locator(".vc-log").evaluate("(node) => node.scrollWidth <= node.clientWidth")
        ends = await frame.locator("tbody td:nth-child(2)").evaluate_all(
            "(cells) => cells.map((c) => getComputedStyle(c).textAlign)"
        )
        assert set(ends) == {"end"}
        await panel.page.add_script_tag(path=AXE)
        assert await panel.root.evaluate(RUN) == []
        assert panel.errors == []
    finally:
        await panel.page.close()
