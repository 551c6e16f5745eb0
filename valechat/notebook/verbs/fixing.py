"""`fix`: the last exception and its cell, and a corrected cell below."""

from __future__ import annotations

from valechat.errors import ConfigError
from valechat.notebook.arguments import Asking
from valechat.notebook.asking import Prompt, ask_prepared
from valechat.notebook.formats import EXPLAINED_CODE
from valechat.notebook.shownreply import ShownReply
from valechat.notebook.verbs.registry import Call, verb
from valechat.reply import Reply

__all__ = ["fix"]

_QUESTION = """\
This notebook cell failed:

{cell}

with

{traceback}

First say in one or two sentences what was wrong. Then give the whole corrected cell in one fenced code block."""


@verb("fix [MODEL]", "explain the last exception and put a corrected cell below", most=1, gives=True, values=("model",))
def fix(call: Call) -> Reply:
    """Ask for the last failed cell, corrected, and insert it below."""
    failure = call.host.failures.last(call.host.history)
    if failure is None:
        raise ConfigError("No cell has failed in this notebook.", fix="Run the cell that fails, then `%valechat fix`.")
    model = call.word(0)
    question = _QUESTION.format(cell=_fenced(failure.cell, "python"), traceback=_fenced(failure.traceback))
    asking = Asking(models=(model,) if model else (), output=call.output)
    return ShownReply.here(ask_prepared(call.host, asking, Prompt(question), EXPLAINED_CODE), call.host.shell)


def _fenced(text: str, language: str = "") -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
