"""One part of the dashboard: a heading, a chart, its figures as a table, and its query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from valechat.notebook.outputs import escaped
from valechat.notebook.spend.showsql import ShowSql
from valechat.notebook.tabular import table

__all__ = ["Draw", "Section", "caption"]


Draw = Callable[[int], dict[str, Any]]
"""Draws a chart as wide as its place, in pixels."""

_WIDTH = 520
"""Until the front end has told how wide the place is."""
_NARROWEST, _WIDEST = 240, 900


class Section(widgets.VBox):  # type: ignore[misc]  # ipywidgets publishes no types
    """A part of the dashboard, empty at first.

    Attributes:
        static: Its heading, sentences and table as HTML, for viewers without widgets.
    """

    def __init__(self, title: str) -> None:
        self._note = widgets.HTML()
        self._chart = widgets.Output(layout=widgets.Layout(width="100%", overflow="hidden"))
        self._table = widgets.HTML(layout=widgets.Layout(overflow="auto", max_height="320px"))
        self._query = ShowSql(title)
        self._query.observe(self._redraw, "room")
        self._draw: Draw | None = None
        self.static = ""
        self._heading = f'<h3 style="margin: 8px 0 0">{escaped(title)}</h3>'
        super().__init__(
            [widgets.HTML(self._heading), self._note, self._chart, self._table, self._query],
            layout=widgets.Layout(flex="1 1 400px", min_width="min(400px, 100%)", margin="0 16px 8px 0"),
        )

    def show(
        self,
        sql: str,
        *,
        note: Sequence[str] = (),
        chart: Draw | None = None,
        head: Sequence[str] = (),
        rows: Sequence[Sequence[object]] = (),
        right: Sequence[int] = (),
    ) -> None:
        """Show other figures. Every text is taken as untrusted and escaped.

        Args:
            sql: The query they are of.
            note: Sentences above the chart.
            chart: Gives an output of `charts` for a width; None for no chart.
            head: The table's heading.
            rows: The table's rows; without any there is no table.
            right: Its columns of numbers.
        """
        self._note.value = caption(*note)
        self._draw = chart
        self._redraw()
        self._table.value = str(table(head, rows, right=right)["text/html"]) if rows else ""
        self._query.show(sql)
        found = [text for text in (self._note.value, self._table.value) if text]
        self.static = "\n".join([self._heading, *found]) if found else ""

    def _redraw(self, _change: object = None) -> None:
        width = min(max(self._query.room or _WIDTH, _NARROWEST), _WIDEST)
        drawn = () if self._draw is None else (self._draw(width),)
        if self._chart.outputs != drawn:
            self._chart.outputs = drawn
        self._chart.layout.display = "" if drawn else "none"


def caption(*sentences: str) -> str:
    """Sentences as HTML, in the colour of small print."""
    body = "<br>".join(escaped(sentence) for sentence in sentences if sentence)
    return f'<div style="color: var(--jp-ui-font-color2, inherit); line-height: 1.5">{body}</div>' if body else ""
