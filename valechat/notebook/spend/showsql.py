"""The "Show SQL" below a chart, which also tells how wide the chart may be."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

__all__ = ["ShowSql"]


class ShowSql(anywidget.AnyWidget):
    """A query that can be read, copied, and in JupyterLab and Notebook 7 inserted as a cell below."""

    _esm = Path(__file__).parent / "showsql.js"

    about = traitlets.Unicode().tag(sync=True)
    sql = traitlets.Unicode().tag(sync=True)
    cell = traitlets.Unicode().tag(sync=True)
    room = traitlets.Int(0).tag(sync=True)
    """Pixels from side to side, as the front end sees it; 0 until it has said so."""

    def __init__(self, about: str) -> None:
        super().__init__(about=about)

    def show(self, sql: str) -> None:
        """Change the query."""
        self.sql = sql
        self.cell = f'import valechat\n\nvalechat.sql("""\n{sql}\n""")'
