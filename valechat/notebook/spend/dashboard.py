"""`valechat.spend()`: the dashboard."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import ipywidgets as widgets
from IPython.display import HTML, display

from valechat.billing.periods import zone_name
from valechat.errors import ValeChatError
from valechat.money import total
from valechat.notebook.comms import answer_while_busy
from valechat.notebook.outputs import escaped
from valechat.notebook.spend import charts
from valechat.notebook.spend.figures import Figures, Month, Row, read, today
from valechat.notebook.spend.queries import RANGES, STEPS, Span
from valechat.notebook.spend.sections import Section, caption
from valechat.notebook.spend.static import Static
from valechat.notebook.wording import dollars
from valechat.services import services

__all__ = ["SpendDashboard", "exact", "spend"]

_EMPTY = (
    "Nothing has been asked yet, so nothing was spent. Every request will be counted here, to the last digit.",
    'Try valechat.Chat("demo/echo").ask_sync("Hello"), which needs no key, and press Refresh.',
)
_STYLE = (
    "<style>.vc-spend .vega-embed, .vc-spend .vega-embed > * { max-width: 100% }"
    " .vc-spend .vega-embed svg { max-width: 100%; height: auto }"
    " .vc-spend td, .vc-spend th { padding: 4px 16px 4px 0; line-height: 1.35; vertical-align: baseline }"
    " .vc-spend td:not(:first-child) { white-space: nowrap }"
    " .vc-spend table { display: block; max-width: 100%; overflow-x: auto }"
    " .jp-OutputArea:has(.vc-spend) .vc-spend-static { display: none }</style>"
)
_DEMO = "demo/echo is a demonstration and its money is invented."


def spend() -> SpendDashboard:
    """The dashboard: spend over time, this month and its limit, tokens, conversations, verification.

    Shown by a cell of JupyterLab or Notebook 7. It shows the ledger as it is when made; Refresh reads again.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    return SpendDashboard()


