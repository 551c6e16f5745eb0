"""`%valechat` and `%%valechat`: what was written goes to a verb, to the panel, or to a model."""

from __future__ import annotations

import functools
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import MAGIC_NO_VAR_EXPAND_ATTR

from valechat.errors import ConfigError, ValeChatError
from valechat.notebook import current
from valechat.notebook.arguments import Asking, parse_cell, parse_line, split_output
from valechat.notebook.asking import ask
from valechat.notebook.comparing import compare
from valechat.notebook.completion import Completion
from valechat.notebook.dryrun import dry_run
from valechat.notebook.failures import Failures
from valechat.notebook.host import Host
from valechat.notebook.interpolate import interpolate
from valechat.notebook.kernel import install as install_kernel
from valechat.notebook.shownreply import ShownReply
from valechat.notebook.stopped import in_one_line
from valechat.notebook.syntax import install as install_syntax
from valechat.notebook.verbs import VERBS

__all__ = ["Magics", "register"]


class Magics:
    """The magics of one shell."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.host = Host(shell, Failures())

    def valechat(self, line: str, cell: str | None = None) -> Any:
        """Ask a model, or give a command. `%valechat help` shows all there is.

        Raises:
            ValeChatError: It could not be done; shown in one line with what to do.
            Stopped: The user stopped it.
        """
        try:
            return self._line(line) if cell is None else self._cell(line, cell)
        except ValeChatError as error:
            raise in_one_line(error) from None

    def _line(self, line: str) -> Any:
        if not line.strip():
            from valechat.notebook import panel

            panel.show(current.notebook_chat())
            return None
        output, rest = split_output(line)
        name, _, text = rest.strip().partition(" ")
        if name in VERBS:
            return VERBS[name].call(self.host, text, output)
        words = _Words(self.host)
        asking, question = parse_line(line, words.expanded)
        if question == rest.strip():
            _refuse_misspelt_verb(question)
        return self._ask(replace(asking, notes=words.notes), question)

    def _cell(self, line: str, cell: str) -> Any:
        output, rest = split_output(line)
        name, _, text = rest.strip().partition(" ")
        if name in VERBS:
            verb = VERBS[name]
            if not verb.cell:
                raise ConfigError(
                    f"`%valechat {verb.usage}` takes one line; there is a cell below it.",
                    fix=f"Write `%valechat {verb.name}` with one %, or `%%valechat -m MODEL` to ask the cell.",
                )
            return verb.call(self.host, f"{text}\n{cell}".strip(), output)
        words = _Words(self.host)
        return self._ask(replace(parse_cell(line, words.expanded), notes=words.notes), cell)

    def _ask(self, asking: Asking, question: str) -> Any:
        if asking.dry_run:
            return dry_run(self.host, asking, question)
        if len(asking.models) > 1:
            return compare(self.host, asking, question) and None
        return ShownReply.here(ask(self.host, asking, question), self.host.shell)


class _Words:
    """The words of a magic's line with the notebook's values in them, and what there is to say of those."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.notes: tuple[str, ...] = ()

    def expanded(self, word: str) -> str:
        found = interpolate(word, self._host.names)
        hidden = [
            f"{{{name}}} on the magic's line: hidden: {', '.join(sent.hidden)}"
            for name, sent in found.values.items()
            if sent.hidden
        ]
        self.notes += (*hidden, *found.notes)
        return found.text


_OTHERS = {"models": "list", "model": "use", "reset": "new", "clear": "new", "error": "fix", "version": "doctor"}
"""What such a verb is called in other magics, and here."""


def _refuse_misspelt_verb(question: str) -> None:
    """Refuse a verb that is written wrong, before a model is paid for it.

    Raises:
        ConfigError: The question is one word that is nearly a verb, or has such a verb's own word after it.
    """
    first, _, rest = question.partition(" ")
    near = _OTHERS.get(first) or next(iter(get_close_matches(first, VERBS, n=1, cutoff=0.75)), "")
    if not near or "?" in question:
        return
    values = VERBS[near].values[0] if VERBS[near].values else ()
    if not rest or (isinstance(values, tuple) and rest.split()[0] in values):
        raise ConfigError(
            f"There is no verb {first!r}; did you mean `%valechat {near}`?",
            fix=f"If it is a question, write `%valechat -- {question}`.",
        )


def register(shell: InteractiveShell) -> None:
    """Register magics, completion and what they need with IPython; a second time changes nothing."""
    if isinstance(getattr(shell, "_valechat", None), Magics):
        return
    magics = Magics(shell)
    vars(shell)["_valechat"] = magics

    @functools.wraps(magics.valechat)
    def valechat(line: str, cell: str | None = None) -> Any:
        return magics.valechat(line, cell)

    # IPython's own expansion of {…} and $… knows no JSON, and drops what it cannot read.
    vars(valechat)[MAGIC_NO_VAR_EXPAND_ATTR] = True
    shell.magics_manager.register_function(valechat, magic_kind="line_cell", magic_name="valechat")
    shell.events.register("post_run_cell", magics.host.failures.record)
    install_kernel(shell, magics.host.failures)
    install_syntax(shell)
    shell.Completer.custom_matchers.append(Completion(magics.host))
