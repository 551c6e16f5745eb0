"""A magic's reply as the cell's result: kept in `Out`, and not drawn a second time."""

from __future__ import annotations

from dataclasses import dataclass, fields

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import Markdown, display

from valechat.harmless import harmless
from valechat.reply import Reply

__all__ = ["ShownReply"]


@dataclass(frozen=True, slots=True)
class ShownReply(Reply):
    """A reply that its own cell has drawn already; any other cell draws it as usual."""

    cell: int = 0

    @classmethod
    def here(cls, reply: Reply, shell: InteractiveShell) -> ShownReply:
        """The reply, drawn in the cell that runs now."""
        return cls(**{field.name: getattr(reply, field.name) for field in fields(Reply)}, cell=shell.execution_count)

    def _ipython_display_(self) -> None:
        if InteractiveShell.instance().execution_count != self.cell:
            display(Markdown(harmless(self.text)))