class SpendDashboard(widgets.VBox):  # type: ignore[misc]  # ipywidgets publishes no types
    """The dashboard's widget. Everything in it is read from the ledger by DuckDB, in sums.

    Attributes:
        figures: What is shown.
    """

    figures: Figures

    def __init__(self) -> None:
        self._drawing = threading.Lock()
        self._range = _choice("Range", RANGES, "30 days")
        self._step = _choice("Step", STEPS, "day")
        self._by = _choice("By", ("model", "provider"), "model")
        refresh = widgets.Button(description="Refresh", icon="refresh", layout=widgets.Layout(width="auto"))
        refresh.on_click(self._redraw)
        for control in (self._range, self._step, self._by):
            control.observe(self._redraw, "value")
        for control in (self._range, self._step, self._by, refresh):
            answer_while_busy(control)
        controls = widgets.HBox(
            [self._range, self._step, self._by, refresh],
            layout=widgets.Layout(flex_flow="row wrap", align_items="center"),
        )
        self._status = widgets.HTML()
        self._over_time = Section("Spend over time")
        self._month = Section("This month")
        self._tokens = Section("Tokens and cache")
        self._conversations = Section("Most expensive conversations")
        self._verification = Section("Verification")
        self._plugins = Section("Plugins")
        self._sections = [
            self._over_time,
            self._month,
            self._tokens,
            self._conversations,
            self._verification,
            self._plugins,
        ]
        self._static = Static()
        self._parts = widgets.Box(self._sections, layout=widgets.Layout(flex_flow="row wrap", width="100%"))
        super().__init__(
            [controls, self._status, self._parts, widgets.HTML(_STYLE)], layout=widgets.Layout(width="100%")
        )
        self.add_class("vc-spend")
        self.refresh()

    def __repr__(self) -> str:
        month = self.figures.month
        of = "" if month.limit is None else f" of {dollars(month.limit)}"
        return f"Spend in {month.today:%B %Y}: {dollars(month.spent)}{of}"

    def _ipython_display_(self) -> None:
        """Show the widget, and below it the figures as they stand, for the notebook as a file."""
        display(self._repr_mimebundle_(), raw=True)
        self._static.show(self._still())

    def _display_(self) -> HTML:
        """The figures as they stand, for marimo, which shows no widgets of ipywidgets' own."""
        return HTML(f'{_STYLE}<div class="vc-spend">{self._still()}</div>')

    def refresh(self) -> None:
        """Read the ledger again and show what it says now.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        with self._drawing:
            self.figures = read(Span(self._range.value, today(), self._step.value), self._by.value)
            self._show(self.figures)
            self._static.update(self._still())

    def _redraw(self, _change: Any) -> None:
        try:
            self.refresh()
        except ValeChatError as error:  # what a widget's callback raises, nobody sees
            self._status.value = caption(str(error))

    def _show(self, figures: Figures) -> None:
        self._step.disabled = figures.span.since is None
        self._parts.layout.display = "none" if figures.empty else ""
        zone = zone_name(services().zone, datetime.now(UTC))
        shown = f"Days and months in {zone}. Amounts in USD."
        demo = figures.over_time.rows and any(row["name"] in ("demo/echo", "demo") for row in figures.over_time.rows)
        self._status.value = caption(*(_EMPTY if figures.empty else (shown, _DEMO if demo else "")))
        if not figures.empty:
            self._show_over_time(figures)
            self._show_month(figures.month)
            self._show_tokens(figures)
            self._show_conversations(figures.conversations.rows, figures.conversations.sql)
            self._show_verification(figures.verification.rows, figures.verification.sql)
            self._show_plugins(figures.plugins.rows, figures.plugins.sql)

    def _still(self) -> str:
        parts = () if self.figures.empty else self._sections
        shown = [part.static for part in parts if part.static and part.layout.display != "none"]
        return "\n".join([f"<p>{escaped(repr(self))}</p>", self._status.value, *shown])

    def _show_over_time(self, figures: Figures) -> None:
        rows = figures.over_time.rows
        names = dict.fromkeys(row["name"] for row in rows)
        sums = [
            (name, _sum(row["cost"] for row in rows if row["name"] == name), _count(rows, "requests", name), unpriced)
            for name in names
            for unpriced in [_count(rows, "unpriced", name)]
        ]
        sums.sort(key=lambda found: (found[1] is None, -(found[1] or 0)))
        whole = _sum(row["cost"] for row in rows)
        unknown = _count(rows, "unpriced")
        self._over_time.show(
            figures.over_time.sql,
            note=(
                "Nothing was asked in this range." if not rows else f"{exact(whole)} in this range.",
                _unpriced(unknown),
            ),
            chart=None
            if whole is None
            else partial(
                charts.over_time,
                rows,
                figures.span,
                describe=f"Cost by {figures.span.step} and {self._by.value}, in USD",
            ),
            head=(str(self._by.value), "requests", "cost", "price unknown"),
            rows=[(name, f"{count:,}", exact(cost), f"{lost:,}" if lost else "") for name, cost, count, lost in sums],
            right=(1, 2, 3),
        )

    def _show_month(self, month: Month) -> None:
        if month.limit is None:
            limit = 'There is no monthly limit; valechat.limits.set(monthly="50.00") sets one.'
        else:
            limit = f"The limit is {exact(month.limit)}, of which {exact(month.remaining)} remain."
        if month.expected is None:
            ahead = "A forecast is shown after three days with requests."
        else:
            ahead = (
                f"About {dollars(month.expected.quantize(Decimal('0.01')))} by the month's end, if it goes on as it "
                "began: spent so far, plus its daily mean for each day left."
            )
            if month.limit is not None and month.expected > month.limit:
                ahead += " That is above the limit."
        self._month.show(
            month.table.sql,
            note=(f"{exact(month.spent)} spent in {month.today:%B %Y}.", limit, ahead, _unpriced(month.unpriced)),
            chart=partial(charts.month, month) if month.table.rows else None,
        )

    def _show_tokens(self, figures: Figures) -> None:
        rows, cache = figures.tokens.rows, figures.cache.rows
        uncounted = sum(row["uncounted"] for row in rows)
        saved = _sum(row["saved"] for row in cache)
        self._tokens.show(
            f"-- Tokens\n{figures.tokens.sql};\n\n-- What cache reads saved\n{figures.cache.sql}",
            note=(
                "" if saved is None else f"Cache reads saved {exact(saved)} against the input price.",
                f"{uncounted:,} requests did not report their tokens." if uncounted else "",
            ),
            chart=partial(charts.tokens, rows, figures.span) if rows else None,
            head=("model", "tokens from cache", "saved", "saving unknown"),
            rows=[
                (
                    row["model"],
                    f"{row['cache_read_tokens']:,}",
                    exact(row["saved"]),
                    f"{row['unknown']:,} requests" if row["unknown"] else "",
                )
                for row in cache
            ],
            right=(1, 2, 3),
        )

    def _show_conversations(self, rows: list[Row], sql: str) -> None:
        self._conversations.show(
            sql,
            note=() if rows else ("No conversation in this range.",),
            chart=partial(charts.conversations, rows) if any(row["cost"] is not None for row in rows) else None,
            head=("conversation", "last", "requests", "cost", "price unknown"),
            rows=[
                (
                    charts.titled(row),
                    row["last_day"],
                    f"{row['requests']:,}",
                    exact(row["cost"]),
                    f"{row['unpriced']:,}" if row["unpriced"] else "",
                )
                for row in rows
            ],
            right=(2, 3, 4),
        )

    def _show_verification(self, rows: list[Row], sql: str) -> None:
        self._verification.show(
            sql,
            note=("An independent count of the tokens, where the model's tokenizer is published.",),
            chart=partial(charts.verification, rows) if rows else None,
            head=("model", "result", "reason", "requests"),
            rows=[
                (row["model"], row["verification"], (row["reason"] or "").replace("_", " "), f"{row['requests']:,}")
                for row in rows
            ],
            right=(3,),
        )

    def _show_plugins(self, rows: list[Row], sql: str) -> None:
        self._plugins.layout.display = "" if rows else "none"
        tools = list(dict.fromkeys(row["tool"] for row in rows))
        ran = {row["tool"]: row for row in rows if row["status"] == "ok"}
        self._plugins.show(
            sql,
            note=("Calls of plugins' tools, as models and you made them.",),
            chart=partial(charts.plugins, rows) if rows else None,
            head=("tool", "calls", "failed", "median", "95 %"),
            rows=[
                (
                    tool,
                    f"{sum(row['calls'] for row in rows if row['tool'] == tool):,}",
                    f"{sum(row['calls'] for row in rows if row['tool'] == tool and row['status'] != 'ok'):,}",
                    _seconds(ran[tool]["p50_ms"]) if tool in ran else "",
                    _seconds(ran[tool]["p95_ms"]) if tool in ran else "",
                )
                for tool in tools
            ],
            right=(1, 2, 3, 4),
        )


def exact(amount: Decimal | None) -> str:
    """USD to the last digit, with two decimals at least."""
    if amount is None:
        return "unknown"
    whole, _, decimals = f"{amount:,f}".partition(".")
    return f"${whole}.{decimals.rstrip('0').ljust(2, '0')}"


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The exact sum of what is known; None where nothing is."""
    known = [amount for amount in amounts if amount is not None]
    return total(known) if known else None


def _count(rows: Sequence[Row], column: str, name: str | None = None) -> int:
    return sum(row[column] for row in rows if name is None or row["name"] == name)


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:,.2f} s"


def _unpriced(count: int) -> str:
    if not count:
        return ""
    said = "request has no known price and is" if count == 1 else "requests have no known price and are"
    return f"{count:,} {said} not in these sums."


def _choice(label: str, options: Sequence[str], value: str) -> widgets.ToggleButtons:
    made = widgets.ToggleButtons(
        options=options, value=value, description=label, tooltips=[f"{label}: {option}" for option in options]
    )
    made.style.button_width = "auto"
    made.style.description_width = "auto"
    return made
