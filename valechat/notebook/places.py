"""Where the user looks: the panels and plugin managers in which a question can be asked that no cell waits for."""

from __future__ import annotations

from weakref import ref

from valechat.asking import Asker, asker, nobody, use_asker

__all__ = ["ask_here", "place"]

_latest: list[ref[Asker]] = []


def ask_here(front_end: Asker) -> None:
    """A view of this front end was opened: what comes from no particular place is asked there from now on.

    Questions of a running cell are still asked below that cell, see `CellAsker`.
    """
    _latest[:] = [*(one for one in _latest if one() not in (None, front_end)), ref(front_end)]
    if asker() is nobody:
        from valechat.notebook.cellasker import CellAsker

        use_asker(CellAsker())


def place() -> Asker | None:
    """The front end whose view was opened last and is still there."""
    return next((found for one in reversed(_latest) if (found := one()) is not None), None)
