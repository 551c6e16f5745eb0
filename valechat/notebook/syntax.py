"""Questions end with a question mark, which IPython would take for a request for help.

`%valechat what is this?` means `this?` to IPython. A transformer of our own comes before its: it
turns the whole line into the magic's call. `%valechat?` is still help.
"""

from __future__ import annotations

import tokenize
from typing import Any

from IPython.core.inputtransformer2 import EscapedCommand, MagicAssign
from IPython.core.interactiveshell import InteractiveShell

__all__ = ["AssignedQuestion", "Question", "install"]

BEFORE_HELP = 1
"""IPython's own: help 5, magics 10. The lowest comes first."""


class Question(EscapedCommand):
    """`%valechat …?` on a line of its own."""

    priority = BEFORE_HELP

    @classmethod
    def find(cls, tokens_by_line: list[list[tokenize.TokenInfo]]) -> Question | None:
        """The first such line."""
        for line in tokens_by_line:
            written = [token for token in line if token.type not in (tokenize.INDENT, tokenize.DEDENT)]
            if _is_question(written):
                return cls(written[0].start)
        return None


class AssignedQuestion(MagicAssign):
    """`x = %valechat …?`."""

    priority = BEFORE_HELP

    def __init__(self, start: tuple[int, int], magic: tuple[int, int]) -> None:
        # IPython takes what begins furthest left, and help on the last word begins where its line does.
        begun: Any = super()
        begun.__init__(start)
        self._magic = magic

    def transform(self, lines: list[str]) -> list[str]:
        """The lines with the magic's call in the question's place."""
        line, self.start_col = self._magic
        self.start_line = line - 1
        transformed: list[str] = super().transform(lines)
        return transformed

    @classmethod
    def find(cls, tokens_by_line: list[list[tokenize.TokenInfo]]) -> AssignedQuestion | None:
        """The first such line."""
        for line in tokens_by_line:
            written = [token for token in line if token.type not in (tokenize.INDENT, tokenize.DEDENT)]
            for place, token in enumerate(written):
                if token.string == "=" and _is_question(written[place + 1 :]):
                    return cls(written[0].start, written[place + 1].start)
        return None


def _is_question(tokens: list[tokenize.TokenInfo]) -> bool:
    """Whether `%valechat`, at least one word, and a question mark at the end stand here."""
    words = [token.string for token in tokens if token.type not in (tokenize.NEWLINE, tokenize.NL)]
    return words[:2] == ["%", "valechat"] and words[-1] == "?" and any(word != "?" for word in words[2:])


def install(shell: InteractiveShell) -> None:
    """Let questions be asked."""
    transformers: list[Any] = shell.input_transformer_manager.token_transformers
    transformers[:0] = [kind for kind in (Question, AssignedQuestion) if kind not in transformers]
