"""`fix`: the last exception and its cell, and a corrected cell below."""

from __future__ import annotations

from dataclasses import replace

from valechat.errors import ConfigError
from valechat.notebook.arguments import parse_cell
from valechat.notebook.asking import Prompt, ask_prepared
from valechat.notebook.dryrun import dry_run_prepared
from valechat.notebook.failures import Failure
from valechat.notebook.formats import EXPLAINED_CODE, FORMATS
from valechat.notebook.shownreply import ShownReply
from valechat.notebook.verbs.registry import VERBS, Call, verb
from valechat.reply import Reply
from valechat.variables.hiding import Hider

__all__ = ["fix"]

MOST_SAID = 120
"""Characters of an error in the line that says what is fixed."""

_QUESTION = """\
This notebook cell failed:

{cell}

with

{traceback}

First say in one or two sentences what was wrong. Then give the whole corrected cell in one fenced code block."""


@verb(
    "fix [MODEL] [OPTIONS]",
    "explain the last exception and put a corrected cell below; `--dry-run` shows what is sent",
    most=None,
    gives=True,
    values=("model",),
)
def fix(call: Call) -> Reply | None:
    """Ask for the last failed cell, corrected, and insert it below. What looks like a secret is hidden in both."""
    asking = parse_cell(call.text)
    if len(asking.models) > 1:
        raise VERBS["fix"].misused(call.text)
    failure = call.host.failures.last(call.host.history)
    if failure is None:
        raise ConfigError("No cell has failed in this notebook.", fix="Run the cell that fails, then `%valechat fix`.")
    hider = Hider()
    question = _QUESTION.format(
        cell=_fenced(hider.text(failure.cell), "python"), traceback=_fenced(hider.text(failure.traceback))
    )
    hidden = [f"hidden: {what}; mind ••• in the new cell" for what in hider.hidden]
    prompt = Prompt(question, (_about(failure), *hidden))
    form = EXPLAINED_CODE if asking.format == "markdown" else FORMATS[asking.format]
    if asking.dry_run:
        dry_run_prepared(call.host, asking, prompt, form)
        return None
    asking = replace(asking, output=call.output or asking.output)
    return ShownReply.here(ask_prepared(call.host, asking, prompt, form), call.host.shell)


def _about(failure: Failure) -> str:
    """Which cell it is, and how it failed."""
    cell = "The last cell" if failure.number is None else f"In[{failure.number}]"
    error = failure.traceback.rpartition("\n")[2]
    return f"{cell}: {error if len(error) <= MOST_SAID else f'{error[:MOST_SAID]}…'}"


def _fenced(text: str, language: str = "") -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
