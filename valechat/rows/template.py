"""From a row to what is asked: a text with `{column}` in it, or a function.

The braces follow the rule of the magics (`valechat.braces`): `{text}`, `{price:.2f}`, `{row["a b"]}` are
replaced; JSON, LaTeX and a lone brace are sent as they stand; `{{text}}` is sent as `{text}`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from valechat.braces import Reference, Unresolved, references, resolved
from valechat.errors import ConfigError

__all__ = ["Prompt", "Template", "prompt_of"]

WHOLE = "row"
"""The name of the row itself, for columns whose names are no names."""

_CONVERSIONS: Mapping[str, Callable[[object], str]] = {"r": repr, "s": str, "a": ascii}

Prompt = str | Callable[[Mapping[str, Any]], str]
"""A template, or a function from a row to its prompt."""


class Template:
    """How prompts are made of rows.

    Attributes:
        text: What stands for it in the ledger: the template, or the function's name.
        key: What makes it another one when it changes.
    """

    def __init__(self, prompt: Prompt) -> None:
        self._function = None if isinstance(prompt, str) else prompt
        if self._function is not None:
            self.text = getattr(self._function, "__qualname__", type(self._function).__name__)
            self.key = f"{self.text}\n{_source(self._function)}"
            self._references: list[Reference] = []
        else:
            self.text = self.key = str(prompt)
            self._references = list(references(self.text))

    def check(self, first: Mapping[str, Any]) -> None:
        """See whether prompts can be made of rows like this one.

        Raises:
            ConfigError: The template names a column that is not there.
        """
        for reference in self._references:
            if reference.depth % 2 and reference.name not in first and reference.name != WHOLE:
                near = get_close_matches(reference.name, [str(name) for name in first], n=1)
                meant = f" Did you mean {{{near[0]}}}?" if near else ""
                there = ", ".join(str(name) for name in list(first)[:20])
                raise ConfigError(
                    f"The prompt names {{{reference.written}}}, but there is no column {reference.name!r}.{meant}",
                    fix=f"The columns are {there}. A function in place of the template can say anything.",
                )
        self.fill(first)

    def fill(self, row: Mapping[str, Any]) -> str:
        """The prompt of a row.

        Raises:
            ConfigError: The row lacks what the template names, or the function gave no text.
            Exception: Whatever the function raises.
        """
        if self._function is not None:
            made = self._function(row)
            if not isinstance(made, str):
                raise ConfigError(
                    f"{self.text} gave {type(made).__name__}, not a prompt.", fix="Return the prompt as text."
                )
            return made
        pieces: list[str] = []
        done = 0
        for reference in self._references:
            outer = reference.depth // 2
            if reference.depth % 2:
                inner = self._value(reference, row)
            elif reference.name in row or reference.name == WHOLE:
                inner = reference.written
            else:
                continue
            pieces += [self.text[done : reference.start], "{" * outer, inner, "}" * outer]
            done = reference.end
        pieces.append(self.text[done:])
        return "".join(pieces)

    def _value(self, reference: Reference, row: Mapping[str, Any]) -> str:
        try:
            value = resolved(reference.expression, row if WHOLE in row else {**row, WHOLE: row})
        except Unresolved as error:
            raise ConfigError(
                f"The row has no {{{reference.written}}}.", fix="Give each row all columns that the prompt names."
            ) from error
        if reference.conversion is not None:
            value = _CONVERSIONS[reference.conversion](value)
        return format(value, reference.format or "") if reference.format is not None else str(value)


def prompt_of(prompt: Any) -> Template:
    """What a user gave as a prompt.

    Raises:
        ConfigError: It is neither text nor callable, or empty.
    """
    if not (callable(prompt) or (isinstance(prompt, str) and prompt.strip())):
        raise ConfigError(
            "A prompt is a text such as 'Classify: {text}', or a function from a row to one.", fix="Pass one of them."
        )
    return Template(prompt)


def _source(function: Callable[..., Any]) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        return "" if code is None else repr((code.co_code, code.co_consts))
