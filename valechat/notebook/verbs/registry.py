"""What a verb is, and the table of all verbs. A new verb is one decorated function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from valechat.errors import ConfigError
from valechat.notebook.arguments import words
from valechat.notebook.host import Host

__all__ = ["VERBS", "Call", "Verb", "verb"]


@dataclass(frozen=True, slots=True)
class Call:
    """A verb as it was called.

    Attributes:
        text: All that follows the verb, as it was written; with `cell`, the cell's body.
        words: The same as words, quotes resolved; empty for a verb that takes a text.
        output: Variable for the result.
    """

    host: Host
    text: str
    words: tuple[str, ...] = ()
    output: str | None = None

    def word(self, place: int) -> str | None:
        """The word in that place, None when there are fewer."""
        return self.words[place] if place < len(self.words) else None


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb. `run` shows what it has to show; what it returns is the magic's result.

    Attributes:
        usage: How it is written, from its name on.
        summary: What it does, for the help.
        most: The most words it takes; None for one that takes a text.
        cell: It takes a cell's body as its text.
        gives: It has a result that a variable can receive.
        values: What can stand in which place, for completion: `model`, `conversation`, `provider`, `verb`,
            `file` or words.
        follow: What can follow these words, for a verb whose words depend on each other; in place of `values`.
    """

    name: str
    usage: str
    summary: str
    run: Callable[[Call], Any]
    most: int | None = 0
    cell: bool = False
    gives: bool = False
    values: tuple[str | tuple[str, ...], ...] = ()
    follow: Callable[[Sequence[str]], Iterable[str]] | None = None

    def call(self, host: Host, text: str, output: str | None) -> Any:
        """Run it on what follows it.

        Raises:
            ConfigError: More follows than it takes: most likely a question that begins with its name.
        """
        if output is not None and not self.gives:
            raise ConfigError(f"`%valechat {self.name}` gives nothing that {output} could receive.")
        if self.most is None:
            return self.run(Call(host, text, output=output))
        given = tuple(words(text))
        if len(given) > self.most:
            raise self.misused(text)
        return self.run(Call(host, text, given, output))

    def misused(self, text: str, why: str = "") -> ConfigError:
        """The error for words that make no sense here; it says how to ask them as a question."""
        what = why or f"`%valechat {self.usage}` is how {self.name} is written."
        return ConfigError(
            what, fix=f"If it is a question, write `%valechat -- {self.name} {_short(text)}`." if text.strip() else ""
        )


VERBS: dict[str, Verb] = {}
"""All verbs by name, in the order of the help."""


def verb(
    usage: str,
    summary: str,
    *,
    most: int | None = 0,
    cell: bool = False,
    gives: bool = False,
    values: tuple[str | tuple[str, ...], ...] = (),
    follow: Callable[[Sequence[str]], Iterable[str]] | None = None,
) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
    """Make a function the verb that `usage` begins with."""

    def register(run: Callable[[Call], Any]) -> Callable[[Call], Any]:
        name = usage.split(maxsplit=1)[0]
        VERBS[name] = Verb(name, usage, summary, run, most, cell, gives, values, follow)
        return run

    return register


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else f"{line[:40]}…"
