"""How a magic ends that does not end well: in one line, and the cells below do not run."""

from __future__ import annotations

from valechat.errors import ValeChatError

__all__ = ["Stopped", "in_one_line"]


class Stopped(KeyboardInterrupt):
    """The user stopped a magic. Cells that follow are not run, as after any interrupt."""

    def _render_traceback_(self) -> list[str]:
        return ["Stopped."]


def in_one_line(error: ValeChatError) -> ValeChatError:
    """The same error, shown by IPython as what happened and what to do, without a traceback."""
    lines = [f"{error.kind}: {error.message}", *([f"→ {error.fix}"] if error.fix else [])]
    vars(error)["_render_traceback_"] = lambda: [" ".join(lines)]
    return error
