"""`plugins`: MCP servers, in the words of `valechat plugins …`."""

from __future__ import annotations

import base64
import getpass
import json
import time
from typing import Any

from valechat.engine import engine
from valechat.errors import ConfigError
from valechat.notebook.arguments import split_output, words
from valechat.notebook.formats import Bundle
from valechat.notebook.outputs import Output, escaped, show, small
from valechat.notebook.tabular import table
from valechat.notebook.verbs.registry import Call, verb
from valechat.plaintext import plain
from valechat.plugins.base import Answer
from valechat.pluginverbs.blocks import Answered, Block, Code, Note, Said, Table
from valechat.pluginverbs.desk import Desk
from valechat.pluginverbs.following import following
from valechat.pluginverbs.plain import in_words
from valechat.pluginverbs.words import LISTED, parse
from valechat.services import services

__all__ = ["plugins"]

PATIENCE = 0.5
"""Seconds before a call's progress is shown."""

_PICTURES = ("image/png", "image/jpeg", "image/gif")


@verb(
    "plugins [VERB …]",
    "MCP servers: `plugins list`, `add`, `enable`, `tools`, `call`, …; `plugins help` shows all verbs",
    most=None,
    cell=True,
    gives=True,
    follow=following,
)
def plugins(call: Call) -> Any:
    """Carry out a verb of plugins. A cell's body is JSON to add."""
    output, text = (call.output, call.text) if call.output is not None else split_output(call.text)
    given = _words(text)
    if given[:1] == ["help"]:
        _help()
        return None
    options = parse(given)
    from valechat.pluginverbs.run import run

    telling = _Telling()
    desk = Desk(services(), live=True, ask=_ask if _can_type() else None, progress=telling.take, read_input=lambda: "")
    outcome = engine().run(run(options, desk), each_beat=telling.draw)
    for block in outcome.blocks:
        _draw(block)
    if output is not None:
        call.host.assign(output, outcome.value)
    if outcome.failed and options.verb == "call":
        from valechat.errors import ToolFailed

        raise ToolFailed(f"{options.tool} reports an error.", fix="What it says is above.")
    return None


def _words(text: str) -> list[str]:
    """The words of a line. JSON stands in it as it is, to the end, and in a cell below `add`.

    Raises:
        ConfigError: A quote is not closed, or a cell stands below another verb.
    """
    line, _, body = text.partition("\n")
    if body.strip() and line.split()[:1] != ["add"]:
        raise ConfigError("Only `plugins add` takes a cell, with JSON in it.", fix="Write the rest on one line.")
    before, brace, json_ = line.partition(" {")
    if brace and not body.strip():
        return [*words(before), "{" + json_]
    return [*words(line), *([body] if body.strip() else [])]


def _draw(block: Block) -> None:
    match block:
        case Table(columns=columns, rows=rows, right=right):
            show(table(columns, [["" if cell is None else _cell(cell) for cell in row] for row in rows], right=right))
        case Said(text=text):
            show(_line(text))
        case Note(text=text):
            show(small(text))
        case Code(text=text):
            show(_code(text))
        case Answered(answer=answer):
            _answer(answer)


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else plain(str(value))


def _answer(answer: Answer) -> None:
    for piece in answer.content:
        if piece.kind == "image" and piece.media_type in _PICTURES:
            show({piece.media_type: base64.b64encode(piece.data).decode(), "text/plain": in_words(piece)})
        else:
            show(_code(in_words(piece)))
    if answer.structured is not None and not answer.text:
        show(_code(json.dumps(answer.structured, indent=2, ensure_ascii=False, default=str)))


def _line(text: str) -> Bundle:
    return {"text/html": f"<div>{escaped(text)}</div>", "text/plain": text}


def _code(text: str) -> Bundle:
    shown = plain(text)
    style = "max-height: 400px; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere"
    return {"text/html": f'<pre style="{style}">{escaped(shown)}</pre>', "text/plain": shown}


def _help() -> None:
    rows = [[f"%valechat plugins {name}", about] for name, about in LISTED.items()]
    show(table(["", ""], rows))


class _Telling:
    """How a long call goes, below the cell; told on the engine's loop, drawn on the main thread."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._text = ""
        self._output = Output()

    def take(self, text: str) -> None:
        self._text = text

    def draw(self) -> None:
        if self._text and time.monotonic() - self._begun > PATIENCE and self._output.due:
            self._output.show(small(self._text))


def _can_type() -> bool:
    from IPython.core.getipython import get_ipython

    return bool(getattr(getattr(get_ipython(), "kernel", None), "_allow_stdin", False))


async def _ask(prompt: str, *, secret: bool) -> str | None:
    read = getpass.getpass if secret else input
    answer: str = await engine().on_main(lambda: read(f"{prompt}: "))
    return answer or None
