"""Writes the pages of the reference that come from the code: configuration, magics, command.

Run it after a change of settings, verbs or options: `.venv/bin/python -m scripts.reference`. A test compares.
"""

from __future__ import annotations

import argparse
import types
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ByteSize
from pydantic.fields import FieldInfo

from valechat.cli.parser import parser as command_parser
from valechat.config.schema import Settings
from valechat.notebook.verbs.manual import help_text

__all__ = ["PAGES", "write"]

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
NOTE = "<!-- Written by scripts/reference.py from the code; change it there. -->\n\n"

_INTRODUCTION = """\
# Configuration

`config.toml` is in ValeChat's folder of your system's settings; `valechat doctor` names it, and `VALECHAT_HOME` moves
everything ValeChat writes into one folder. Without the file all defaults below hold. A mistake in it is reported with
its line; the rest of the kernel goes on.

A project's `.valechat.toml`, in the notebook's folder or above it, may set `default_model` and lower `[limits]` and
`[sizes]`. It can raise nothing and name no server: what it must not say is ignored with a warning.

Money is text, so that no digit is lost: `"0.10"`.
"""


def configuration() -> str:
    """`config.toml`, table by table."""
    return NOTE + _INTRODUCTION + "".join(_section(model, where) for model, where in _sections(Settings, ""))


def _sections(model: type[BaseModel], where: str) -> Iterator[tuple[type[BaseModel], str]]:
    yield model, where
    for name, field in model.model_fields.items():
        inner = next((one for one in _parts(field.annotation) if _is_section(one)), None)
        if inner is not None:
            yield from _sections(inner, f"{where}.{name}".lstrip("."))


def _section(model: type[BaseModel], where: str) -> str:
    said = (model.__doc__ or "").strip()
    heading, _, text = said.partition(":") if said.startswith("`[") else ("The file's own keys", "", said)
    if "," in heading:
        heading, _, text = heading.partition(",")
    lines = [f"\n## {heading}\n"]
    if where and text.strip():
        lines += [_sentence(text), ""]
    rows = [_row(name, field) for name, field in model.model_fields.items() if not _holds_section(field)]
    if rows:
        lines += ["| key | value | left out | |", "|---|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if name in _LEFT_OUT:
        shown = _LEFT_OUT[name]
    elif field.is_required():
        shown = "needed"
    elif default in (None, (), {}):
        shown = ""
    elif isinstance(default, ByteSize):
        shown = f'`"{default.human_readable(decimal=True, separator=" ").replace(".0 ", " ")}"`'
    else:
        shown = f"`{str(default).lower() if isinstance(default, bool) else default}`"
    said = " ".join((field.description or "").split()).replace("|", "\\|")
    return f"| `{name}` | {_words(field)} | {shown} | {said} |"


_LEFT_OUT: Mapping[str, str] = {"kind": "by its name"}
"""Keys that the models need and a file may leave out: they are filled in before."""

_WORDS: Mapping[str, str] = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "Decimal": "US dollars",
    "ByteSize": "a size",
    "tuple": "a list",
    "dict": "a table",
}


def _words(field: FieldInfo) -> str:
    found: list[str] = []
    for part in _parts(field.annotation):
        if get_origin(part) is Literal:
            found.append(", ".join(f"`{one}`" for one in get_args(part)))
        else:
            name = getattr(get_origin(part) or part, "__name__", "")
            found.append(_WORDS.get(name, "text"))
    return " or ".join(dict.fromkeys(found))


def _parts(annotation: Any) -> list[Any]:
    """The kinds a value may have, without None and what an annotation adds; of a table, what is in it."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return [part for one in get_args(annotation) if one is not type(None) for part in _parts(one)]
    if origin is not None and hasattr(annotation, "__metadata__"):
        return _parts(get_args(annotation)[0])
    if origin is dict:
        values = _parts(get_args(annotation)[1])
        return values if any(_is_section(one) for one in values) else [annotation]
    return [annotation]


def _is_section(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel) and not issubclass(part, Enum)


def _holds_section(field: FieldInfo) -> bool:
    return any(_is_section(part) for part in _parts(field.annotation))


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text[:1].upper() + text[1:]


def magics() -> str:
    """What `%valechat help` shows."""
    return f"{NOTE}# Magics\n\n{help_text().replace('### ', '## ')}"


def command() -> str:
    """The `valechat` command, with all that each sub-command takes."""
    top = command_parser(with_plugins=True)
    lines = [
        f"{NOTE}# The command\n",
        "`valechat COMMAND --help` shows the same. It uses the ledger, the limits, the keys and the plugins that the",
        "notebooks use, at the same time if need be. What is asked for goes to standard output, everything else to",
        "standard error; the exit status is 0, 1 for an error, 2 for wrong use.",
    ]
    for name, summary, parser in _commands(top):
        lines += [f"\n## valechat {name}\n", f"{_sentence(summary)}.", *_options(parser)]
        for inner, what, verb in _commands(parser):
            lines += [f"\n### valechat {name} {inner}\n", f"{_sentence(what)}.", *_options(verb)]
    return "\n".join(lines) + "\n"


def _commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    for action in parser._actions:  # noqa: SLF001  # argparse has no public way to ask
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            summaries = {one.dest: one.help or "" for one in action._choices_actions}  # noqa: SLF001
            for name, inner in action.choices.items():
                yield name, summaries.get(name, ""), inner


def _options(parser: argparse.ArgumentParser) -> list[str]:
    rows = []
    for action in parser._actions:  # noqa: SLF001
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction) or action.help == argparse.SUPPRESS:  # noqa: SLF001
            continue
        value = action.metavar or (action.dest.upper() if action.option_strings and action.nargs != 0 else "")
        names = ", ".join(action.option_strings) or (action.metavar or action.dest)
        written = f"{names} {value}".strip() if action.option_strings else str(names)
        rows.append(f"| `{written}` | {_cell(action.help or '')} |")
    return ["", "| | |", "|---|---|", *rows] if rows else []


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("%%", "%")


PAGES: Mapping[str, Callable[[], str]] = {
    "configuration.md": configuration,
    "magics.md": magics,
    "command.md": command,
}
"""The pages by file, each as the function that writes its text."""


def write() -> None:
    """Write all pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in PAGES.items():
        (FOLDER / name).write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    write()
