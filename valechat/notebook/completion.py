"""Tab completion for `%valechat`: verbs and what follows them, options, models, conversations, variables, SQL names."""

from __future__ import annotations

import concurrent.futures
import re
from collections.abc import Iterable
from pathlib import Path

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult

from valechat.builtin_tools import NOTEBOOK, TOOLS
from valechat.engine import engine
from valechat.errors import ValeChatError
from valechat.notebook.arguments import option_names, takes_value
from valechat.notebook.formats import FORMATS
from valechat.notebook.host import Host
from valechat.notebook.verbs import VERBS
from valechat.pluginverbs.following import following
from valechat.queries import names
from valechat.services import services
from valechat.variables.listing import listed

__all__ = ["Completion"]

PATIENCE = 1.0
"""Seconds the models' servers may take before Tab answers without them."""

_MAGIC = re.compile(r"\s*(?:[\w.]+\s*=\s*)?(%{1,2})valechat(?:\s|$)")
_OPEN_BRACE = re.compile(r"(?<!\{)\{((?:[^\W\d][\w.]*)?)$")
_WORD = re.compile(r"(?:(?<=\s)[\"'][^\"']*|\S*)$")
_LIST = ("--tools", "--reveal")
"""Options whose value is names with commas between them."""

_ASSIGNED = re.compile(r"(?:\S+\s+<<|(?:-o|--output)(?:\s+|=)\S+)\s+")
_SQL = re.compile(rf"%%valechat\s+(?:{_ASSIGNED.pattern})?sql(?:\s|$)")
_SQL_WORD = re.compile(r"[^\W\d]\w*$")


class Completion:
    """The completer of one shell: a matcher of IPython's API, version 2."""

    matcher_api_version = 2
    matcher_identifier = "valechat"
    matcher_priority = 10_000.0
    """Above all others: on our lines, what Python would complete is wrong."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._sql: list[str] = []
        self.__qualname__ = "valechat"  # IPython asks every matcher for it, named or not

    def __call__(self, context: CompletionContext) -> SimpleMatcherResult:
        """What fits at the cursor; nothing outside our magics."""
        before = context.text_until_cursor
        first = context.full_text.lstrip("\n").partition("\n")[0]
        in_body = context.cursor_line > 0 and first.startswith("%%valechat")
        magic = _MAGIC.match(before)
        if magic is None and not in_body:
            return SimpleMatcherResult(completions=[])
        if (brace := _OPEN_BRACE.search(before)) is not None:
            return _result(brace[1], self._variables(brace[1]))
        if magic is None:
            # A question is prose: nothing of Python's belongs into it.
            return self._query(before) if _SQL.match(first) else _result("", ())
        typed = _WORD.search(before)
        word = typed[0] if typed is not None else ""
        line = before[magic.end(1) + len("valechat") : len(before) - len(word)].lstrip()
        given = line.removeprefix(found[0] if (found := _ASSIGNED.match(line)) else "").split()
        if given[:1] == ["sql"]:
            return self._query(before)
        option, equals, value = word.partition("=")
        if equals and takes_value(option):
            given, word = [*given, option], value
        if given and given[-1] in _LIST:
            word = word.rpartition(",")[2]
        found_here = _result(word, self._words(given, word, cell=magic[1] == "%%"))
        # IPython completes as Python where a matcher has nothing to say; the word itself is something.
        return found_here if found_here["completions"] else _result(word, [word])

    def _query(self, before: str) -> SimpleMatcherResult:
        """Names of the ledger's views and their columns, where one is begun."""
        word = found[0] if (found := _SQL_WORD.search(before)) else ""
        return _result(word, self._sql_names() if word else ())

    def _sql_names(self) -> list[str]:
        if not self._sql:
            try:
                self._sql = names()
            except ValeChatError:
                return []  # Tab is no place for an error; the query itself will say it
        return self._sql

    def _words(self, given: list[str], word: str, *, cell: bool) -> Iterable[str]:
        previous = given[-1] if given else ""
        if takes_value(previous):
            return self._option_values(previous)
        verb = VERBS.get(given[0]) if given else None
        if verb is not None and (verb.cell or not cell):
            if verb.follow is not None:
                return verb.follow(given[1:])
            values = verb.values[len(given) - 1] if len(given) <= len(verb.values) else ()
            return self._named(values, word) if isinstance(values, str) else values
        if word.startswith("-"):
            return option_names()
        verbs = [verb.name for verb in VERBS.values() if verb.cell or not cell] if not given else []
        return [*verbs, *(self._named("model") if cell else [])]

    def _option_values(self, option: str) -> Iterable[str]:
        match option:
            case "-m" | "--model":
                return self._named("model")
            case "-c" | "--conversation":
                return self._named("conversation")
            case "-f" | "--format":
                return FORMATS
            case "-o" | "--output":
                return [name for name in self._host.names if not name.startswith("_")]
            case "--reveal":
                return [found.name for found in listed(self._host.names)]
            case "--tools":
                own = [NOTEBOOK, *(f"{NOTEBOOK}/{name}" for name in TOOLS)]
                mine = [one.name for one in listed(self._host.names) if callable(self._host.names[one.name])]
                return [*mine, *following(["enable"]), *own]
        return ()

    def _named(self, kind: str, word: str = "") -> list[str]:
        try:
            match kind:
                case "model":
                    found = engine().submit(services().models()).result(PATIENCE)
                    return [model.id for model in found if model.usable]
                case "provider":
                    return list(services().settings.provider_names)
                case "conversation":
                    titles = (found.title for found in services().ledger.conversations(most=100))
                    return [f'"{title}"' if " " in title else title for title in titles if title]
                case "verb":
                    return list(VERBS)
                case "file":
                    return _files(word)
        except (ValeChatError, concurrent.futures.TimeoutError):
            # Tab is no place for an error; the magic itself will say it.
            return []
        raise AssertionError(f"{kind} is nothing that has names")

    def _variables(self, written: str) -> Iterable[str]:
        path, dot, _ = written.rpartition(".")
        names = self._host.names
        if not dot:
            return [name for name in names if not name.startswith("_") or written.startswith("_")]
        try:
            found = dir(names[path])
        except Exception:  # noqa: BLE001  # an unknown name, or whatever an object's own __dir__ raises
            return ()
        return [f"{path}.{name}" for name in found if not name.startswith("_")]


def _files(word: str) -> list[str]:
    """The files and folders that a path could go on with."""
    folder = word.rpartition("/")[0] + "/" if "/" in word else ""
    try:
        entries = sorted(Path(folder or ".").expanduser().iterdir())
    except OSError:
        return []  # a folder that is not there, or may not be read
    hidden = word.rpartition("/")[2].startswith(".")
    shown = [entry for entry in entries if hidden or not entry.name.startswith(".")]
    return [f"{folder}{entry.name}{'/' if entry.is_dir() else ''}" for entry in shown if " " not in entry.name]


def _result(word: str, candidates: Iterable[str]) -> SimpleMatcherResult:
    fitting = [
        SimpleCompletion(text=candidate, type="valechat")
        for candidate in candidates
        if candidate.startswith((word, f'"{word}'))
    ]
    return SimpleMatcherResult(
        completions=fitting, matched_fragment=word, suppress=True, ordered=True, do_not_suppress=set()
    )
