"""`doctor`: what may be wrong here, and what to do."""

from __future__ import annotations

from collections.abc import Iterable

from valechat.doctor import LABELS, Check, diagnose
from valechat.notebook.colab import widgets_hint
from valechat.notebook.comms import front_end, routing
from valechat.notebook.outputs import show
from valechat.notebook.tabular import table
from valechat.notebook.verbs.registry import Call, verb

__all__ = ["doctor"]


@verb("doctor", "what may be wrong with this installation, and what to do")
def doctor(_call: Call) -> None:
    """Look at everything and show it."""
    checks = diagnose(extra=[_notebook])
    show(table(["", "", "found", "what to do"], [[LABELS[c.ok], c.name, c.message, c.fix] for c in checks]))


def _notebook() -> Iterable[Check]:
    yield Check("front end", ok=True, message=front_end(), fix="")
    if hint := widgets_hint():
        yield Check("widgets", ok=False, message="This front end does not draw the panel yet.", fix=hint)
    answered, why = routing()
    fix = "" if answered else "Install ipykernel 7 or newer to have clicks answered while a cell runs."
    yield Check("clicks", ok=True if answered else None, message=why, fix=fix)
