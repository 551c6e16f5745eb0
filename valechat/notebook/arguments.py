"""What stands on a magic's line: options, models, a variable, a question.

`%%valechat [MODEL …] [options]` has the question below. `%valechat [options] question` has it on the
line, raw: quotes and dashes in it mean nothing. `--` ends the options.
"""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from keyword import iskeyword
from typing import Any, NoReturn

from valechat.config.names import nearest
from valechat.errors import ConfigError
from valechat.notebook.formats import FORMATS

__all__ = [
    "Asking",
    "option_names",
    "parse_cell",
    "parse_line",
    "split_assignment",
    "split_output",
    "takes_value",
    "words",
]


@dataclass(frozen=True, slots=True)
class Asking:
    """How a magic asks its question.

    Attributes:
        models: Whom to ask; none for the conversation's model, several to compare.
        output: Variable that receives the reply.
        conversation: Name of the conversation to ask in; None for the notebook's own.
        max_cost: Most USD the question may cost.
        tools: Names of functions, plugins and plugins' tools that the model may call.
        reveal: Names of variables in which nothing is hidden.
        new: Begin a new conversation first.
        dry_run: Show what would be sent, and send nothing.
        stream: Show the answer while it arrives.
        notes: What the user should know of values on the line.
    """

    models: tuple[str, ...] = ()
    system: str | None = None
    format: str = "markdown"
    output: str | None = None
    conversation: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    max_cost: Decimal | None = None
    tools: tuple[str, ...] = ()
    reveal: tuple[str, ...] = ()
    new: bool = False
    dry_run: bool = False
    stream: bool = True
    notes: tuple[str, ...] = ()


_ASSIGNMENT = re.compile(r"\s*([^\W\d]\w*)\s*<<(?:\s+|$)(.*)", re.DOTALL)
_OUTPUT = re.compile(r"\s*(?:-o|--output)(?:\s+|=)([^\W\d]\w*)(?:\s+|$)(.*)", re.DOTALL)
_WORD = re.compile(r"\s*((?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s\"'])+)", re.DOTALL)


def split_assignment(line: str) -> tuple[str | None, str]:
    """The variable of `VAR << rest` and the rest; None and the line where there is none."""
    found = _ASSIGNMENT.match(line)
    return (found[1], found[2]) if found else (None, line)


def split_output(line: str) -> tuple[str | None, str]:
    """As `split_assignment`, with `-o VAR` at the line's beginning meaning the same."""
    output, rest = split_assignment(line)
    found = _OUTPUT.match(rest) if output is None else None
    return (found[1], found[2]) if found else (output, rest)


def words(line: str) -> list[str]:
    """The words of a line, quotes resolved.

    Raises:
        ConfigError: A quote is not closed.
    """
    try:
        return shlex.split(line)
    except ValueError as error:
        raise ConfigError(f"The line cannot be read: {str(error).lower()}.", fix="Close the quote.") from error


def parse_cell(line: str, expand: Callable[[str], str] = str) -> Asking:
    """The line of `%%valechat`. `expand` replaces references in each word.

    Raises:
        ConfigError: An option is unknown or its value cannot be right.
    """
    output, rest = split_assignment(line)
    return _asking([expand(word) for word in words(rest)], output)


def parse_line(line: str, expand: Callable[[str], str] = str) -> tuple[Asking, str]:
    """The line of `%valechat`: its leading options, and the question as it was written.

    Raises:
        ConfigError: As `parse_cell`.
    """
    output, rest = split_assignment(line)
    options: list[str] = []
    while rest.lstrip().startswith("-"):
        word, rest = _next_word(rest)
        if word == "--":
            break
        options.append(word)
        if takes_value(word):
            value, rest = _next_word(rest)
            options += [expand(value)] if value else []
    return _asking(options, output), rest.strip()


def option_names() -> list[str]:
    """All options of a question, as they are written."""
    return sorted(
        {"--dry-run", "--max-cost", "--max-tokens", "--new", "--no-stream", "--tools", *_VALUED} - {"--model"}
    )


def takes_value(option: str) -> bool:
    """Whether the next word belongs to this option."""
    return option in _VALUED


_VALUED = frozenset(
    {
        *("-m", "--model", "-s", "--system", "-f", "--format", "-o", "--output", "-c", "--conversation"),
        *("-t", "--temperature", "--max-tokens", "--max-cost", "--tools", "--reveal"),
    }
)
_FLAGS = frozenset({"--dry-run", "--new", "--no-stream"})


def _next_word(text: str) -> tuple[str, str]:
    found = _WORD.match(text)
    if found is None:
        if text.strip():
            raise ConfigError("The line cannot be read: a quote is not closed.", fix="Close the quote.")
        return "", ""
    return "".join(words(found[1])), text[found.end() :]


def _asking(given: list[str], output: str | None) -> Asking:
    found = _parser().parse_intermixed_args(given)
    if output is not None and found.output not in (None, output):
        raise ConfigError(f"The reply cannot go to both {output} and {found.output}.", fix="Name one variable.")
    return Asking(
        models=tuple(dict.fromkeys([*found.models, *found.model])),
        system=found.system,
        format="markdown" if found.format == "md" else found.format,
        output=output or found.output,
        conversation=found.conversation,
        temperature=found.temperature,
        max_tokens=found.max_tokens,
        max_cost=found.max_cost,
        tools=found.tools,
        reveal=found.reveal,
        new=found.new,
        dry_run=found.dry_run,
        stream=not found.no_stream,
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        unknown = message.removeprefix("unrecognized arguments: ").split()[0]
        near = nearest(unknown, _FLAGS | _VALUED) if unknown.startswith("--") else None
        fix = f"Did you mean {near}?" if near else "See `%valechat help`."
        raise ConfigError(f"{message[:1].upper()}{message[1:]}.", fix=fix)


@cache
def _parser() -> _Parser:
    parser = _Parser(prog="%%valechat", add_help=False, allow_abbrev=False)
    add: Callable[..., Any] = parser.add_argument
    add("models", nargs="*")
    add("-m", "--model", action="append", default=[])
    add("-s", "--system")
    add("-f", "--format", default="markdown", choices=[*FORMATS, "md"])
    add("-o", "--output", type=_variable)
    add("-c", "--conversation")
    add("-t", "--temperature", type=_temperature)
    add("--max-tokens", type=_count)
    add("--max-cost", type=_dollars)
    add("--tools", type=_names, default=())
    add("--reveal", type=_names, default=())
    add("--new", action="store_true")
    add("--dry-run", action="store_true")
    add("--no-stream", action="store_true")
    return parser


def _variable(text: str) -> str:
    if not text.isidentifier() or iskeyword(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no variable's name")
    return text


def _temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 2:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 2")
    return value


def _count(text: str) -> int:
    value = int(text) if text.isascii() and text.isdigit() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return value


def _dollars(text: str) -> Decimal:
    try:
        value = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or value < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount in USD, such as 0.05")
    return value


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
