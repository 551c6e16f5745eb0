"""How a magic ends that does not end well: in one line, and the cells below do not run."""

from __future__ import annotations

import re

from valechat.errors import MissingKey, ValeChatError

__all__ = ["Stopped", "in_one_line"]


class Stopped(KeyboardInterrupt):
    """The user stopped a magic. Cells that follow are not run, as after any interrupt."""

    def _render_traceback_(self) -> list[str]:
        return ["Stopped."]


def in_one_line(error: ValeChatError) -> ValeChatError:
    """The same error, shown by IPython as what happened and what to do, without a traceback."""
    fix = f"`%valechat keys set {error.provider}` asks for it." if isinstance(error, MissingKey) else error.fix
    # A magic has no such argument: it asks, where somebody can answer.
    fix = re.sub("([Aa])sk with `confirmed=True`", r"\1gree where you are asked", fix)
    lines = [f"{error.kind}: {error.message}", *([f"→ {fix}"] if fix else [])]
    vars(error)["_render_traceback_"] = lambda: [" ".join(lines)]
    return error
